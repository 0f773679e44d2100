// model.hpp - a chain of blocks and their parameters.
#ifndef FFEBM_MODEL_HPP
#define FFEBM_MODEL_HPP

#include <cstdint>
#include <string>
#include <type_traits>

#include "blocks.hpp"
#include "tensor.hpp"

namespace ffebm {

class model : public object<ffebm_model, ffebm_model_destroy> {
public:
    model(const ffebm::context &context, const shape &input, std::int32_t loss, std::int32_t dtype = FFEBM_FLOAT32)
        : object(context)
    {
        make(ffebm_model_create, dtype, input.data(), input.size(), loss);
    }
    static model parse(const ffebm::context &context, const std::string &json, std::int32_t dtype = 0)
    {
        ffebm_parse_config config = defaults(ffebm_parse_config_init);
        model made(context);

        config.dtype = dtype;
        made.make(ffebm_model_parse, json.data(), json.size(), &config);
        return made;
    }
    static model load(const ffebm::context &context, const std::string &path)
    {
        model made(context);

        made.make(ffebm_checkpoint_load, path.c_str());
        return made;
    }

    // Append a block, which is taken: feedforward or energy.
    template <class Block> model &add(Block &&block)
    {
        static_assert(!std::is_lvalue_reference_v<Block>, "a block is moved into its model");
        return take(block, Block::add_to_model);
    }
    // Add a tap to the last stage: its input through these ops is the input of an inner layer of the energy block to come.
    model &add_tap(feedforward &&ops, std::size_t layer) { return take(ops, ffebm_model_add_tap, layer); }
    void set_initialization(const ffebm_initialization &initialization)
    {
        check(ffebm_model_set_initialization(get(), &initialization));
    }
    void set_bounds(const std::string &prefix, double lower, double upper)
    {
        check(ffebm_model_set_bounds(get(), prefix.c_str(), lower, upper));
    }
    // Who writes these parameters; NULL: optimizers themselves.
    void set_update(const std::string &prefix, const ffebm_update_rule *rule)
    {
        check(ffebm_model_set_update(get(), prefix.c_str(), rule));
    }
    void initialize(std::uint64_t seed) { check(ffebm_model_initialize(get(), seed)); }

    ffebm_model_info info() const { return inspect<ffebm_model_info>(ffebm_model_inspect); }
    ffebm_recipe recipe() const { return inspect<ffebm_recipe>(ffebm_model_recipe); }
    void set_recipe(const ffebm_recipe &recipe) { check(ffebm_model_set_recipe(get(), &recipe)); }
    void set_equilibrium(const ffebm_equilibrium_config &config) { check(ffebm_model_set_equilibrium(get(), &config)); }
    // On a device; all energy stages, unless one is named.
    void set_device(const ffebm_device_config &config, std::size_t stage = FFEBM_ALL)
    {
        check(ffebm_model_set_device(get(), stage, &config));
    }
    // Pulses that an energy stage was written by, or all.
    ffebm_pulse_info pulses(std::size_t stage = FFEBM_ALL) const
    {
        return inspect<ffebm_pulse_info>(ffebm_model_inspect_pulses, stage);
    }
    void set_clock(double seconds) { check(ffebm_model_set_clock(get(), seconds)); }
    ffebm_device_config device(std::size_t stage) const
    {
        auto config = sized<ffebm_device_config>();

        check(ffebm_model_device(get(), &config, stage));
        return config;
    }
    ffebm_stage_info stage(std::size_t i) const { return inspect<ffebm_stage_info>(ffebm_model_inspect_stage, i); }
    ffebm_layer_info layer(std::size_t stage, std::size_t i) const
    {
        return inspect<ffebm_layer_info>(ffebm_model_inspect_layer, stage, i);
    }
    ffebm_parameter_info parameter(std::size_t i) const
    {
        return inspect<ffebm_parameter_info>(ffebm_model_inspect_parameter, i);
    }
    std::size_t find_parameter(const std::string &name) const
    {
        return ffebm_model_find_parameter(get(), name.c_str());
    }
    std::string description() const
    {
        const char *json;
        std::size_t length;

        check(ffebm_model_description(get(), &json, &length));
        return {json, length};
    }
    ffebm_equilibrium_config equilibrium() const
    {
        auto config = sized<ffebm_equilibrium_config>();

        check(ffebm_model_equilibrium(get(), &config));
        return config;
    }
    ffebm_tensor *flat_parameters() const noexcept { return ffebm_model_flat_parameters(get()); }

private:
    explicit model(const ffebm::context &context) : object(context) {}

    template <class Block, class Function, class... Where> model &take(Block &block, Function add_to, Where... where)
    {
        auto *taken = block.handle_.release();
        ffebm_status status = add_to(get(), &taken, where...);

        block.handle_.reset(taken);
        check(status);
        return *this;
    }

    template <class Struct, class Function, class... Where> Struct inspect(Function function, Where... where) const
    {
        auto found = sized<Struct>();

        check(function(get(), &found, where...));
        return found;
    }
};

} // namespace ffebm

#endif
