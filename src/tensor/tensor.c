#include "tensor/tensor.h"

#include <inttypes.h>
#include <string.h>

#include "core/context.h"

size_t ffebmi_dtype_size(int32_t dtype)
{
    switch (dtype) {
    case FFEBM_FLOAT32:
        return sizeof(float);
    case FFEBM_FLOAT64:
        return sizeof(double);
    case FFEBM_INT64:
        return sizeof(int64_t);
    default:
        return 0;
    }
}

const char *ffebmi_dtype_name(int32_t dtype)
{
    return dtype == FFEBM_FLOAT32   ? "float32"
           : dtype == FFEBM_FLOAT64 ? "float64"
           : dtype == FFEBM_INT64   ? "int64"
                                    : "no dtype";
}

/* `dtype` is one of the list. */
static ffebm_status check_data(ffebm_context *context, const void *data, int32_t dtype)
{
    const size_t element = ffebmi_dtype_size(dtype);

    FFEBMI_CHECK_ARGUMENT(context, data != NULL, "tensor: data is NULL");
    /* NOLINTNEXTLINE(clang-analyzer-core.DivideZero) */
    FFEBMI_CHECK_ARGUMENT(context, (uintptr_t)data % element == 0, "tensor: data is not aligned to its %s elements",
                          ffebmi_dtype_name(dtype));
    return FFEBM_OK;
}

static ffebm_status new_tensor(ffebm_context *context, ffebm_tensor **tensor, int32_t dtype, const ffebmi_shape *shape)
{
    ffebm_tensor *created = ffebmi_allocate(context, 1, sizeof *created);

    if (created == NULL)
        return ffebmi_fail_memory(context, "a tensor");
    created->context = context;
    created->shape = *shape;
    created->dtype = dtype;
    ffebmi_context_keep(context);
    *tensor = created;
    return FFEBM_OK;
}

static ffebm_status check_kind(ffebm_context *context, ffebmi_shape *checked, int32_t dtype, const int64_t *shape,
                               size_t rank)
{
    FFEBMI_CHECK_ARGUMENT(context, ffebmi_dtype_size(dtype) != 0,
                          "tensor: dtype %" PRId32 " is none of FFEBM_FLOAT32, FFEBM_FLOAT64, FFEBM_INT64", dtype);
    return ffebmi_shape_set(context, checked, shape, rank, "tensor");
}

ffebm_status ffebm_tensor_create(ffebm_context *context, ffebm_tensor **tensor, int32_t dtype, const int64_t *shape,
                                 size_t rank)
{
    ffebmi_shape checked;

    if (tensor != NULL)
        *tensor = NULL;
    if (context == NULL)
        return FFEBM_ERR_ARGUMENT;
    FFEBMI_CHECK_ARGUMENT(context, tensor != NULL, "ffebm_tensor_create: tensor is NULL");
    FFEBMI_TRY(check_kind(context, &checked, dtype, shape, rank));
    FFEBMI_TRY(new_tensor(context, tensor, dtype, &checked));
    (*tensor)->data = ffebmi_allocate(context, checked.count, ffebmi_dtype_size(dtype));
    if ((*tensor)->data == NULL) {
        ffebm_tensor_destroy(*tensor);
        *tensor = NULL;
        return ffebmi_fail_memory(context, "a tensor's elements");
    }
    return FFEBM_OK;
}

ffebm_status ffebm_tensor_wrap(ffebm_context *context, ffebm_tensor **tensor, void *data, int32_t dtype,
                               const int64_t *shape, size_t rank)
{
    ffebmi_shape checked;

    if (tensor != NULL)
        *tensor = NULL;
    if (context == NULL)
        return FFEBM_ERR_ARGUMENT;
    FFEBMI_CHECK_ARGUMENT(context, tensor != NULL, "ffebm_tensor_wrap: tensor is NULL");
    FFEBMI_TRY(check_kind(context, &checked, dtype, shape, rank));
    FFEBMI_TRY(check_data(context, data, dtype));
    FFEBMI_TRY(new_tensor(context, tensor, dtype, &checked));
    (*tensor)->data = data;
    (*tensor)->memory = FFEBMI_TENSOR_WRAPPED;
    return FFEBM_OK;
}

ffebm_status ffebm_tensor_rewrap(ffebm_tensor *tensor, void *data, int64_t rows)
{
    ffebmi_shape shape;

    if (tensor == NULL)
        return FFEBM_ERR_ARGUMENT;
    FFEBMI_CHECK(tensor->context, tensor->memory == FFEBMI_TENSOR_WRAPPED, FFEBM_ERR_STATE,
                 "tensor: only one made by ffebm_tensor_wrap or ffebm_tensor_rows can be rewrapped");
    FFEBMI_TRY(check_data(tensor->context, data, tensor->dtype));
    shape = tensor->shape;
    shape.dims[0] = rows;
    FFEBMI_TRY(ffebmi_shape_set(tensor->context, &shape, shape.dims, shape.rank, "tensor"));
    tensor->shape = shape;
    tensor->data = data;
    return FFEBM_OK;
}

