#include "tensor/shape.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/context.h"

static const int64_t max_dimension = INT32_MAX;
static const size_t max_count = PTRDIFF_MAX / 64;

ffebm_status ffebmi_shape_set(ffebm_context *context, ffebmi_shape *shape, const int64_t *dims, size_t rank,
                              const char *what)
{
    ffebmi_shape s = {.rank = rank, .count = 1};

    FFEBMI_CHECK_ARGUMENT(context, dims != NULL || rank == 0, "%s: shape is NULL", what);
    FFEBMI_CHECK(context, rank >= 1 && rank <= FFEBM_MAX_RANK, FFEBM_ERR_SHAPE, "%s: rank %zu, expected 1 to %d", what,
                 rank, FFEBM_MAX_RANK);
    for (size_t i = 0; i < rank; i++) {
        FFEBMI_CHECK(context, dims[i] >= 1 && dims[i] <= max_dimension, FFEBM_ERR_SHAPE,
                     "%s: dimension %zu is %" PRId64 ", expected 1 to %" PRId64, what, i, dims[i], max_dimension);
        FFEBMI_CHECK(context, s.count <= max_count / (size_t)dims[i], FFEBM_ERR_SHAPE,
                     "%s: the product of the dimensions overflows at dimension %zu (%" PRId64 ")", what, i, dims[i]);
        s.count *= (size_t)dims[i];
        s.dims[i] = dims[i];
    }
    *shape = s;
    return FFEBM_OK;
}

ffebmi_shape ffebmi_shape_vector(int64_t n)
{
    ffebmi_shape shape = {.rank = 1, .count = (size_t)n, .dims = {n}};

    return shape;
}

bool ffebmi_shape_equal(const ffebmi_shape *a, const ffebmi_shape *b)
{
    return a->rank == b->rank && memcmp(a->dims, b->dims, a->rank * sizeof a->dims[0]) == 0;
}

const char *ffebmi_shape_text(char text[FFEBMI_SHAPE_TEXT], const ffebmi_shape *shape)
{
    int at = snprintf(text, FFEBMI_SHAPE_TEXT, "[");

    for (size_t i = 0; i < shape->rank; i++)
        at += snprintf(text + at, FFEBMI_SHAPE_TEXT - (size_t)at, i == 0 ? "%" PRId64 : ", %" PRId64, shape->dims[i]);
    snprintf(text + at, FFEBMI_SHAPE_TEXT - (size_t)at, "]");
    return text;
}

bool ffebmi_shape_is_batch_of(const ffebmi_shape *shape, const ffebmi_shape *sample)
{
    return shape->rank == sample->rank + 1 &&
           memcmp(shape->dims + 1, sample->dims, sample->rank * sizeof sample->dims[0]) == 0;
}
