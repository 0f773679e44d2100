// The C++ header: every member once, and above all what happens when something is refused or throws.
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <thread>

#include "../../examples/cpp/ffebm.hpp"

namespace {

int checks;

void expect(bool holds, const char *what, int line)
{
    checks++;
    if (holds)
        return;
    std::fprintf(stderr, "test_ffebm.cpp:%d: %s\n", line, what);
    std::exit(1);
}
#define EXPECT(...) expect((__VA_ARGS__), #__VA_ARGS__, __LINE__)

template <class Function> void expect_refusal(ffebm_status status, const char *words, Function &&function, int line)
{
    try {
        function();
    } catch (const ffebm::error &failure) {
        expect(failure.status() == status && std::strstr(failure.what(), words) != nullptr, failure.what(), line);
        return;
    }
    expect(false, "nothing was thrown", line);
}
#define EXPECT_REFUSAL(status, words, ...)                                                                             \
    expect_refusal(                                                                                                    \
        status, words, [&] { __VA_ARGS__; }, __LINE__)

const ffebm::shape units{3};

// E = sum_i (k s_i^2 / 2) - <x, s>, which counts itself, and fails on demand.
struct spring {
    static int alive;
    std::function<void(const char *)> before = [](const char *) {};
    int answer = 0;

    spring() { alive++; }
    spring(const spring &) = delete;
    ~spring() { alive--; }

    void initialize(ffebm_energy_call &call)
    {
        before("initialize");
        call.values[0] = 2;
    }
    std::int32_t settle(ffebm_energy_call &call)
    {
        before("settle");
        for (std::size_t i = 0; i < call.batch * 3; i++)
            call.state[i] = (call.input[i] + (call.force == nullptr ? 0 : call.force[i])) / call.parameters[0];
        return call.attempt < 2 ? answer : 0;
    }
    void parameter_gradient(ffebm_energy_call &call)
    {
        before("parameter_gradient");
        for (std::size_t i = 0; i < call.batch * 3; i++)
            call.gradient[0] += call.weight[i / 3] * call.state[i] * call.state[i] / 2;
    }
};
int spring::alive;

// o = w x
struct scaling {
    void initialize(ffebm_feedforward_call &call) { call.values[0] = 0.5; }
    void forward(ffebm_feedforward_call &call)
    {
        for (std::size_t i = 0; i < call.batch * 3; i++)
            call.output[i] = call.parameters[0] * call.input[i];
    }
    void vjp(ffebm_feedforward_call &call)
    {
        for (std::size_t i = 0; i < call.batch * 3; i++) {
            call.input_cotangent[i] = call.parameters[0] * call.output_cotangent[i];
            call.gradient[0] += call.scale * call.output_cotangent[i] * call.input[i];
        }
    }
};

template <class Facts> Facts facts_of(const char *name)
{
    auto facts = ffebm::sized<Facts>();

    facts.name = name;
    facts.input_shape = facts.output_shape = units.data();
    facts.input_rank = facts.output_rank = 1;
    return facts;
}

ffebm::energy make_spring(const ffebm::context &context, spring **self = nullptr, const char *name = "spring")
{
    const ffebm::shape one{1};
    auto block = std::make_unique<spring>();
    auto facts = facts_of<ffebm_user_energy>(name);

    facts.state_count = 3;
    if (self != nullptr)
        *self = block.get();
    return ffebm::user_energy(context, std::move(block), facts, {ffebm::parameter("k", one)});
}

// A model [3] -> linear map -> energy block -> mse, with a batch of two.
struct problem {
    ffebm::context context;
    std::vector<double> points{0.1, 0.2, 0.3, -0.4, 0.5, -0.6};
    std::vector<std::int64_t> labels{0, 2};
    ffebm::model model;
    ffebm::engine engine;
    ffebm::tensor input, target;

