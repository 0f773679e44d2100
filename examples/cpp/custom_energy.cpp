// An energy block of your own as a C++ class, in a chain with a Hopfield network, and its certificate.
//
//   c++ -std=c++17 custom_energy.cpp $(pkg-config --cflags --libs ffebm)
#include <cmath>
#include <cstdio>

#include "ffebm.hpp"

namespace {

// Units that saturate softly, each alone: E = sum_i g_i cosh(s_i) - <x, s>. Settled where g_i sinh(s_i) = x_i + f_i.
class diodes {
public:
    explicit diodes(std::size_t units) : units_(units) {}

    void initialize(ffebm_energy_call &call)
    {
        for (std::size_t i = 0; i < units_; i++)
            call.values[i] = 1 + ffebm_random_uniform(call.seed, i);
    }
    void settle(ffebm_energy_call &call)
    {
        for (std::size_t i = 0; i < call.batch * units_; i++) {
            double conductance = call.parameters[i % units_], force = call.force == nullptr ? 0 : call.force[i];

            if (conductance <= 0)
                throw std::domain_error("a diode conducts the wrong way");
            call.state[i] = std::asinh((call.input[i] + force) / conductance);
        }
    }
    void parameter_gradient(ffebm_energy_call &call)
    {
        for (std::size_t i = 0; i < call.batch * units_; i++)
            call.gradient[i % units_] += call.weight[i / units_] * std::cosh(call.state[i]);
    }
    void adjoint(ffebm_energy_call &call)
    {
        for (std::size_t i = 0; i < call.batch * units_; i++) {
            double back = call.output_cotangent[i] / (call.parameters[i % units_] * std::cosh(call.state[i]));

            call.input_gradient[i] = back;
            call.gradient[i % units_] -= call.weight[i / units_] * back * std::sinh(call.state[i]);
        }
    }

private:
    std::size_t units_;
};

ffebm::energy make_diodes(const ffebm::context &context, std::int64_t units)
{
    const ffebm::shape dims{units};
    auto facts = ffebm::sized<ffebm_user_energy>();
    ffebm_user_parameter conductance = ffebm::parameter("conductance", dims);

    facts.name = "diodes";
    facts.input_shape = facts.output_shape = dims.data();
    facts.input_rank = facts.output_rank = 1;
    facts.state_count = static_cast<std::size_t>(units);
    conductance.lower = 0.1;
    return ffebm::user_energy(context, std::make_unique<diodes>(facts.state_count), facts, {conductance});
}

bool run()
{
    const std::int64_t rows = 8, inputs = 5;
    std::vector<double> points(rows * inputs);
    std::vector<std::int64_t> labels(rows);
    ffebm::context context;
    ffebm::model model(context, {inputs}, FFEBM_LOSS_CROSS_ENTROPY, FFEBM_FLOAT64);
    ffebm_equilibrium_config settled = ffebm::defaults(ffebm_equilibrium_config_init);
    ffebm_certify_config config = ffebm::defaults(ffebm_certify_config_init);

    model.add(ffebm::feedforward(context, {ffebm::op(FFEBM_OP_LINEAR, 8)})).add(make_diodes(context, 8));
    model.add(ffebm::energy(context, {ffebm::coupling(FFEBM_COUPLING_DENSE, 3)}));
    model.initialize(1);
    for (std::size_t i = 0; i < points.size(); i++)
        points[i] = ffebm_random_normal(2, i);
    for (std::size_t n = 0; n < labels.size(); n++)
        labels[n] = static_cast<std::int64_t>(n % 3);

    ffebm::engine engine(model);
    settled.beta = 1e-4;
    settled.free_tolerance = 1e-12;
    settled.nudged_tolerance = 1e-6;
    settled.free_sweeps = settled.nudged_sweeps = 1000;
    engine.configure(settled);
    config.directions = 4;
    ffebm_certificate worst = engine.certify(ffebm::tensor::wrap(context, points.data(), {rows, inputs}),
                                             ffebm::tensor::wrap(context, labels.data(), {rows}), config);
    std::printf("certificate %s; worst is %s: cosine %.6f, relative error to differences of the loss %.1e\n",
                worst.passed ? "passed" : "FAILED", worst.name, worst.cosine, worst.difference_error);
    return worst.passed != 0;
}

} // namespace

int main()
{
    try {
        return run() ? 0 : 1;
    } catch (const std::exception &failure) {
        std::fprintf(stderr, "custom_energy: %s\n", failure.what());
        return 1;
    }
}
