// ffebm.hpp - libffebm for C++17: handles that destroy themselves, failures that throw, blocks of your own as classes.
//
// The C headers are the manual: what a function takes, gives and refuses stands there, under the same name. Here
//   - classes own their handle, and are moved, not copied. Borrowed tensors are plain ffebm_tensor *, as in C.
//   - a status that is no FFEBM_OK is thrown as ffebm::error, with the library's text.
//   - an exception that a callback of yours throws comes out of the call that came to it.
//   - configurations are the structs of C: auto config = ffebm::defaults(ffebm_adam_config_init);
//   - what has no member here is called as in C, on get(), with context.check() around it.
#ifndef FFEBM_HPP
#define FFEBM_HPP

#include <ffebm.h>

#include <cstdint>
#include <exception>
#include <initializer_list>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace ffebm
{

// What the library has refused; what() is its text, and begins with the status's name.
class error : public std::runtime_error
{
  public:
    error(ffebm_status status, const std::string &text) : std::runtime_error(text), status_(status)
    {
    }
    ffebm_status status() const noexcept
    {
        return status_;
    }

  private:
    ffebm_status status_;
};

// Elements that somebody else owns.
template <class T> struct span {
    T *elements;
    std::size_t count;

    T *begin() const noexcept
    {
        return elements;
    }
    T *end() const noexcept
    {
        return elements + count;
    }
    T *data() const noexcept
    {
        return elements;
    }
    std::size_t size() const noexcept
    {
        return count;
    }
    T &operator[](std::size_t i) const noexcept
    {
        return elements[i];
    }
};

using shape = std::vector<std::int64_t>;

// ----------------------------------------------------------------------------------------------------- structs of C

// A configuration with its defaults; more: the type, of an op or a coupling.
template <class Config, class... More> Config defaults(void (*init)(Config *, std::size_t, More...), More... more)
{
    Config config;

    init(&config, sizeof config, more...);
    return config;
}

// A struct that the library fills, or one without an init function.
template <class Struct> Struct sized()
{
    Struct zeros{};

    zeros.size = sizeof zeros;
    return zeros;
}

inline ffebm_op_config op(std::int32_t type, std::int64_t out = 0)
{
    ffebm_op_config config = defaults(ffebm_op_config_init, type);

    config.out = out;
    return config;
}

inline ffebm_coupling_config coupling(std::int32_t type, std::int64_t out)
{
    ffebm_coupling_config config = defaults(ffebm_coupling_config_init, type);

    config.out = out;
    return config;
}

// ---------------------------------------------------------------------------------------------------------- handles

namespace detail
{

// The exception of a callback, on its way through C. Slots may run on several threads; the first one counts.
class carrier
{
  public:
    void carry(std::exception_ptr thrown) noexcept
    {
        std::lock_guard<std::mutex> lock(mutex_);

        if (!first_)
            first_ = std::move(thrown);
    }
    std::exception_ptr take() noexcept
    {
        std::lock_guard<std::mutex> lock(mutex_);

        return std::exchange(first_, nullptr);
    }

  private:
    std::mutex mutex_;
    std::exception_ptr first_;
};

template <class T, void (*Destroy)(T *)> struct deleter {
    void operator()(T *handle) const noexcept
    {
        Destroy(handle);
    }
};

} // namespace detail

// Allocator, threads and error text; used by one thread at a time. Copies are the same context.
class context
{
  public:
    explicit context(const ffebm_context_config &config) : carrier_(std::make_shared<detail::carrier>())
    {
        ffebm_context *created;
        ffebm_status status = ffebm_context_create(&created, &config);

        if (status != FFEBM_OK)
            throw error(status, ffebm_status_text(status));
        handle_.reset(created, ffebm_context_destroy);
    }
    context() : context(defaults(ffebm_context_config_init))
    {
    }

    ffebm_context *get() const noexcept
    {
        return handle_.get();
    }
    const std::shared_ptr<detail::carrier> &carrier() const noexcept
    {
        return carrier_;
    }

    // Throw what a call has failed for: the exception of a callback, or else the library's error.
    void check(ffebm_status status) const
    {
        if (status == FFEBM_OK)
            return;
        if (std::exception_ptr thrown = carrier_->take())
            std::rethrow_exception(thrown);
        throw error(status, ffebm_context_error(get()));
    }

  private:
    std::shared_ptr<ffebm_context> handle_;
    std::shared_ptr<detail::carrier> carrier_;
};

// A handle and the context that its errors are in.
template <class T, void (*Destroy)(T *)> class object
{
  public:
    T *get() const noexcept
    {
        return handle_.get();
    }
    const ffebm::context &context() const noexcept
    {
        return context_;
    }

  protected:
    explicit object(ffebm::context context) : context_(std::move(context))
    {
    }

    void check(ffebm_status status) const
    {
        context_.check(status);
    }

    // create(context, &handle, arguments...), and for what belongs to a model create(&handle, arguments...).
    template <class Create, class... Arguments> void make(Create create, Arguments... arguments)
    {
        T *created;

        check(create(context_.get(), &created, arguments...));
        handle_.reset(created);
    }
    template <class Create, class... Arguments> void make_for(Create create, Arguments... arguments)
    {
        T *created;

        check(create(&created, arguments...));
        handle_.reset(created);
    }

    ffebm::context context_;
    std::unique_ptr<T, detail::deleter<T, Destroy>> handle_;
};

// ---------------------------------------------------------------------------------------------------------- tensors

template <class T> constexpr std::int32_t dtype_of()
{
    using element = std::remove_const_t<T>;
    static_assert(std::is_same_v<element, float> || std::is_same_v<element, double> ||
                      std::is_same_v<element, std::int64_t>,
                  "elements are float, double or std::int64_t");

    return std::is_same_v<element, float>    ? FFEBM_FLOAT32
           : std::is_same_v<element, double> ? FFEBM_FLOAT64
                                             : FFEBM_INT64;
}

// The elements of a tensor, borrowed or yours.
template <class T> span<T> elements(ffebm_tensor *tensor)
{
    if (ffebm_tensor_dtype(tensor) != dtype_of<T>())
        throw error(FFEBM_ERR_DTYPE, "FFEBM_ERR_DTYPE: a tensor's elements are of another type, or there is no tensor");
    return {static_cast<T *>(ffebm_tensor_data(tensor)), ffebm_tensor_count(tensor)};
}

class tensor : public object<ffebm_tensor, ffebm_tensor_destroy>
{
  public:
    // With memory of its own, set to zero.
    tensor(const ffebm::context &context, std::int32_t dtype, const shape &dims) : object(context)
    {
        make(ffebm_tensor_create, dtype, dims.data(), dims.size());
    }
    // Over memory of yours, which must live as long; const memory serves for inputs.
    template <class T> static tensor wrap(const ffebm::context &context, T *data, const shape &dims)
    {
        tensor made(context);

        made.make(ffebm_tensor_wrap, const_cast<std::remove_const_t<T> *>(data), dtype_of<T>(), dims.data(),
                  dims.size());
        return made;
    }
    // A tensor of a safetensors file.
    static tensor read(const ffebm::context &context, const std::string &path, const std::string &name)
    {
        tensor made(context);

        made.make(ffebm_checkpoint_tensor, path.c_str(), name.c_str());
        return made;
    }

    template <class T> void rewrap(T *data, std::int64_t rows)
    {
        if (dtype_of<T>() != ffebm_tensor_dtype(get()))
            throw error(FFEBM_ERR_DTYPE, "FFEBM_ERR_DTYPE: tensor: rewrapped with elements of another type");
        check(ffebm_tensor_rewrap(get(), const_cast<std::remove_const_t<T> *>(data), rows));
    }
    // Some rows, over the same memory, which is this tensor's.
    tensor rows(std::int64_t first, std::int64_t count) const
    {
        tensor made(context_);
        ffebm_tensor *created;

        check(ffebm_tensor_rows(get(), &created, first, count));
        made.handle_.reset(created);
        return made;
    }
    void copy_from(const ffebm_tensor *from)
    {
        check(ffebm_tensor_copy(get(), from));
    }

    template <class T> span<T> elements() const
    {
        return ffebm::elements<T>(get());
    }
    operator ffebm_tensor *() const noexcept
    {
        return get();
    }

  private:
    explicit tensor(const ffebm::context &context) : object(context)
    {
    }
};

// ----------------------------------------------------------------------------------------------------------- blocks

class feedforward : public object<ffebm_feedforward, ffebm_feedforward_destroy>
{
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

    void add(const ffebm_op_config &config)
    {
        check(ffebm_feedforward_add_op(get(), &config));
    }
    void add(const ffebm_user_parameter &parameter)
    {
        check(ffebm_feedforward_add_parameter(get(), &parameter));
    }

    static constexpr auto add_to_model = ffebm_model_add_feedforward;

  private:
    friend class model;
};

class energy : public object<ffebm_energy, ffebm_energy_destroy>
{
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
    energy(const ffebm::context &context, const ffebm_user_energy &table) : object(context)
    {
        make(ffebm_energy_create_user, &table);
    }

    void add(const ffebm_coupling_config &config)
    {
        check(ffebm_energy_add_coupling(get(), &config));
    }
    void add(const ffebm_user_parameter &parameter)
    {
        check(ffebm_energy_add_parameter(get(), &parameter));
    }

    static constexpr auto add_to_model = ffebm_model_add_energy;

  private:
    friend class model;
};

// ----------------------------------------------------------------------------------------------- blocks of your own
//
// A class with the slots that it has as members: void settle(ffebm_energy_call &), or int32_t where it may answer
// FFEBM_RETRY. What they throw is carried out of the call. The class's objects go with the block.

// Borrows dims until the block is made.
ffebm_user_parameter parameter(const char *name, shape &&dims) = delete;
inline ffebm_user_parameter parameter(const char *name, const shape &dims)
{
    ffebm_user_parameter made = defaults(ffebm_user_parameter_init);

    made.name = name;
    made.shape = dims.data();
    made.rank = dims.size();
    return made;
}

namespace detail
{

template <class Block> struct bound {
    std::unique_ptr<Block> block;
    std::shared_ptr<detail::carrier> carrier;

    static void destroy(void *self) noexcept
    {
        delete static_cast<bound *>(self);
    }

    template <auto Slot, class Call> static std::int32_t slot(void *self, Call *call) noexcept
    {
        bound &b = *static_cast<bound *>(self);

        try {
            if constexpr (std::is_void_v<decltype(((*b.block).*Slot)(*call))>) {
                ((*b.block).*Slot)(*call);
                return 0;
            } else {
                return ((*b.block).*Slot)(*call);
            }
        } catch (...) {
            b.carrier->carry(std::current_exception());
            return -1;
        }
    }
};

// Does Block have a member of this name?
#define FFEBM_DETECT(name)                                                                                             \
    template <class Block, class = void> struct has_##name : std::false_type {                                         \
    };                                                                                                                 \
    template <class Block> struct has_##name<Block, std::void_t<decltype(&Block::name)>> : std::true_type {            \
    };
