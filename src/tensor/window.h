/* Sliding windows as descriptions give them, and the shapes they make. */
#ifndef FFEBMI_TENSOR_WINDOW_H
#define FFEBMI_TENSOR_WINDOW_H

#include "core/windows.h"
#include "tensor/shape.h"

typedef struct ffebmi_window {
    int64_t kernel[2]; /* height, width */
    int64_t stride[2];
    int64_t padding[2];
} ffebmi_window;

/* Is it an image, [channels, height, width]? Those are stored h x w x c inside the library. */
bool ffebmi_shape_is_image(const ffebmi_shape *shape);

/* Check kernel and stride (1 or more) and padding (0 or more, below the kernel). FFEBM_ERR_ARGUMENT. */
ffebm_status ffebmi_window_check(ffebm_context *context, const ffebmi_window *window, const char *what);

/* The height and width that a window makes of an image's; `exact` demands that it tiles the padded image without rest.
 * FFEBM_ERR_SHAPE. */
ffebm_status ffebmi_window_fit(ffebm_context *context, const ffebmi_window *window, const ffebmi_shape *image,
                               bool exact, const char *what, int64_t out[2]);

/* A position in a pool's window is kept in a byte: FFEBM_ERR_ARGUMENT if there are more than 255. */
ffebm_status ffebmi_window_check_places(ffebm_context *context, const int64_t kernel[2], const char *what);

/* The window over an image, as kernels want it. */
ffebmi_windows ffebmi_windows_of(const ffebmi_window *window, const ffebmi_shape *in, const ffebmi_shape *out);

#endif
