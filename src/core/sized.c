#include "core/sized.h"

#include <string.h>

#include "core/context.h"

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

void ffebmi_sized_init(void *config, size_t size, const void *defaults, size_t known)
{
    if (config == NULL || size < sizeof size)
        return;
    memset(config, 0, size);
    memcpy(config, defaults, smaller(size, known));
    memcpy(config, &size, sizeof size);
}

ffebm_status ffebmi_sized_read(ffebm_context *context, const char *what, void *to, size_t known, const void *from)
{
    const unsigned char *bytes = from;
    size_t size;

    if (from == NULL)
        return FFEBM_OK;
    memcpy(&size, from, sizeof size);
    FFEBMI_CHECK_ARGUMENT(context, size >= sizeof size && size < 65536, "%s: size %zu is not that of a struct", what,
                          size);
    for (size_t i = known; i < size; i++)
        FFEBMI_CHECK(context, bytes[i] == 0, FFEBM_ERR_UNSUPPORTED,
                     "%s: byte %zu is set, this library knows the first %zu", what, i, known);
    memcpy(to, from, smaller(size, known));
    memcpy(to, &known, sizeof known);
    return FFEBM_OK;
}

ffebm_status ffebmi_sized_write(ffebm_context *context, const char *what, void *to, const void *from, size_t known)
{
    size_t size;

    FFEBMI_CHECK_ARGUMENT(context, to != NULL, "%s: NULL where a struct was expected", what);
    memcpy(&size, to, sizeof size);
    FFEBMI_CHECK_ARGUMENT(context, size >= sizeof size && size < 65536, "%s: size %zu is not that of a struct", what,
                          size);
    ffebmi_sized_init(to, size, from, known);
    return FFEBM_OK;
}