    explicit problem(ffebm::context c, ffebm::energy block)
        : context(c), model(build(c, std::move(block))), engine(model),
          input(ffebm::tensor::wrap(c, points.data(), {2, 3})), target(ffebm::tensor::wrap(c, labels.data(), {2}))
    {
    }
    static ffebm::model build(const ffebm::context &context, ffebm::energy block)
    {
        ffebm::model model(context, units, FFEBM_LOSS_MSE, FFEBM_FLOAT64);
        auto inside = ffebm::defaults(ffebm_initialization_init); // of the bounds of a Hopfield network

        inside.gain = 0.3;
        inside.bias = 0.5;
        inside.constant_bias = 1;
        model.set_initialization(inside);
        model.add(ffebm::feedforward(context, {ffebm::op(FFEBM_OP_LINEAR, 3)})).add(std::move(block));
        model.initialize(1);
        return model;
    }
};

problem hopfield_problem()
{
    ffebm::context context;

    return problem(context, ffebm::energy(context, {ffebm::coupling(FFEBM_COUPLING_DENSE, 3)}));
}

static_assert(!std::is_copy_constructible_v<ffebm::model> && std::is_nothrow_move_constructible_v<ffebm::tensor>);

// -------------------------------------------------------------------------------------------------------------- tests

void tensors()
{
    ffebm::context context;
    const float fixed[] = {1, 2, 3, 4, 5, 6};
    ffebm::tensor constant = ffebm::tensor::wrap(context, fixed, {3, 2}), wide(context, FFEBM_FLOAT64, {3, 2});
    ffebm::tensor rows = wide.rows(1, 2);

    wide.copy_from(constant);
    EXPECT(rows.elements<double>().size() == 4 && rows.elements<double>()[0] == 3);
    constant.rewrap(fixed + 2, 2);
    EXPECT(constant.elements<float>().data() == fixed + 2 && constant.elements<float>().size() == 4);
    ffebm::tensor moved = std::move(rows);
    EXPECT(rows.get() == nullptr && moved.elements<double>()[3] == 6);
    double sum = 0;
    for (double x : wide.elements<double>())
        sum += x;
    EXPECT(sum == 21);
    EXPECT_REFUSAL(FFEBM_ERR_DTYPE, "another type", wide.elements<float>());
    EXPECT_REFUSAL(FFEBM_ERR_DTYPE, "another type", constant.rewrap(wide.elements<double>().data(), 1));
    EXPECT_REFUSAL(FFEBM_ERR_DTYPE, "no tensor", ffebm::elements<float>(nullptr));
    EXPECT_REFUSAL(FFEBM_ERR_ARGUMENT, "5 from row 0 on", wide.rows(0, 5));
    EXPECT_REFUSAL(FFEBM_ERR_SHAPE, "tensor", ffebm::tensor(context, FFEBM_FLOAT32, {0}));
    auto config = ffebm::defaults(ffebm_context_config_init);
    config.threads = -1;
    EXPECT_REFUSAL(FFEBM_ERR_ARGUMENT, "FFEBM_ERR_ARGUMENT", ffebm::context{config});
}

void models()
{
    problem p = hopfield_problem();
    ffebm::model parsed = ffebm::model::parse(p.context, p.model.description());
    ffebm::energy wrong(p.context);

    EXPECT(parsed.description() == p.model.description() && parsed.info().ready == 0);
    EXPECT(p.model.info().parameter_count == 4 && p.model.stage(1).layer_count == 2 && p.model.layer(1, 1).units == 3);
    EXPECT(p.model.find_parameter("stage1.0.bias") == 3 && p.model.parameter(3).count == 3);
    ffebm_equilibrium_config defaults;
    ffebm_equilibrium_config_init(&defaults, sizeof defaults);
    EXPECT(p.model.recipe().batch == 64 && p.model.equilibrium().beta == defaults.beta);
    ffebm_recipe recipe = p.model.recipe();
    recipe.batch = 3;
    parsed.set_recipe(recipe);
    EXPECT(parsed.recipe().batch == 3);
    parsed.initialize(1);
    parsed.set_bounds("stage0", -1, 1);
    EXPECT(std::memcmp(ffebm_tensor_data(parsed.flat_parameters()), ffebm_tensor_data(p.model.flat_parameters()),
                       24 * sizeof(double)) == 0);

    // A block that is refused is still there.
    wrong.add(ffebm::coupling(FFEBM_COUPLING_DENSE, 2));
    EXPECT_REFUSAL(FFEBM_ERR_STATE, "no more stages", parsed.add(std::move(wrong)));
    EXPECT(wrong.get() != nullptr);
    EXPECT_REFUSAL(FFEBM_ERR_PARSE, "not JSON", ffebm::model::parse(p.context, "{"));
    EXPECT_REFUSAL(FFEBM_ERR_ARGUMENT, "out", ffebm::feedforward(p.context, {ffebm::op(FFEBM_OP_LINEAR)}));
}

void engines()
{
    problem p = hopfield_problem();
    ffebm::tensor output(p.context, FFEBM_FLOAT64, {2, 3}), back(p.context, FFEBM_FLOAT64, {2, 3});
    ffebm::tensor energies(p.context, FFEBM_FLOAT64, {2});
    ffebm::optimizer optimizer(p.model, ffebm::defaults(ffebm_sgd_config_init));

    p.engine.configure(p.model.equilibrium());
    p.engine.set_beta(0.1);
    p.engine.set_sweeps(200, 100);
    p.engine.set_step(1);
    p.engine.set_mode(FFEBM_MODE_TRAINING);
    p.engine.set_label_smoothing(0.1);
    double first = p.engine.gradient(p.input, p.target).loss;
    EXPECT(p.engine.layer(1, 0).units == 3 && p.engine.phase(FFEBM_PHASE_NUDGED).samples == 2);
    optimizer.set_learning_rate(0.05);
    optimizer.set_multipliers("stage0", 2, 1);
    for (int i = 0; i < 50; i++) {
        p.engine.gradient(p.input, p.target);
        optimizer.step(p.engine);
    }
    EXPECT(p.engine.gradient(p.input, p.target).loss < first && p.engine.evaluate(p.input, p.target).batch == 2);
    EXPECT(ffebm::elements<double>(p.engine.flat_gradient()).size() == 24);

    std::uint64_t ticket = p.engine.forward(output, p.input);
    p.engine.vjp(back, ticket, output);
    EXPECT(p.engine.forward(output, p.input) != ticket);
    EXPECT_REFUSAL(FFEBM_ERR_STATE, "ticket", p.engine.vjp(back, ticket, output));
    p.engine.forward(output, nullptr, p.input);
    EXPECT_REFUSAL(FFEBM_ERR_STATE, "ticket", p.engine.vjp(back, ticket + 1, output));
    EXPECT(back.elements<double>()[0] != 0);
    p.engine.settle(1, p.input);
    p.engine.energy(energies, 1, FFEBM_PHASE_FREE, p.input);
    p.engine.energy_gradient(1, FFEBM_PHASE_FREE);
    p.engine.get_state(output, 1, 1, FFEBM_PHASE_FREE);
    p.engine.set_state(1, 1, output);
    EXPECT(std::isfinite(energies.elements<double>()[1]));
    EXPECT_REFUSAL(FFEBM_ERR_SHAPE, "input", p.engine.forward(nullptr, energies));
}

// Calls make what a description says.
void graphs()
{
    ffebm::context context;
    ffebm::model built(context, {2, 4, 4}, FFEBM_LOSS_MSE);
    ffebm_coupling_config plain = ffebm::window(ffebm::coupling(FFEBM_COUPLING_CONV2D, 3), 3, 1, 1);
    ffebm_coupling_config halved = ffebm::window(ffebm::coupling(FFEBM_COUPLING_CONV2D, 3), 2, 2), smooth = halved;
    ffebm_activation tanh = ffebm::activation(FFEBM_ACTIVATION_TANH, 0.5);

    smooth.activation = &tanh;
    built.add(ffebm::feedforward(context, {ffebm::window(ffebm::op(FFEBM_OP_AVGPOOL2D), 2, 2)}));
    built.add_tap(ffebm::feedforward(context, {ffebm::window(ffebm::op(FFEBM_OP_CONV2D, 3), 4)}), 2);
    built.add(
        ffebm::energy(context, {plain, smooth, ffebm::skip(halved, 0, 2), ffebm::coupling(FFEBM_COUPLING_DENSE, 2)}));
    EXPECT(built.description() == ffebm::model::parse(context, R"({"input": [2, 4, 4], "loss": "mse", "stages": [
        {"feedforward": [{"type": "avgpool2d", "kernel": 2, "stride": 2}],
         "taps": [{"to": 2, "ops": [{"type": "conv2d", "out_channels": 3, "kernel": 4}]}]},
        {"energy": {"type": "hopfield", "couplings": [
            {"type": "conv2d", "out_channels": 3, "kernel": 3, "padding": 1},
            {"type": "conv2d", "out_channels": 3, "kernel": 2, "stride": 2, "activation": {"type": "tanh", "slope": 0.5}},
            {"type": "conv2d", "out_channels": 3, "kernel": 2, "stride": 2, "from": 0, "to": 2, "bias": false},
            {"type": "dense", "out_features": 2}]}}]})")
                                      .description());
}

