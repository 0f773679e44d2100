#include "tensor/window.h"

#include <inttypes.h>

#include "core/context.h"

bool ffebmi_shape_is_image(const ffebmi_shape *shape)
{
    return shape->rank == 3;
}

ffebm_status ffebmi_window_check(ffebm_context *context, const ffebmi_window *w, const char *what)
{
    for (size_t i = 0; i < 2; i++) {
        FFEBMI_CHECK_ARGUMENT(context, w->kernel[i] >= 1 && w->kernel[i] <= INT32_MAX,
                              "%s: kernel %" PRId64 ", expected 1 or more", what, w->kernel[i]);
        FFEBMI_CHECK_ARGUMENT(context, w->stride[i] >= 1 && w->stride[i] <= INT32_MAX,
                              "%s: stride %" PRId64 ", expected 1 or more", what, w->stride[i]);
        FFEBMI_CHECK_ARGUMENT(context, w->padding[i] >= 0 && w->padding[i] < w->kernel[i],
                              "%s: padding %" PRId64 ", expected 0 to %" PRId64 ", less than the kernel", what,
                              w->padding[i], w->kernel[i] - 1);
    }
    return FFEBM_OK;
}

ffebm_status ffebmi_window_fit(ffebm_context *context, const ffebmi_window *w, const ffebmi_shape *image, bool exact,
                               const char *what, int64_t out[2])
{
    char text[FFEBMI_SHAPE_TEXT];

    FFEBMI_CHECK(context, ffebmi_shape_is_image(image), FFEBM_ERR_SHAPE,
                 "%s: input is %s, expected [channels, height, width]", what, ffebmi_shape_text(text, image));
    for (size_t i = 0; i < 2; i++) {
        int64_t padded = image->dims[1 + i] + 2 * w->padding[i], rest = padded - w->kernel[i];

        FFEBMI_CHECK(context, rest >= 0, FFEBM_ERR_SHAPE, "%s: kernel %" PRId64 " larger than padded input %" PRId64,
                     what, w->kernel[i], padded);
        FFEBMI_CHECK(context, !exact || rest % w->stride[i] == 0, FFEBM_ERR_SHAPE,
                     "%s: kernel %" PRId64 " with stride %" PRId64 " does not tile padded input %" PRId64 ": %" PRId64
                     " left over",
                     what, w->kernel[i], w->stride[i], padded, rest % w->stride[i]);
        out[i] = rest / w->stride[i] + 1;
    }
    return FFEBM_OK;
}

ffebm_status ffebmi_window_check_places(ffebm_context *context, const int64_t kernel[2], const char *what)
{
    FFEBMI_CHECK_ARGUMENT(context, kernel[0] <= 255 && kernel[1] <= 255 && kernel[0] * kernel[1] <= 255,
                          "%s: a pool of %" PRId64 " x %" PRId64 ", expected at most 255 places", what, kernel[0],
                          kernel[1]);
    return FFEBM_OK;
}

ffebmi_windows ffebmi_windows_of(const ffebmi_window *window, const ffebmi_shape *in, const ffebmi_shape *out)
{
    ffebmi_windows w = {.channels = (size_t)in->dims[0]};

    for (size_t i = 0; i < 2; i++) {
        w.in[i] = (size_t)in->dims[1 + i];
        w.out[i] = (size_t)out->dims[1 + i];
        w.kernel[i] = (size_t)window->kernel[i];
        w.stride[i] = (size_t)window->stride[i];
        w.padding[i] = (size_t)window->padding[i];
    }
    return w;
}
