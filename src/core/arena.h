/* Lay out many arrays in one piece of memory. The same layout function runs twice: with base NULL it measures, with
 * memory it places; so the two cannot disagree. */
#ifndef FFEBMI_CORE_ARENA_H
#define FFEBMI_CORE_ARENA_H

#include <stddef.h>

#include "core/strict.h"

typedef struct ffebmi_arena {
    char *base;  /* NULL while measuring */
    size_t used; /* SIZE_MAX: the sizes overflow */
} ffebmi_arena;

/* `count` elements of `size` bytes, aligned for any use and to a cache line; NULL while measuring. */
void *ffebmi_carve(ffebmi_arena *arena, size_t count, size_t size);

#endif
