/* ffebm/tensor.h - arrays that go in and out: an element type, a shape, and memory of yours or of the library. */
#ifndef FFEBM_TENSOR_H
#define FFEBM_TENSOR_H

#include "core.h"

#ifdef __cplusplus
extern "C" {
#endif

/** A dense row-major array of 1 to FFEBM_MAX_RANK dimensions, each at least 1. */
typedef struct ffebm_tensor ffebm_tensor;

#define FFEBM_MAX_RANK 8

enum {
    FFEBM_FLOAT32 = 1,
    FFEBM_FLOAT64 = 2,
    FFEBM_INT64 = 3 /* labels */
};

/** Create a tensor with memory of its own, set to zero.
 *
 *  Returns: FFEBM_OK:        *tensor is owned.
 *           FFEBM_ERR_SHAPE: a dimension below 1, a rank of 0 or above FFEBM_MAX_RANK, or a size that overflows.
 *           FFEBM_ERR_NOMEM: allocates.
 *  Out:     tensor: NULL on failure.
 *  In:      dtype:  FFEBM_FLOAT32, FFEBM_FLOAT64 or FFEBM_INT64.
 *           shape, rank: dimensions, outermost first; copied.
 */
FFEBM_API ffebm_status ffebm_tensor_create(ffebm_context *context, ffebm_tensor **tensor, int32_t dtype,
                                           const int64_t *shape, size_t rank);

/** Create a tensor over memory of yours, without copying.
 *
 *  Returns: FFEBM_OK:           *tensor is owned, its memory borrowed until it is destroyed or rewrapped.
 *           FFEBM_ERR_ARGUMENT: data is NULL or not aligned to its element type.
 *           FFEBM_ERR_SHAPE:    as ffebm_tensor_create.
 *           FFEBM_ERR_NOMEM:    allocates (a handle, no data).
 *  Out:     tensor: NULL on failure.
 *  In:      data:   at least as many elements as the shape says. Written only where the tensor is an output: wrapping
 *                   constant memory, with a cast, is fine for inputs.
 *           dtype, shape, rank: as ffebm_tensor_create.
 */
FFEBM_API ffebm_status ffebm_tensor_wrap(ffebm_context *context, ffebm_tensor **tensor, void *data, int32_t dtype,
                                         const int64_t *shape, size_t rank);

/** Point a wrapping tensor at other memory, with another number of rows: the next batch, or a last short one.
 *
 *  Returns: FFEBM_OK:           the tensor is [rows, as before...] at data.
 *           FFEBM_ERR_STATE:    the tensor was made by neither ffebm_tensor_wrap nor ffebm_tensor_rows.
 *           FFEBM_ERR_SHAPE:    rows below 1, or a size that overflows.
 *           FFEBM_ERR_ARGUMENT: data is NULL or not aligned.
 *  In/Out:  tensor: unchanged on failure.
 *  In:      data, rows: new memory and first dimension.
 *
 *  Allocates nothing.
 */
FFEBM_API ffebm_status ffebm_tensor_rewrap(ffebm_tensor *tensor, void *data, int64_t rows);

/** Create a tensor over some rows of another, without copying: a batch of a data set, a part of a tensor of the library's.
 *
 *  Returns: FFEBM_OK:           *rows is owned, and [count, as tensor...]; its memory is that of tensor, borrowed until
 *                               tensor is destroyed or rewrapped.
 *           FFEBM_ERR_ARGUMENT: there are no such rows.
 *           FFEBM_ERR_NOMEM:    allocates (a handle, no data).
 *  In/Out:  tensor: what is written into *rows is written here.
 *  Out:     rows:   NULL on failure. ffebm_tensor_rewrap moves it on as if ffebm_tensor_wrap had made it.
 *  In:      first, count: the row that it begins with, from 0, and how many, 1 or more.
 */
FFEBM_API ffebm_status ffebm_tensor_rows(ffebm_tensor *tensor, ffebm_tensor **rows, int64_t first, int64_t count);

/** Destroy a tensor; memory that it wraps is left alone.
 *
 *  In: tensor: owned, or NULL. On a borrowed tensor this does nothing.
 */
FFEBM_API void ffebm_tensor_destroy(ffebm_tensor *tensor);

/** Copy values, converting between float32 and float64 where the types differ.
 *
 *  Returns: FFEBM_OK:        to holds from's values.
 *           FFEBM_ERR_SHAPE: the shapes differ.
 *           FFEBM_ERR_DTYPE: exactly one of the two is int64.
 *  Out:     to:   overwritten; may be the same memory as from only if it is the same tensor.
 *  In:      from: may belong to another context, which is then in use too.
 *
 *  Allocates nothing. A float64 value beyond float32 becomes infinite.
 */
FFEBM_API ffebm_status ffebm_tensor_copy(ffebm_tensor *to, const ffebm_tensor *from);

/** Get the elements.
 *
 *  Returns: the first element, to be cast to the element type; borrowed until the tensor is destroyed or rewrapped.
 */
FFEBM_API void *ffebm_tensor_data(ffebm_tensor *tensor);

/** Get the elements of a tensor that may not be written.
 *
 *  Returns: as ffebm_tensor_data, read only.
 */
FFEBM_API const void *ffebm_tensor_const_data(const ffebm_tensor *tensor);

/** Get the element type.
 *
 *  Returns: FFEBM_FLOAT32, FFEBM_FLOAT64 or FFEBM_INT64.
 */
FFEBM_API int32_t ffebm_tensor_dtype(const ffebm_tensor *tensor);

/** Get the shape.
 *
 *  Returns: the dimensions, outermost first; borrowed until the tensor is destroyed or rewrapped.
 *  Out:     rank: how many; NULL if not wanted.
 */
FFEBM_API const int64_t *ffebm_tensor_shape(const ffebm_tensor *tensor, size_t *rank);

/** Count the elements.
 *
 *  Returns: the product of the dimensions.
 */
FFEBM_API size_t ffebm_tensor_count(const ffebm_tensor *tensor);

#ifdef __cplusplus
}
#endif
#endif