FFEBM_DETECT(settle)
FFEBM_DETECT(output)
FFEBM_DETECT(parameter_gradient)
FFEBM_DETECT(input_gradient)
FFEBM_DETECT(energy)
FFEBM_DETECT(adjoint)
FFEBM_DETECT(initialize)
FFEBM_DETECT(forward)
FFEBM_DETECT(vjp)
#undef FFEBM_DETECT

// Make the block, which takes `self` on success.
template <class Made, class Block, class Table>
Made make_user(const context &context, Table &table, std::unique_ptr<bound<Block>> self,
               std::initializer_list<ffebm_user_parameter> parameters)
{
    table.self = self.get();
    table.destroy = bound<Block>::destroy;
    Made made(context, table);
    self.release();
    for (const ffebm_user_parameter &each : parameters)
        made.add(each);
    return made;
}

} // namespace detail

// Fill a slot of the table if the class has it.
#define FFEBM_SLOT(name, call)                                                                                         \
    if constexpr (detail::has_##name<Block>::value)                                                                    \
    table.name = &detail::bound<Block>::template slot<&Block::name, call>

// An energy block of your own. facts: ffebm::sized<ffebm_user_energy>() with name, shapes, state_count and what else is
// not a slot.
template <class Block>
energy user_energy(const context &context, std::unique_ptr<Block> block, const ffebm_user_energy &facts,
                   std::initializer_list<ffebm_user_parameter> parameters = {})
{
    ffebm_user_energy table = facts;

    FFEBM_SLOT(settle, ffebm_energy_call);
    FFEBM_SLOT(output, ffebm_energy_call);
    FFEBM_SLOT(parameter_gradient, ffebm_energy_call);
    FFEBM_SLOT(input_gradient, ffebm_energy_call);
    FFEBM_SLOT(energy, ffebm_energy_call);
    FFEBM_SLOT(adjoint, ffebm_energy_call);
    FFEBM_SLOT(initialize, ffebm_energy_call);
    auto self = std::make_unique<detail::bound<Block>>();
    self->block = std::move(block);
    self->carrier = context.carrier();
    return detail::make_user<energy, Block>(context, table, std::move(self), parameters);
}

// A feedforward block of your own, likewise.
template <class Block>
feedforward user_feedforward(const context &context, std::unique_ptr<Block> block, const ffebm_user_feedforward &facts,
                             std::initializer_list<ffebm_user_parameter> parameters = {})
{
    ffebm_user_feedforward table = facts;

    FFEBM_SLOT(forward, ffebm_feedforward_call);
    FFEBM_SLOT(vjp, ffebm_feedforward_call);
    FFEBM_SLOT(initialize, ffebm_feedforward_call);
    auto self = std::make_unique<detail::bound<Block>>();
    self->block = std::move(block);
    self->carrier = context.carrier();
    return detail::make_user<feedforward, Block>(context, table, std::move(self), parameters);
}
#undef FFEBM_SLOT

// ------------------------------------------------------------------------------------------------------------ model

class model : public object<ffebm_model, ffebm_model_destroy>
{
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
        auto *taken = block.handle_.release();
        ffebm_status status = Block::add_to_model(get(), &taken);

        block.handle_.reset(taken);
        check(status);
        return *this;
    }
    void set_initialization(const ffebm_initialization &initialization)
    {
        check(ffebm_model_set_initialization(get(), &initialization));
    }
    void set_bounds(const std::string &prefix, double lower, double upper)
    {
        check(ffebm_model_set_bounds(get(), prefix.c_str(), lower, upper));
    }
    void initialize(std::uint64_t seed)
    {
        check(ffebm_model_initialize(get(), seed));
    }

    ffebm_model_info info() const
    {
        return inspect<ffebm_model_info>(ffebm_model_inspect);
    }
    ffebm_recipe recipe() const
    {
        return inspect<ffebm_recipe>(ffebm_model_recipe);
    }
    ffebm_stage_info stage(std::size_t i) const
    {
        return inspect<ffebm_stage_info>(ffebm_model_inspect_stage, i);
    }
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

        check(ffebm_recipe_equilibrium(get(), &config, nullptr));
        return config;
    }
    ffebm_tensor *flat_parameters() const noexcept
    {
        return ffebm_model_flat_parameters(get());
    }

  private:
    explicit model(const ffebm::context &context) : object(context)
    {
    }

    template <class Struct, class Function, class... Where> Struct inspect(Function function, Where... where) const
    {
        auto found = sized<Struct>();

        check(function(get(), &found, where...));
        return found;
    }
};

