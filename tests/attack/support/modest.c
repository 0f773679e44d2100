#include "modest.h"

#include <stdlib.h>

static void *allocate(void *user, size_t bytes, size_t alignment)
{
    modest *m = user;
    void *memory;

    if (bytes > m->most || posix_memalign(&memory, alignment, bytes) != 0)
        return NULL;
    m->pieces++;
    return memory;
}

static void release(void *user, void *memory, size_t bytes, size_t alignment)
{
    modest *m = user;

    (void)bytes;
    (void)alignment;
    m->pieces--;
    free(memory);
}

void modest_config(ffebm_context_config *config, modest *m)
{
    ffebm_context_config_init(config, sizeof *config);
    config->allocate = allocate;
    config->release = release;
    config->allocator_user = m;
}
