// tensor.hpp - arrays that go in and out, over memory of yours or of the library.
#ifndef FFEBM_TENSOR_HPP
#define FFEBM_TENSOR_HPP

#include <cstdint>
#include <string>
#include <type_traits>

#include "core.hpp"

namespace ffebm {

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

class tensor : public object<ffebm_tensor, ffebm_tensor_destroy> {
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
    void copy_from(const ffebm_tensor *from) { check(ffebm_tensor_copy(get(), from)); }

    template <class T> span<T> elements() const { return ffebm::elements<T>(get()); }
    operator ffebm_tensor *() const noexcept { return get(); }

private:
    explicit tensor(const ffebm::context &context) : object(context) {}
};

} // namespace ffebm

#endif
