// examples/hopfield_resnet.c in C++: an energy block that is a graph, on images of 8 x 8 pixels around random centres.
//
//   c++ -std=c++17 hopfield_resnet.cpp $(pkg-config --cflags --libs ffebm)
#include <cstdio>

#include "ffebm.hpp"

namespace {

constexpr std::int64_t pixels = 64, classes = 10, batch = 32, steps = 40;

ffebm_op_config convolution(std::int64_t out, std::int64_t kernel, std::int64_t stride)
{
    return ffebm::window(ffebm::op(FFEBM_OP_CONV2D, out), kernel, stride, kernel / 2);
}

ffebm_coupling_config coupled(std::int64_t out, std::int64_t kernel, std::int64_t stride)
{
    return ffebm::window(ffebm::coupling(FFEBM_COUPLING_CONV2D, out), kernel, stride, kernel / 2);
}

ffebm::model build(const ffebm::context &context)
{
    ffebm::model model(context, {1, 8, 8}, FFEBM_LOSS_MSE);
    ffebm_activation relu6 = ffebm::activation(FFEBM_ACTIVATION_HARD_SIGMOID, 0.25);
    ffebm_hopfield_config config = ffebm::defaults(ffebm_hopfield_config_init);

    relu6.upper = 6;
    config.activation = &relu6;
    model
        .add(ffebm::feedforward(context, {convolution(16, 3, 1)}))         // drives layer 0, [16, 8, 8]
        .add_tap(ffebm::feedforward(context, {convolution(32, 1, 2)}), 1); // and layer 1, [32, 4, 4]
    model.add(ffebm::energy(context,
                            {coupled(32, 3, 2),                               // 0 - 1
                             coupled(32, 3, 1),                               // 1 - 2
                             coupled(32, 3, 1),                               // 2 - 3
                             ffebm::skip(coupled(32, 1, 1), 1, 3),            // 1 - 3
                             ffebm::coupling(FFEBM_COUPLING_DENSE, classes)}, // 3 - 4, the output
                            config));
    model.initialize(0);
    return model;
}

void draw_batch(std::vector<float> &images, std::vector<std::int64_t> &labels, std::uint64_t step)
{
    for (std::uint64_t n = 0; n < batch; n++) {
        std::uint64_t sample = step * batch + n;
        auto centre = static_cast<std::uint64_t>(classes * ffebm_random_uniform(1, sample));

        labels[n] = static_cast<std::int64_t>(centre);
        for (std::uint64_t i = 0; i < pixels; i++)
            images[n * pixels + i] = static_cast<float>(0.5 * ffebm_random_normal(2, centre * pixels + i) +
                                                        0.9 * ffebm_random_normal(3, sample * pixels + i));
    }
}

bool run()
{
    std::vector<float> images(batch * pixels);
    std::vector<std::int64_t> labels(batch);
    ffebm::context context;
    ffebm::model model = build(context);
    ffebm::engine engine(model);
    ffebm::optimizer optimizer(model, ffebm::defaults(ffebm_adam_config_init));
    ffebm::tensor input = ffebm::tensor::wrap(context, images.data(), {batch, 1, 8, 8});
    ffebm::tensor target = ffebm::tensor::wrap(context, labels.data(), {batch});

    for (std::uint64_t step = 0; step < steps; step++) {
        draw_batch(images, labels, step);
        engine.gradient(input, target);
        optimizer.step(engine);
    }
    draw_batch(images, labels, steps); // images that training has not seen
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
        std::fprintf(stderr, "hopfield_resnet: %s\n", failure.what());
        return 1;
    }
}
