// engine.hpp - equilibria and gradients.
#ifndef FFEBM_ENGINE_HPP
#define FFEBM_ENGINE_HPP

#include <cstddef>
#include <cstdint>
#include <exception>
#include <type_traits>

#include "model.hpp"

namespace ffebm {

class engine : public object<ffebm_engine, ffebm_engine_destroy> {
public:
    explicit engine(const model &model, const ffebm_engine_config &config = defaults(ffebm_engine_config_init))
        : object(model.context())
    {
        make_for(ffebm_engine_create, model.get(), &config);
    }

    void configure(const ffebm_equilibrium_config &config, std::size_t stage = FFEBM_ALL)
    {
        check(ffebm_engine_configure(get(), stage, &config));
    }
    void set_beta(double beta, std::size_t stage = FFEBM_ALL) { check(ffebm_engine_set_beta(get(), stage, beta)); }
    void set_sweeps(std::int64_t free, std::int64_t nudged, std::size_t stage = FFEBM_ALL)
    {
        check(ffebm_engine_set_sweeps(get(), stage, free, nudged));
    }
    void set_step(std::uint64_t step) { check(ffebm_engine_set_step(get(), step)); }
    void set_first_sample(std::uint64_t number) { check(ffebm_engine_set_first_sample(get(), number)); }
    void set_noise(bool noise) { check(ffebm_engine_set_noise(get(), noise)); }
    void set_mode(std::int32_t mode) { check(ffebm_engine_set_mode(get(), mode)); }
    void set_label_smoothing(double smoothing) { check(ffebm_engine_set_label_smoothing(get(), smoothing)); }

    ffebm_report gradient(const ffebm_tensor *input, const ffebm_tensor *target, const ffebm_tensor *weights = nullptr)
    {
        auto report = sized<ffebm_report>();

        check(ffebm_engine_gradient(get(), &report, input, target, weights));
        return report;
    }
    // output takes every sample's, of any number of samples; nullptr: not wanted
    ffebm_report evaluate(const ffebm_tensor *input, const ffebm_tensor *target, const ffebm_tensor *weights = nullptr,
                          ffebm_tensor *output = nullptr)
    {
        auto report = sized<ffebm_report>();

        check(ffebm_engine_evaluate(get(), &report, output, input, target, weights));
        return report;
    }
    ffebm_tensor *flat_gradient() const noexcept { return ffebm_engine_flat_gradient(get()); }

    // Returns the ticket that vjp wants.
    std::uint64_t forward(ffebm_tensor *output, const ffebm_tensor *input)
    {
        std::uint64_t ticket = 0;

        check(ffebm_engine_forward(get(), output, &ticket, input));
        return ticket;
    }
    void vjp(ffebm_tensor *input_cotangent, std::uint64_t ticket, const ffebm_tensor *output_cotangent,
             double scale = 0)
    {
        check(ffebm_engine_vjp(get(), input_cotangent, ticket, output_cotangent, scale));
    }
    // Without a ticket: in evaluation mode any number of samples.
    void forward(ffebm_tensor *output, std::nullptr_t, const ffebm_tensor *input)
    {
        check(ffebm_engine_forward(get(), output, nullptr, input));
    }

    void settle(std::size_t stage, const ffebm_tensor *input, const ffebm_tensor *force = nullptr)
    {
        check(ffebm_engine_settle(get(), stage, input, force));
    }
    void energy(ffebm_tensor *energies, std::size_t stage, std::int32_t phase, const ffebm_tensor *input)
    {
        check(ffebm_engine_energy(get(), energies, stage, phase, input));
    }
    void get_input(ffebm_tensor *input, std::size_t stage, std::size_t layer) const
    {
        check(ffebm_engine_get_input(get(), input, stage, layer));
    }
    void set_input(std::size_t stage, std::size_t layer, const ffebm_tensor *input)
    {
        check(ffebm_engine_set_input(get(), stage, layer, input));
    }
    void settle_springs(std::size_t stage, const ffebm_tensor *input, const ffebm_tensor *force, double stiffness)
    {
        check(ffebm_engine_settle_springs(get(), stage, input, force, stiffness));
    }
    double stable_beta(std::size_t stage)
    {
        double beta = 0;

        check(ffebm_engine_stable_beta(get(), &beta, stage));
        return beta;
    }
    void energy_gradient(std::size_t stage, std::int32_t phase, ffebm_tensor *input_gradient = nullptr)
    {
        check(ffebm_engine_energy_gradient(get(), input_gradient, stage, phase));
    }
    void get_state(ffebm_tensor *state, std::size_t stage, std::size_t layer, std::int32_t phase) const
    {
        check(ffebm_engine_get_state(get(), state, stage, layer, phase));
    }
    void set_state(std::size_t stage, std::size_t layer, const ffebm_tensor *state)
    {
        check(ffebm_engine_set_state(get(), stage, layer, state));
    }

    ffebm_phase_report phase(std::int32_t phase, std::size_t stage = FFEBM_ALL) const
    {
        auto report = sized<ffebm_phase_report>();

        check(ffebm_engine_inspect_phase(get(), &report, stage, phase));
        return report;
    }
    // Which blocks did not settle in the last call, in words; empty where all have.
    std::string unsettled() const
    {
        std::size_t length;

        check(ffebm_engine_unsettled(get(), nullptr, 0, &length));
        std::string text(length, '\0');
        check(ffebm_engine_unsettled(get(), text.data(), length + 1, nullptr));
        return text;
    }
    ffebm_layer_report layer(std::size_t stage, std::size_t layer) const
    {
        auto report = sized<ffebm_layer_report>();

        check(ffebm_engine_inspect_layer(get(), &report, stage, layer));
        return report;
    }

    ffebm_certificate certify(const ffebm_tensor *input, const ffebm_tensor *target,
                              const ffebm_certify_config &config = defaults(ffebm_certify_config_init),
                              const ffebm_tensor *weights = nullptr)
    {
        auto worst = sized<ffebm_certificate>();

        check(ffebm_engine_certify(get(), &worst, input, target, weights, &config));
        return worst;
    }
    ffebm_certificate certificate(std::size_t index) const
    {
        auto found = sized<ffebm_certificate>();

        check(ffebm_engine_inspect_certificate(get(), &found, index));
        return found;
    }

    ffebm_ledger ledger(std::size_t stage = FFEBM_ALL, std::int32_t part = FFEBM_LEDGER_ALL,
                        const ffebm_ledger_config &config = defaults(ffebm_ledger_config_init))
    {
        auto found = sized<ffebm_ledger>();

        check(ffebm_engine_ledger(get(), &found, stage, part, &config));
        return found;
    }

    // visit(const ffebm_trace_point &) returns true to stop. Were all points visited?
    template <class Visit>
    bool trace(const ffebm_tensor *input, const ffebm_tensor *target, Visit &&visit,
               const ffebm_tensor *weights = nullptr)
    {
        struct visitor {
            std::remove_reference_t<Visit> &visit;
            detail::carrier &carrier;
            bool stopped;

            static std::int32_t take(void *user, const ffebm_trace_point *point) noexcept
            {
                visitor &v = *static_cast<visitor *>(user);

                try {
                    v.stopped = v.visit(*point);
                } catch (...) {
                    v.carrier.carry(std::current_exception());
                    return 1;
                }
                return v.stopped;
            }
        } v{visit, *context_.carrier(), false};
        ffebm_status status = ffebm_engine_trace(get(), input, target, weights, visitor::take, &v);

        if (!v.stopped)
            check(status);
        return !v.stopped;
    }
};

} // namespace ffebm

#endif