void taps()
{
    ffebm::context context;
    ffebm::model model(context, {4}, FFEBM_LOSS_MSE, FFEBM_FLOAT64);
    ffebm::feedforward tap(context);

    EXPECT_REFUSAL(FFEBM_ERR_STATE, "no feedforward stage", model.add_tap(std::move(tap), 1));
    EXPECT(tap.get() != nullptr); // it is still the caller's
    model.add(ffebm::feedforward(context, {ffebm::op(FFEBM_OP_LINEAR, 4)})).add_tap(std::move(tap), 1);
    model.add(ffebm::energy(context, {ffebm::coupling(FFEBM_COUPLING_DENSE, 4)}));
    model.initialize(1);
    EXPECT(tap.get() == nullptr && model.stage(0).tap_count == 1);

    ffebm::engine engine(model);
    ffebm::tensor input(context, FFEBM_FLOAT64, {2, 4}), energies(context, FFEBM_FLOAT64, {2});

    for (double &number : input.elements<double>())
        number = 1;
    engine.settle(1, input);
    engine.energy(energies, 1, FFEBM_PHASE_FREE, input);
    double before = energies.elements<double>()[0];
    engine.set_input(1, 1, input);
    engine.get_input(input, 1, 1);
    engine.energy(energies, 1, FFEBM_PHASE_FREE, input);
    EXPECT(energies.elements<double>()[0] != before);
    EXPECT_REFUSAL(FFEBM_ERR_ARGUMENT, "layer 0", engine.set_input(1, 0, input));
}

