#include "core/context.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/sized.h"
#include "core/text.h"

enum { MAX_THREADS = 1024 };

static void *default_allocate(void *user, size_t bytes, size_t alignment)
{
    void *memory = NULL;

    (void)user;
    return posix_memalign(&memory, alignment, bytes) == 0 ? memory : NULL;
}

static void default_release(void *user, void *memory, size_t bytes, size_t alignment)
{
    (void)user;
    (void)bytes;
    (void)alignment;
    free(memory);
}

static const ffebm_context_config defaults = {.size = sizeof defaults, .threads = 1};

void ffebm_context_config_init(ffebm_context_config *config, size_t size)
{
    ffebmi_sized_init(config, size, &defaults, sizeof defaults);
}

ffebm_status ffebm_context_create(ffebm_context **context, const ffebm_context_config *config)
{
    ffebm_context_config c = defaults;
    ffebm_context *created;
    ffebm_status status;

    if (context == NULL)
        return FFEBM_ERR_ARGUMENT;
    *context = NULL;
    FFEBMI_TRY(ffebmi_sized_read(NULL, "context configuration", &c, sizeof c, config));
    if ((c.allocate == NULL) != (c.release == NULL) || c.threads < 0 || c.threads > MAX_THREADS || c.max_isa < 0 ||
        c.max_isa > FFEBM_ISA_AVX512)
        return FFEBM_ERR_ARGUMENT;
    if (c.allocate == NULL) {
        c.allocate = default_allocate;
        c.release = default_release;
    }

    created = c.allocate(c.allocator_user, sizeof *created, FFEBMI_ALIGNMENT);
    if (created == NULL)
        return FFEBM_ERR_NOMEM;
    memset(created, 0, sizeof *created);
    created->allocate = c.allocate;
    created->release = c.release;
    created->allocator_user = c.allocator_user;
    created->references = 1;
    created->max_isa = c.max_isa;
    created->cancel = c.cancel;
    created->cancel_user = c.cancel_user;
    status = ffebmi_executor_start(created, &created->executor, c.run, c.run_user, (size_t)c.threads);
    if (status != FFEBM_OK) {
        c.release(c.allocator_user, created, sizeof *created, FFEBMI_ALIGNMENT);
        return status;
    }
    *context = created;
    return FFEBM_OK;
}

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
    ffebmi_executor_stop(context, &context->executor);
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
