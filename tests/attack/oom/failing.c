#define _GNU_SOURCE
#include "failing.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Shared libraries find them in the program only if they are visible; the build's flags hide what does not say so. */
#define VISIBLE __attribute__((visibility("default")))

/* Those that this program would have without this file: the C library's, or a sanitizer's. */
typedef struct originals {
    void *(*malloc)(size_t);
    void *(*calloc)(size_t, size_t);
    void *(*realloc)(void *, size_t);
    int (*posix_memalign)(void **, size_t, size_t);
    void (*free)(void *);
} originals;

static originals real;
static failing plan;
static atomic_long pieces;
static _Thread_local bool mine; /* requests of this thread count */
static long requests, hits;

/* For what dlsym itself asks for while the originals are looked up; never taken back. */
static _Alignas(16) unsigned char first_pieces[1 << 14];
static size_t first_used;

static void *first_piece(size_t bytes)
{
    void *piece = first_pieces + first_used;

    first_used += (bytes + 15) & ~(size_t)15;
    return first_used <= sizeof first_pieces ? piece : NULL;
}

static bool is_first_piece(const void *piece)
{
    return (uintptr_t)piece - (uintptr_t)first_pieces < sizeof first_pieces;
}

/* ISO C has no cast from an object pointer to a function pointer; POSIX says that their bytes are the same. */
static void look_up(void *function, const char *name)
{
    void *address = dlsym(RTLD_NEXT, name);

    memcpy(function, &address, sizeof address);
}

/* False while they are being looked up, by the call of this function further up. */
static bool ready(void)
{
    static bool begun;

    if (real.free || begun)
        return real.free;
    begun = true;
    look_up(&real.malloc, "malloc");
    look_up(&real.calloc, "calloc");
    look_up(&real.realloc, "realloc");
    look_up(&real.posix_memalign, "posix_memalign");
    look_up(&real.free, "free");
    return true;
}

static bool fails(void)
{
    if (!mine)
        return false;
    requests++;
    if (plan.at == 0 || requests < plan.at || (requests > plan.at && !plan.forever))
        return false;
    hits++;
    if (!plan.silent)
        errno = ENOMEM;
    return true;
}

static void *counted(void *piece)
{
    if (piece)
        atomic_fetch_add(&pieces, 1);
    return piece;
}

VISIBLE void *malloc(size_t bytes)
{
    if (!ready())
        return first_piece(bytes);
    return fails() ? NULL : counted(real.malloc(bytes));
}

VISIBLE void *calloc(size_t count, size_t bytes)
{
    if (!ready())
        return first_piece(count * bytes);
    return fails() ? NULL : counted(real.calloc(count, bytes));
}

VISIBLE void *realloc(void *piece, size_t bytes)
{
    if (!piece)
        return malloc(bytes);
    if (!ready() || fails())
        return NULL;
    return real.realloc(piece, bytes);
}

VISIBLE int posix_memalign(void **piece, size_t alignment, size_t bytes)
{
    int status;

    if (!ready() || fails())
        return ENOMEM;
    status = real.posix_memalign(piece, alignment, bytes);
    if (status == 0)
        counted(*piece);
    return status;
}

VISIBLE void *aligned_alloc(size_t alignment, size_t bytes)
{
    void *piece;

    return posix_memalign(&piece, alignment, bytes) == 0 ? piece : NULL;
}

VISIBLE void free(void *piece)
{
    if (!piece || is_first_piece(piece) || !ready())
        return;
    atomic_fetch_sub(&pieces, 1);
    real.free(piece);
}

VISIBLE int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*start)(void *), void *argument)
{
    static int (*create)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);

    if (!create)
        look_up(&create, "pthread_create");
    return fails() ? EAGAIN : create(thread, attributes, start, argument);
}

void failing_begin(failing new_plan)
{
    plan = new_plan;
    requests = hits = 0;
    mine = true;
}

void failing_end(void)
{
    mine = false;
}

long failing_requests(void)
{
    return requests;
}

long failing_hits(void)
{
    return hits;
}

long failing_pieces(void)
{
    return atomic_load(&pieces);
}
