// optimizer.hpp - update rules; checkpoints.
#ifndef FFEBM_OPTIMIZER_HPP
#define FFEBM_OPTIMIZER_HPP

#include <cstddef>
#include <string>

#include "engine.hpp"

namespace ffebm {

class optimizer : public object<ffebm_optimizer, ffebm_optimizer_destroy> {
public:
    // The one that the model's recipe asks for.
    explicit optimizer(const model &model) : object(model.context())
    {
        make_for(ffebm_recipe_optimizer, model.get(), nullptr);
    }
    optimizer(const model &model, const ffebm_sgd_config &config) : object(model.context())
    {
        make_for(ffebm_optimizer_create_sgd, model.get(), &config);
    }
    optimizer(const model &model, const ffebm_adam_config &config) : object(model.context())
    {
        make_for(ffebm_optimizer_create_adam, model.get(), &config);
    }

    void step(const engine &engine) { check(ffebm_optimizer_step(get(), engine.get())); }
    void set_learning_rate(double rate) { check(ffebm_optimizer_set_learning_rate(get(), rate)); }
    void set_multipliers(const std::string &prefix, double learning_rate, double weight_decay)
    {
        check(ffebm_optimizer_set_multipliers(get(), prefix.c_str(), learning_rate, weight_decay));
    }
};

inline void save(const model &model, const std::string &path, const optimizer *optimizer = nullptr,
                 const char *note = nullptr)
{
    model.context().check(
        ffebm_checkpoint_save(model.get(), optimizer == nullptr ? nullptr : optimizer->get(), note, path.c_str()));
}

inline void restore(model &model, const std::string &path, optimizer *optimizer = nullptr)
{
    model.context().check(
        ffebm_checkpoint_restore(model.get(), optimizer == nullptr ? nullptr : optimizer->get(), path.c_str()));
}

inline std::string metadata(const context &context, const std::string &path, const std::string &key)
{
    std::size_t length;

    context.check(ffebm_checkpoint_metadata(context.get(), nullptr, 0, &length, path.c_str(), key.c_str()));
    std::string text(length, '\0');
    context.check(
        ffebm_checkpoint_metadata(context.get(), text.data(), length + 1, nullptr, path.c_str(), key.c_str()));
    return text;
}

} // namespace ffebm

#endif
