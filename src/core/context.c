#include "core/context.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/text.h"

void ffebm_context_destroy(ffebm_context *context)
{
    if (context != NULL)
        ffebmi_context_drop(context);
}

const char *ffebm_context_error(const ffebm_context *context)
{
    return context == NULL ? "no context" : context->error;
}

void ffebmi_context_keep(ffebm_context *context)
{
    context->references++;
}

void ffebmi_context_drop(ffebm_context *context)
{
    if (--context->references > 0)
        return;
    ffebmi_release(context, ffebmi_executor_stop(&context->executor));
    context->release(context->allocator_user, context, sizeof *context, FFEBMI_ALIGNMENT);
}

/* The host's release wants the size back, so it stands in front of the memory handed out. */
void *ffebmi_allocate(ffebm_context *context, size_t count, size_t size)
{
    size_t bytes;
    char *memory;

    if (size != 0 && count > (SIZE_MAX / 2 - FFEBMI_ALIGNMENT) / size)
        return NULL;
    bytes = FFEBMI_ALIGNMENT + (count * size > 0 ? count * size : 1);
    memory = context->allocate(context->allocator_user, bytes, FFEBMI_ALIGNMENT);
    if (memory == NULL)
        return NULL;
    if (!context->zeroes)
        memset(memory, 0, bytes);
    memcpy(memory, &bytes, sizeof bytes);
    return memory + FFEBMI_ALIGNMENT;
}

void ffebmi_release(ffebm_context *context, void *memory)
{
    char *start;
    size_t bytes;

    if (memory == NULL)
        return;
    start = (char *)memory - FFEBMI_ALIGNMENT;
    memcpy(&bytes, start, sizeof bytes);
    context->release(context->allocator_user, start, bytes, FFEBMI_ALIGNMENT);
}

char *ffebmi_copy_text(ffebm_context *context, const char *text, size_t length)
{
    char *copy = ffebmi_allocate(context, length + 1, 1);

    if (copy != NULL)
        memcpy(copy, text, length);
    return copy;
}

static const char *status_name(ffebm_status status)
{
#define ENTRY(name, value, text)                                                                                       \
    case value:                                                                                                        \
        return #name;
    switch (status) {
        FFEBM_STATUS_LIST(ENTRY)
    default:
        return "FFEBM_ERR_INTERNAL";
    }
#undef ENTRY
}

/* Sentences quote names from files and descriptions, which may hold any byte. */
ffebm_status ffebmi_fail(ffebm_context *context, ffebm_status status, const char *format, ...)
{
    char text[FFEBMI_ERROR_CAPACITY];
    va_list arguments;
    int length;

    if (context == NULL)
        return status;
    length = snprintf(text, sizeof text, "%s: ", status_name(status));
    va_start(arguments, format);
    vsnprintf(text + length, sizeof text - (size_t)length, format, arguments);
    va_end(arguments);
    ffebmi_text_point(text);
    ffebmi_text_show(context->error, sizeof context->error, text);
    return status;
}

ffebm_status ffebmi_fail_memory(ffebm_context *context, const char *what)
{
    return ffebmi_fail(context, FFEBM_ERR_NOMEM, "no memory for %s", what);
}

ffebm_status ffebmi_context_ask(ffebm_context *context)
{
    FFEBMI_CHECK(context, context->cancel == NULL || context->cancel(context->cancel_user) == 0, FFEBM_ERR_CANCELLED,
                 "the context's cancel asked to stop");
    return FFEBM_OK;
}