ffebm_status ffebm_tensor_rows(ffebm_tensor *tensor, ffebm_tensor **rows, int64_t first, int64_t count)
{
    ffebmi_shape shape;
    int64_t there;

    if (rows != NULL)
        *rows = NULL;
    if (tensor == NULL)
        return FFEBM_ERR_ARGUMENT;
    FFEBMI_CHECK_ARGUMENT(tensor->context, rows != NULL, "ffebm_tensor_rows: rows is NULL");
    shape = tensor->shape;
    there = shape.dims[0];
    FFEBMI_CHECK_ARGUMENT(tensor->context, first >= 0 && first < there && count >= 1 && count <= there - first,
                          "ffebm_tensor_rows: %" PRId64 " from row %" PRId64 " on, of a tensor of %" PRId64, count,
                          first, there);
    shape.dims[0] = count;
    FFEBMI_TRY(ffebmi_shape_set(tensor->context, &shape, shape.dims, shape.rank, "tensor"));
    FFEBMI_TRY(new_tensor(tensor->context, rows, tensor->dtype, &shape));
    (*rows)->data =
        (char *)tensor->data + (size_t)first * (shape.count / (size_t)count) * ffebmi_dtype_size(tensor->dtype);
    (*rows)->memory = FFEBMI_TENSOR_WRAPPED;
    return FFEBM_OK;
}

void ffebm_tensor_destroy(ffebm_tensor *tensor)
{
    ffebm_context *context;

    if (tensor == NULL || tensor->memory == FFEBMI_TENSOR_BORROWED)
        return;
    context = tensor->context;
    if (tensor->memory == FFEBMI_TENSOR_OWNED)
        ffebmi_release(context, tensor->data);
    ffebmi_release(context, tensor);
    ffebmi_context_drop(context);
}

ffebm_status ffebm_tensor_copy(ffebm_tensor *to, const ffebm_tensor *from)
{
    char text[2][FFEBMI_SHAPE_TEXT];
    size_t count;

    if (to == NULL || from == NULL)
        return ffebmi_fail(to != NULL ? to->context : NULL, FFEBM_ERR_ARGUMENT, "ffebm_tensor_copy: a tensor is NULL");
    FFEBMI_CHECK(to->context, ffebmi_shape_equal(&to->shape, &from->shape), FFEBM_ERR_SHAPE,
                 "ffebm_tensor_copy: from %s to %s", ffebmi_shape_text(text[0], &from->shape),
                 ffebmi_shape_text(text[1], &to->shape));
    FFEBMI_CHECK(to->context, (to->dtype == FFEBM_INT64) == (from->dtype == FFEBM_INT64), FFEBM_ERR_DTYPE,
                 "ffebm_tensor_copy: from %s to %s", ffebmi_dtype_name(from->dtype), ffebmi_dtype_name(to->dtype));

    count = to->shape.count;
    if (to->dtype == from->dtype) {
        memmove(to->data, from->data, count * ffebmi_dtype_size(to->dtype));
    } else if (to->dtype == FFEBM_FLOAT32) {
        for (size_t i = 0; i < count; i++)
            ((float *)to->data)[i] = (float)((const double *)from->data)[i];
    } else {
        for (size_t i = 0; i < count; i++)
            ((double *)to->data)[i] = ((const float *)from->data)[i];
    }
    return FFEBM_OK;
}

void *ffebm_tensor_data(ffebm_tensor *tensor)
{
    return tensor == NULL ? NULL : tensor->data;
}

const void *ffebm_tensor_const_data(const ffebm_tensor *tensor)
{
    return tensor == NULL ? NULL : tensor->data;
}

int32_t ffebm_tensor_dtype(const ffebm_tensor *tensor)
{
    return tensor == NULL ? 0 : tensor->dtype;
}

const int64_t *ffebm_tensor_shape(const ffebm_tensor *tensor, size_t *rank)
{
    if (rank != NULL)
        *rank = tensor == NULL ? 0 : tensor->shape.rank;
    return tensor == NULL ? NULL : tensor->shape.dims;
}

size_t ffebm_tensor_count(const ffebm_tensor *tensor)
{
    return tensor == NULL ? 0 : tensor->shape.count;
}

ffebm_tensor ffebmi_tensor_borrow(ffebm_context *context, void *data, int32_t dtype, const ffebmi_shape *shape)
{
    ffebm_tensor tensor = {
        .context = context, .data = data, .shape = *shape, .dtype = dtype, .memory = FFEBMI_TENSOR_BORROWED};

    return tensor;
}

ffebm_status ffebmi_tensor_check_batch(ffebm_context *context, const char *what, const ffebm_tensor *tensor,
                                       int32_t dtype, const ffebmi_shape *sample, size_t *rows)
{
    char text[2][FFEBMI_SHAPE_TEXT];

    FFEBMI_CHECK_ARGUMENT(context, tensor != NULL, "%s is NULL", what);
    FFEBMI_CHECK(context, tensor->dtype == dtype, FFEBM_ERR_DTYPE, "%s is %s, expected %s", what,
                 ffebmi_dtype_name(tensor->dtype), ffebmi_dtype_name(dtype));
    ffebmi_shape_text(text[1], sample);
    FFEBMI_CHECK(context, ffebmi_shape_is_batch_of(&tensor->shape, sample), FFEBM_ERR_SHAPE,
                 "%s is %s, expected [batch, %s", what, ffebmi_shape_text(text[0], &tensor->shape), text[1] + 1);
    *rows = (size_t)tensor->shape.dims[0];
    return FFEBM_OK;
}

ffebm_status ffebmi_tensor_check_rows(ffebm_context *context, const char *what, const ffebm_tensor *tensor,
                                      int32_t dtype, const ffebmi_shape *sample, size_t rows)
{
    size_t found;

    FFEBMI_TRY(ffebmi_tensor_check_batch(context, what, tensor, dtype, sample, &found));
    FFEBMI_CHECK(context, found == rows, FFEBM_ERR_SHAPE, "%s has %zu rows, expected %zu", what, found, rows);
    return FFEBM_OK;
}
