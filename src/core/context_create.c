/* Make a context of its configuration. */
#include <stdlib.h>
#include <string.h>

#include "core/context.h"
#include "core/sized.h"

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

static bool start_executor(ffebm_context *context, const ffebm_context_config *c)
{
    size_t bytes = ffebmi_executor_prepare(&context->executor, c->run, c->run_user, (size_t)c->threads);
    void *memory;

    if (bytes == 0)
        return true;
    memory = ffebmi_allocate(context, 1, bytes);
    if (memory != NULL && ffebmi_executor_start(&context->executor, memory))
        return true;
    ffebmi_release(context, memory);
    return false;
}

ffebm_status ffebm_context_create(ffebm_context **context, const ffebm_context_config *config)
{
    ffebm_context_config c = defaults;
    ffebm_context *created;

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
    if (!start_executor(created, &c)) {
        c.release(c.allocator_user, created, sizeof *created, FFEBMI_ALIGNMENT);
        return FFEBM_ERR_NOMEM;
    }
    *context = created;
    return FFEBM_OK;
}