void analysis()
{
    problem p = hopfield_problem();
    auto config = ffebm::defaults(ffebm_certify_config_init);
    int points = 0;

    config.min_cosine = -1;
    config.directions = 2;
    config.max_difference_error = 0;
    EXPECT(p.engine.certify(p.input, p.target, config).passed == 1);
    EXPECT(std::strcmp(p.engine.certificate(4).name, "input") == 0);
    p.engine.set_sweeps(60, 3);
    EXPECT(p.engine.trace(p.input, p.target, [&](const ffebm_trace_point &) { return ++points < 0; }) && points == 12);
    EXPECT(!p.engine.trace(p.input, p.target, [](const ffebm_trace_point &point) { return point.sweep == 2; }));
    try {
        p.engine.trace(p.input, p.target, [](const ffebm_trace_point &) -> bool { throw 42; });
        EXPECT(false);
    } catch (int thrown) {
        EXPECT(thrown == 42);
    }
    EXPECT_REFUSAL(FFEBM_ERR_DTYPE, "input",
                   p.engine.trace(p.target, p.target, [](const ffebm_trace_point &) { return false; }));
}

void checkpoints(const std::string &path)
{
    problem p = hopfield_problem();
    ffebm::optimizer optimizer(p.model);

    p.engine.gradient(p.input, p.target);
    optimizer.step(p.engine);
    ffebm::save(p.model, path, &optimizer, "a note");
    ffebm::model loaded = ffebm::model::load(p.context, path);
    ffebm::optimizer again(loaded);
    ffebm::restore(loaded, path, &again);
    EXPECT(std::memcmp(ffebm_tensor_data(loaded.flat_parameters()), ffebm_tensor_data(p.model.flat_parameters()),
                       24 * sizeof(double)) == 0);
    EXPECT(ffebm::metadata(p.context, path, "note") == "a note");
    EXPECT(ffebm::tensor::read(p.context, path, "stage1.0.bias").elements<double>().size() == 3);
    std::remove(path.c_str());
    EXPECT_REFUSAL(FFEBM_ERR_IO, path.c_str(), ffebm::model::load(p.context, path));
}

