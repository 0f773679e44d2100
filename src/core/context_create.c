/* Make a context of its configuration. */
#include <stdlib.h>
#include <string.h>

#include "core/context.h"
#include "core/setting.h"

/* Zeroed by the C library, which leaves pages of large pieces to the first who writes to them: what is laid out for settings that
 * nobody chooses takes no memory. Where a piece begins stands before what is handed out. */
static void *default_allocate(void *user, size_t bytes, size_t alignment)
{
    char *start = bytes > SIZE_MAX - alignment ? NULL : calloc(1, bytes + alignment), *memory;

    (void)user;
    if (start == NULL)
        return NULL;
    memory = start + alignment - (uintptr_t)start % alignment;
    memcpy(memory - sizeof start, &start, sizeof start);
    return memory;
}

static void default_release(void *user, void *memory, size_t bytes, size_t alignment)
{
    char *start;

    (void)user;
    (void)bytes;
    (void)alignment;
    memcpy(&start, (char *)memory - sizeof start, sizeof start);
    free(start);
}

#define FFEBMI_CONFIG ffebm_context_config
#define ISAS(X)                                                                                                        \
    X("best", 0)                                                                                                       \
    X("portable", FFEBM_ISA_PORTABLE)                                                                                  \
    X("avx2", FFEBM_ISA_AVX2)                                                                                          \
    X("avx512", FFEBM_ISA_AVX512)
FFEBMI_CHOICES(isas, ISAS);

static const ffebmi_setting list[] = {
    FFEBMI_INTEGER(threads, 1, FFEBMI_WITHIN(0, 1024), "threads", "that compute; 0: one a processor that it may use"),
    FFEBMI_CHOICE(max_isa, "best", 0, isas, "instructions to use at most; results differ between them by rounding")};
const ffebmi_settings ffebmi_context_settings = FFEBMI_SETTINGS("context configuration", 0, list);

void ffebm_context_config_init(ffebm_context_config *config, size_t size)
{
    ffebmi_settings_init(&ffebmi_context_settings, config, size);
}

static ffebm_status start_executor(ffebm_context *context, const ffebm_context_config *c)
{
    void *memory;
    size_t bytes;

    if (!ffebmi_executor_prepare(&context->executor, c->run, c->run_user, (size_t)c->threads, &bytes))
        return FFEBM_ERR_UNSUPPORTED;
    if (bytes == 0)
        return FFEBM_OK;
    memory = ffebmi_allocate(context, 1, bytes);
    if (memory != NULL && ffebmi_executor_start(&context->executor, memory))
        return FFEBM_OK;
    ffebmi_release(context, memory);
    return FFEBM_ERR_NOMEM;
}

ffebm_status ffebm_context_create(ffebm_context **context, const ffebm_context_config *config)
{
    ffebm_context_config c;
    ffebm_context *created;
    ffebm_status status;

    if (context == NULL)
        return FFEBM_ERR_ARGUMENT;
    *context = NULL;
    FFEBMI_TRY(ffebmi_settings_read(NULL, &ffebmi_context_settings, &c, config));
    if ((c.allocate == NULL) != (c.release == NULL))
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
    created->zeroes = c.allocate == default_allocate;
    created->release = c.release;
    created->allocator_user = c.allocator_user;
    created->references = 1;
    created->max_isa = c.max_isa;
    created->cancel = c.cancel;
    created->cancel_user = c.cancel_user;
    created->reduce = c.reduce;
    created->reduce_user = c.reduce_user;
    status = start_executor(created, &c);
    if (status != FFEBM_OK) {
        c.release(c.allocator_user, created, sizeof *created, FFEBMI_ALIGNMENT);
        return status;
    }
    *context = created;
    return FFEBM_OK;
}