// ----------------------------------------------------------------------------------------------------------- engine

class engine : public object<ffebm_engine, ffebm_engine_destroy>
{
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
    void set_beta(double beta, std::size_t stage = FFEBM_ALL)
    {
        check(ffebm_engine_set_beta(get(), stage, beta));
    }
    void set_sweeps(std::int64_t free, std::int64_t nudged, std::size_t stage = FFEBM_ALL)
    {
        check(ffebm_engine_set_sweeps(get(), stage, free, nudged));
    }
    void set_step(std::uint64_t step)
    {
        check(ffebm_engine_set_step(get(), step));
    }
    void set_mode(std::int32_t mode)
    {
        check(ffebm_engine_set_mode(get(), mode));
    }
    void set_label_smoothing(double smoothing)
    {
        check(ffebm_engine_set_label_smoothing(get(), smoothing));
    }

    ffebm_report gradient(const ffebm_tensor *input, const ffebm_tensor *target, const ffebm_tensor *weights = nullptr)
    {
        return batch(ffebm_engine_gradient, input, target, weights);
    }
    ffebm_report evaluate(const ffebm_tensor *input, const ffebm_tensor *target, const ffebm_tensor *weights = nullptr)
    {
        return batch(ffebm_engine_evaluate, input, target, weights);
    }
    ffebm_tensor *flat_gradient() const noexcept
    {
        return ffebm_engine_flat_gradient(get());
    }

