/* The tensor handle, as the rest of the library sees it. */
#ifndef FFEBMI_TENSOR_TENSOR_H
#define FFEBMI_TENSOR_TENSOR_H

#include "tensor/shape.h"

typedef enum ffebmi_tensor_memory {
    FFEBMI_TENSOR_OWNED,   /* goes with the tensor */
    FFEBMI_TENSOR_WRAPPED, /* the caller's */
    FFEBMI_TENSOR_BORROWED /* part of another object, and so is the handle: ffebm_tensor_destroy does nothing */
} ffebmi_tensor_memory;

struct ffebm_tensor {
    ffebm_context *context;
    void *data;
    ffebmi_shape shape;
    int32_t dtype;
    ffebmi_tensor_memory memory;
};

size_t ffebmi_dtype_size(int32_t dtype); /* 0: no dtype */
const char *ffebmi_dtype_name(int32_t dtype);

/* A tensor inside another object, over that object's memory. */
ffebm_tensor ffebmi_tensor_borrow(ffebm_context *context, void *data, int32_t dtype, const ffebmi_shape *shape);

/* Is `tensor` one of `context`, of this dtype, and [rows, sample...]? `what` names it in the error text; *rows is set on
 * success. A NULL tensor is FFEBM_ERR_ARGUMENT. */
ffebm_status ffebmi_tensor_check_batch(ffebm_context *context, const char *what, const ffebm_tensor *tensor,
                                       int32_t dtype, const ffebmi_shape *sample, size_t *rows);

/* The same, with the number of rows given. */
ffebm_status ffebmi_tensor_check_rows(ffebm_context *context, const char *what, const ffebm_tensor *tensor,
                                      int32_t dtype, const ffebmi_shape *sample, size_t rows);

#endif
