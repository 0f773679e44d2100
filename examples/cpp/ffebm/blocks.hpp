// blocks.hpp - the library's own blocks: a row of ops, a deep Hopfield network, a deep resistive one.
#ifndef FFEBM_BLOCKS_HPP
#define FFEBM_BLOCKS_HPP

#include <cstdint>
#include <initializer_list>

#include "core.hpp"

namespace ffebm {

class feedforward : public object<ffebm_feedforward, ffebm_feedforward_destroy> {
public:
    explicit feedforward(const ffebm::context &context, std::initializer_list<ffebm_op_config> ops = {})
        : object(context)
    {
        make(ffebm_feedforward_create);
        for (const ffebm_op_config &config : ops)
            add(config);
    }
    feedforward(const ffebm::context &context, const ffebm_user_feedforward &table) : object(context)
    {
        make(ffebm_feedforward_create_user, &table);
    }

    void add(const ffebm_op_config &config) { check(ffebm_feedforward_add_op(get(), &config)); }
    void add(const ffebm_user_parameter &parameter) { check(ffebm_feedforward_add_parameter(get(), &parameter)); }

    static constexpr auto add_to_model = ffebm_model_add_feedforward;

private:
    friend class model;
};

class energy : public object<ffebm_energy, ffebm_energy_destroy> {
public:
    // A deep Hopfield network.
    explicit energy(const ffebm::context &context, std::initializer_list<ffebm_coupling_config> couplings = {},
                    const ffebm_hopfield_config &config = defaults(ffebm_hopfield_config_init))
        : object(context)
    {
        make(ffebm_energy_create_hopfield, &config);
        for (const ffebm_coupling_config &each : couplings)
            add(each);
    }
    // A deep resistive network.
    energy(const ffebm::context &context, const ffebm_resistive_config &config,
           std::initializer_list<ffebm_coupling_config> couplings)
        : object(context)
    {
        make(ffebm_energy_create_resistive, &config);
        for (const ffebm_coupling_config &each : couplings)
            add(each);
    }
    energy(const ffebm::context &context, const ffebm_user_energy &table) : object(context)
    {
        make(ffebm_energy_create_user, &table);
    }

    void add(const ffebm_coupling_config &config) { check(ffebm_energy_add_coupling(get(), &config)); }
    void add(const ffebm_user_parameter &parameter) { check(ffebm_energy_add_parameter(get(), &parameter)); }

    static constexpr auto add_to_model = ffebm_model_add_energy;

private:
    friend class model;
};

} // namespace ffebm

#endif
