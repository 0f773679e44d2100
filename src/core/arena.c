#include "core/arena.h"

#include <stdint.h>

enum { LINE = 64 };

void *ffebmi_carve(ffebmi_arena *arena, size_t count, size_t size)
{
    size_t start = arena->used;
    size_t bytes;

    if (start > SIZE_MAX / 4 || (size != 0 && count > SIZE_MAX / 4 / size)) {
        arena->used = SIZE_MAX;
        return NULL;
    }
    bytes = (count * size + LINE - 1) / LINE * LINE;
    arena->used = start + bytes;
    return arena->base == NULL ? NULL : arena->base + start;
}