void blocks()
{
    const ffebm::shape one{1};
    ffebm::context context;
    spring *self;
    problem p(context, make_spring(context, &self));
    ffebm::model model(context, units, FFEBM_LOSS_MSE, FFEBM_FLOAT64);
    auto config = ffebm::defaults(ffebm_certify_config_init);

    model.add(make_spring(context));
    model.add(ffebm::user_feedforward(context, std::make_unique<scaling>(), facts_of<ffebm_user_feedforward>("scaling"),
                                      {ffebm::parameter("w", one)}));
    model.initialize(1);
    ffebm::engine engine(model);
    config.directions = 2;
    EXPECT(engine.certify(p.input, p.target, config).passed == 1);

    self->answer = FFEBM_RETRY;
    p.engine.gradient(p.input, p.target);
    EXPECT(p.engine.phase(FFEBM_PHASE_FREE, 1).retries == 2);
    self->answer = -3;
    EXPECT_REFUSAL(FFEBM_ERR_USER, "-3", p.engine.gradient(p.input, p.target));
}

void exceptions()
{
    ffebm::context context;
    spring *self;
    problem p(context, make_spring(context, &self));
    ffebm::optimizer optimizer(p.model, ffebm::defaults(ffebm_adam_config_init));
    double loss = p.engine.gradient(p.input, p.target).loss;

    for (const char *slot : {"settle", "parameter_gradient", "initialize"}) {
        self->before = [&](const char *entered) {
            if (std::strcmp(slot, entered) == 0)
                throw std::domain_error(slot);
        };
        try {
            if (std::strcmp(slot, "initialize") == 0)
                p.model.initialize(2);
            else
                p.engine.gradient(p.input, p.target);
            EXPECT(false);
        } catch (const std::domain_error &thrown) {
            EXPECT(std::strcmp(thrown.what(), slot) == 0);
        }
    }
    EXPECT_REFUSAL(FFEBM_ERR_STATE, "gradient", optimizer.step(p.engine));
    self->before = [](const char *) {};
    EXPECT(p.engine.gradient(p.input, p.target).loss == loss);
    EXPECT_REFUSAL(FFEBM_ERR_DTYPE, "input", p.engine.forward(nullptr, p.target));
}

// A block goes once, with its model, or at once where it is refused.
void lives()
{
    EXPECT(spring::alive == 0);
    {
        ffebm::context context;
        problem p(context, make_spring(context));
        ffebm::energy left = make_spring(context);

        EXPECT(spring::alive == 2);
        EXPECT_REFUSAL(FFEBM_ERR_ARGUMENT, "name", make_spring(context, nullptr, "no name!"));
        EXPECT(spring::alive == 2);
    }
    EXPECT(spring::alive == 0);
}

void threads()
{
    std::vector<std::thread> running;
    double losses[4] = {0};

    for (double &loss : losses)
        running.emplace_back([&loss] {
            ffebm::context context;
            problem p(context, make_spring(context));
            ffebm::optimizer optimizer(p.model, ffebm::defaults(ffebm_adam_config_init));

            for (int i = 0; i < 50; i++) {
                loss = p.engine.gradient(p.input, p.target).loss;
                optimizer.step(p.engine);
            }
        });
    for (std::thread &thread : running)
        thread.join();
    EXPECT(losses[0] > 0 && losses[1] == losses[0] && losses[2] == losses[0] && losses[3] == losses[0]);
}

} // namespace

int main(int, char **argv)
{
    tensors();
    models();
    engines();
    graphs();
    taps();
    analysis();
    checkpoints(std::string(argv[0]) + ".safetensors");
    blocks();
    exceptions();
    lives();
    threads();
    EXPECT(spring::alive == 0);
    std::printf("%d checks\n", checks);
}
