// examples/quickstart.c in C++: an energy block between two linear maps, on points around eight random centres.
//
//   c++ -std=c++17 quickstart.cpp $(pkg-config --cflags --libs ffebm)
#include <cstdio>

#include "ffebm.hpp"

namespace {

constexpr std::int64_t inputs = 16, centres = 8, classes = 4, batch = 128, steps = 300;

ffebm::model build(const ffebm::context &context)
{
    ffebm::model model(context, {inputs}, FFEBM_LOSS_CROSS_ENTROPY);

    model.add(ffebm::feedforward(context, {ffebm::op(FFEBM_OP_LINEAR, 32)}));
    model.add(ffebm::energy(context, {ffebm::coupling(FFEBM_COUPLING_DENSE, 32)}));
    model.add(ffebm::feedforward(context, {ffebm::op(FFEBM_OP_LINEAR, classes)}));
    model.initialize(0);
    return model;
}

void draw_batch(std::vector<float> &points, std::vector<std::int64_t> &labels, std::uint64_t step)
{
    for (std::uint64_t n = 0; n < batch; n++) {
        std::uint64_t sample = step * batch + n;
        auto centre = static_cast<std::uint64_t>(centres * ffebm_random_uniform(1, sample));

        labels[n] = static_cast<std::int64_t>(centre % classes);
        for (std::uint64_t i = 0; i < inputs; i++)
            points[n * inputs + i] = static_cast<float>(ffebm_random_normal(2, centre * inputs + i) +
                                                        0.7 * ffebm_random_normal(3, sample * inputs + i));
    }
}

bool run()
{
    std::vector<float> points(batch * inputs);
    std::vector<std::int64_t> labels(batch);
    ffebm::context context;
    ffebm::model model = build(context);
    ffebm::engine engine(model);
    ffebm::optimizer optimizer(model, ffebm::defaults(ffebm_adam_config_init));
    ffebm::tensor input = ffebm::tensor::wrap(context, points.data(), {batch, inputs});
    ffebm::tensor target = ffebm::tensor::wrap(context, labels.data(), {batch});

    for (std::uint64_t step = 0; step < steps; step++) {
        draw_batch(points, labels, step);
        engine.gradient(input, target);
        optimizer.step(engine);
    }
    draw_batch(points, labels, steps); // points that training has not seen
    ffebm_report report = engine.evaluate(input, target);
    std::printf("test loss %.4f, accuracy %.4f\n", report.loss, static_cast<double>(report.correct) / batch);
    ffebm_certificate worst = engine.certify(input, target); // against the exact gradient
    std::printf("gradient %s, cosine %.4f at worst\n", worst.passed ? "certified" : "NOT certified", worst.cosine);
    return worst.passed;
}

} // namespace

int main()
{
    try {
        return run() ? 0 : 1;
    } catch (const std::exception &failure) {
        std::fprintf(stderr, "quickstart: %s\n", failure.what());
        return 1;
    }
}
