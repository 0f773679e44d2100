// core.hpp - errors, the structs of C, the context, and what all handles have in common.
#ifndef FFEBM_CORE_HPP
#define FFEBM_CORE_HPP

#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <ffebm.h>

namespace ffebm {

// What the library has refused; what() is its text, and begins with the status's name.
class error : public std::runtime_error {
public:
    error(ffebm_status status, const std::string &text) : std::runtime_error(text), status_(status) {}
    ffebm_status status() const noexcept { return status_; }

private:
    ffebm_status status_;
};

// Elements that somebody else owns.
template <class T> struct span {
    T *elements;
    std::size_t count;

    T *begin() const noexcept { return elements; }
    T *end() const noexcept { return elements + count; }
    T *data() const noexcept { return elements; }
    std::size_t size() const noexcept { return count; }
    T &operator[](std::size_t i) const noexcept { return elements[i]; }
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

inline ffebm_activation activation(std::int32_t type, double slope)
{
    ffebm_activation config = defaults(ffebm_activation_init, type);

    config.slope = slope;
    return config;
}

inline ffebm_coupling_config coupling(std::int32_t type, std::int64_t out)
{
    ffebm_coupling_config config = defaults(ffebm_coupling_config_init, type);

    config.out = out;
    return config;
}

// An op or coupling with a square window: window(op(FFEBM_OP_CONV2D, 32), 3, 2, 1).
template <class Config>
Config window(Config config, std::int64_t kernel, std::int64_t stride = 1, std::int64_t padding = 0)
{
    for (int side = 0; side < 2; side++) {
        config.kernel[side] = kernel;
        config.stride[side] = stride;
        config.padding[side] = padding;
    }
    return config;
}

// A coupling between two layers that there are, without a bias: `to` has one.
inline ffebm_coupling_config skip(ffebm_coupling_config config, std::size_t from, std::size_t to)
{
    config.from = from;
    config.to = to;
    config.bias = 0;
    return config;
}

// ---------------------------------------------------------------------------------------------------------- handles

namespace detail {

// The exception of a callback, on its way through C. Slots may run on several threads; the first one counts.
class carrier {
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
    void operator()(T *handle) const noexcept { Destroy(handle); }
};

} // namespace detail

// Allocator, threads and error text; used by one thread at a time. Copies are the same context.
class context {
public:
    explicit context(const ffebm_context_config &config) : carrier_(std::make_shared<detail::carrier>())
    {
        ffebm_context *created;
        ffebm_status status = ffebm_context_create(&created, &config);

        if (status != FFEBM_OK)
            throw error(status, ffebm_status_text(status));
        handle_.reset(created, ffebm_context_destroy);
    }
    context() : context(defaults(ffebm_context_config_init)) {}

    ffebm_context *get() const noexcept { return handle_.get(); }
    const std::shared_ptr<detail::carrier> &carrier() const noexcept { return carrier_; }

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
template <class T, void (*Destroy)(T *)> class object {
public:
    T *get() const noexcept { return handle_.get(); }
    const ffebm::context &context() const noexcept { return context_; }

protected:
    explicit object(ffebm::context context) : context_(std::move(context)) {}

    void check(ffebm_status status) const { context_.check(status); }

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

} // namespace ffebm

#endif