    void forward(ffebm_tensor *output, const ffebm_tensor *input)
    {
        check(ffebm_engine_forward(get(), output, input));
    }
    void vjp(ffebm_tensor *input_cotangent, const ffebm_tensor *output_cotangent, double scale = 0)
    {
        check(ffebm_engine_vjp(get(), input_cotangent, output_cotangent, scale));
    }

    void settle(std::size_t stage, const ffebm_tensor *input, const ffebm_tensor *force = nullptr)
    {
        check(ffebm_engine_settle(get(), stage, input, force));
    }
    void energy(ffebm_tensor *energies, std::size_t stage, std::int32_t phase, const ffebm_tensor *input)
    {
        check(ffebm_engine_energy(get(), energies, stage, phase, input));
    }
    void energy_gradient(std::size_t stage, std::int32_t phase)
    {
        check(ffebm_engine_energy_gradient(get(), stage, phase));
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

  private:
    template <class Function>
    ffebm_report batch(Function function, const ffebm_tensor *input, const ffebm_tensor *target,
                       const ffebm_tensor *weights)
    {
        auto report = sized<ffebm_report>();

        check(function(get(), &report, input, target, weights));
        return report;
    }
};

// ------------------------------------------------------------------------------------------ optimizer, checkpoints

class optimizer : public object<ffebm_optimizer, ffebm_optimizer_destroy>
{
  public:
    // The one that the model's recipe asks for.
    explicit optimizer(const model &model) : object(model.context())
    {
        make_for(ffebm_recipe_optimizer, model.get(), nullptr);
    }
    optimizer(const model &model, const ffebm_sgd_config &config) : object(model.context())
    {
        make_for(ffebm_sgd_create, model.get(), &config);
    }
    optimizer(const model &model, const ffebm_adam_config &config) : object(model.context())
    {
        make_for(ffebm_adam_create, model.get(), &config);
    }

    void step(const engine &engine)
    {
        check(ffebm_optimizer_step(get(), engine.get()));
    }
    void set_learning_rate(double rate)
    {
        check(ffebm_optimizer_set_learning_rate(get(), rate));
    }
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
