/* ffebm/core.h - the rules of the whole API, statuses, the context, random numbers.
 *
 * THE RULES. They hold for every function, so the functions' own texts do not repeat them.
 *
 * 1. Names: ffebm_<object>_<what it does or gives>. `inspect` fills a struct with facts.
 * 2. Arguments: the context or the handle; then outputs; then inputs: which one (stage, layer, index), data, settings,
 *    numbers. A length stands right after its array; a `void *user` right after its callback, which gets it first.
 *    Outputs may not overlap inputs.
 * 3. Failure: a function that can fail returns ffebm_status, 0 or negative. Output handles are then NULL, and no object
 *    has changed unless the function says so. ffebm_context_error then holds a sentence that names the object, the
 *    value and what was expected. Nothing prints, aborts, exits or raises a signal.
 *    FFEBM_ERR_ARGUMENT, everywhere: a NULL that is not allowed, an index out of range, a constant that is none of
 *    those listed, a number outside the range given, a struct whose `size` is wrong.
 *    FFEBM_ERR_NOMEM: only functions that say "allocates".
 *    A function that returns anything but a status cannot fail; on a NULL handle it returns 0 or NULL, unless it says
 *    otherwise.
 * 4. Ownership, in three words. owned: you destroy it. borrowed: you do not; it is valid until the moment named. taken:
 *    you pass the address of your handle; on FFEBM_OK the callee owns the object and your handle is NULL, on failure
 *    the object is still yours. So one clean-up path that destroys every handle, each NULL at first, is always right:
 *    destroy takes NULL, and on a borrowed tensor it does nothing. Everything else you pass is borrowed for the call:
 *    the library copies what it keeps.
 * 5. Order of destruction is free: an engine or optimizer keeps its model alive, and every object its context. Memory
 *    goes with the last of them; the host's callbacks must work until then.
 * 6. Threads: a context and everything made from it is used by one thread at a time; contexts are independent. There is
 *    no global state but two things that no result depends on: the JSON parser takes its passing memory from malloc, and
 *    products take turns where BLAS is an OpenBLAS built for one thread, or an unknown one. Const on a handle means
 *    that the object is not changed.
 * 7. Sized structs: the first field is `size_t size`. An init function fills a configuration with its defaults and sets
 *    size; where a function takes a configuration, NULL means all defaults. In every other struct you set size:
 *        ffebm_report report = {.size = sizeof report};
 *    Structs grow at their end only. The library reads and writes no more than `size`. What an older program lacks
 *    takes its default; what a newer program has beyond this library is written as zero, and refused with
 *    FFEBM_ERR_UNSUPPORTED where it is read and not zero. Fields named reserved_ are zero.
 * 8. Choices are int32_t constants; zero is a choice only where it means "none". Flags are 0 or 1.
 * 9. Data is row-major without gaps, the batch first: "[batch, in...]". A sample's shape leaves the batch out. Losses
 *    and gradients are means over the batch unless said otherwise.
 * 10. The process is the host's. The library writes no logs and has no callback for any: all it has to say is in
 *    statuses, error texts and reports. It installs no signal handlers and changes neither locale, environment, working
 *    directory nor floating-point modes. Its own threads compute in the mode (rounding, denormals) of the thread that
 *    created the context, and leave the host's signals to the host's threads.
 *    After fork, if no other thread was in the library, the child may go on with what the parent has made, on one thread
 *    and with the same bits, and may create contexts with threads. A library that was loaded at run time may be unloaded
 *    when all its objects are destroyed.
 */
#ifndef FFEBM_CORE_H
#define FFEBM_CORE_H

#include <stddef.h>
#include <stdint.h>

#include "version.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---------------------------------------------------------------------------------------------------- statuses */

/** What a function returns that can fail: FFEBM_OK, or a negative FFEBM_ERR_. */
typedef int32_t ffebm_status;

/* The statuses, in one list: name, value, text. Values never change and are never reused; treat an unknown negative one
 * as failure. */
/* clang-format off */
#define FFEBM_STATUS_LIST(X)                                                                          \
    X(FFEBM_OK,                0, "success")                                                          \
    X(FFEBM_ERR_NOMEM,        -1, "out of memory")                                                    \
    X(FFEBM_ERR_ARGUMENT,     -2, "argument NULL, unknown or out of range")                           \
    X(FFEBM_ERR_SHAPE,        -3, "shapes do not fit")                                                \
    X(FFEBM_ERR_DTYPE,        -4, "element type does not fit")                                        \
    X(FFEBM_ERR_STATE,        -5, "not possible in the present state of the object")                  \
    X(FFEBM_ERR_NOT_FOUND,    -6, "no such name or key")                                              \
    X(FFEBM_ERR_PARSE,        -7, "malformed model description")                                      \
    X(FFEBM_ERR_FORMAT,       -8, "malformed file")                                                   \
    X(FFEBM_ERR_IO,           -9, "reading or writing failed")                                        \
    X(FFEBM_ERR_NUMERIC,     -10, "NaN or infinity in a state, a loss or a gradient")                 \
    X(FFEBM_ERR_CONVERGENCE, -11, "an equilibrium did not reach its tolerance")                       \
    X(FFEBM_ERR_USER,        -12, "a function of a block of yours failed")                            \
    X(FFEBM_ERR_UNSUPPORTED, -13, "not offered by this library, build or block")                      \
    X(FFEBM_ERR_CANCELLED,   -14, "stopped by a callback")                                            \
    X(FFEBM_ERR_INTERNAL,    -15, "a bug in the library; please report it")                           \
    X(FFEBM_ERR_RANK,        -16, "failed on another rank, or in the context's reduce")
/* clang-format on */

#define FFEBM_STATUS_ENTRY(name, value, text) name = value,
enum { FFEBM_STATUS_LIST(FFEBM_STATUS_ENTRY) };
#undef FFEBM_STATUS_ENTRY

#define FFEBM_NONE ((size_t)-1) /* no such thing, where a function returns an index */
#define FFEBM_ALL ((size_t)-2)  /* every one, where a function takes a stage; never the answer of one that looks */

/** Put a status into words.
 *
 *  Returns: a static string, never NULL, as in "FFEBM_ERR_SHAPE: shapes do not fit"; for a value not in the list,
 *           "unknown status".
 *  In:      status: any value.
 *
 *  See also ffebm_context_error, which says what exactly did not fit.
 */
FFEBM_API const char *ffebm_status_text(ffebm_status status);

/* Element types, in the machine's byte order. */
enum {
    FFEBM_FLOAT32 = 1, /* float: IEEE 754, 4 bytes */
    FFEBM_FLOAT64 = 2, /* double: IEEE 754, 8 bytes */
    FFEBM_INT64 = 3    /* int64_t: labels */
};

/* ------------------------------------------------------------------------------------------------- the context */

/** Allocator, executor and error text, shared by the objects made from it. */
typedef struct ffebm_context ffebm_context;

/** Return `bytes` (> 0) of memory aligned to `alignment` (a power of two, at least 16), or NULL. Called on the thread
 *  that called the library. */
typedef void *(*ffebm_allocate_fn)(void *user, size_t bytes, size_t alignment);

/** Take back `memory` (never NULL) with the size and alignment it was asked for. */
typedef void (*ffebm_release_fn)(void *user, void *memory, size_t bytes, size_t alignment);

/** One piece of parallel work, handed to the host's executor. */
typedef void (*ffebm_task_fn)(void *task_user, size_t index);

/** Call task(task_user, i) once for each i < count, on any threads, in any order, and return when all have returned.
 *  `count` is at most the context's `threads`. Must not fail; results do not depend on how the tasks are spread. */
typedef void (*ffebm_run_fn)(void *user, ffebm_task_fn task, void *task_user, size_t count);

/** Shall a call go on? Return 0, or another value to stop it. Asked between the phases and blocks of whatever computes, and
 *  between the ops, couplings and tensors of what is parsed and restored, on the thread that called the library; may not
 *  use the context. */
typedef int32_t (*ffebm_cancel_fn)(void *user);

/** Add up `count` numbers in place over all ranks, FFEBM_FLOAT32 or FFEBM_FLOAT64 as `dtype` says, so that every rank ends
 *  with the same bits. Return 0, or another value on failure. Called on the thread that called the library, on all ranks
 *  equally often, in one order and with the same counts, also where a call fails; may not use the context. */
typedef int32_t (*ffebm_reduce_fn)(void *user, void *values, size_t count, int32_t dtype);

/* Instructions for products in float32. Results differ between them by rounding. */
enum {
    FFEBM_ISA_PORTABLE = 1, /* those that every processor of the architecture has */
    FFEBM_ISA_AVX2 = 2,     /* x86-64 with AVX2 and FMA */
    FFEBM_ISA_AVX512 = 3    /* x86-64 with AVX-512 F */
};

/** How a context gets memory and threads, and with whom it computes.
 *
 *  With `reduce`, the ranks (processes, or contexts of one) compute as one: each passes its part of the batch to the same
 *  call at the same time, with the same settings. ffebm_engine_gradient, _evaluate, _forward, _vjp, _certify and _trace
 *  then add up over ranks what belongs to the whole batch: its size, losses, counts, parameter gradients, and the statistics
 *  of batch normalisation. So means are over all ranks' samples, optimizers of equal models take equal steps, and nothing but
 *  ffebm_engine_set_first_sample tells a rank who it is. Such a call that fails on one rank fails on all, on the others with
 *  FFEBM_ERR_RANK, and has changed nothing on any. Parts may differ in size, and a rank without samples passes NULL as
 *  input. Everything else, phase reports and `sweeps` included, is a rank's own. A reduce that has failed on some ranks and
 *  not on others leaves these apart: end the run. */
typedef struct ffebm_context_config {
    size_t size;
    ffebm_allocate_fn allocate; /* NULL: the C library's; set both or neither */
    ffebm_release_fn release;   /* takes back what allocate gave */
    void *allocator_user;
    ffebm_run_fn run; /* NULL: the library's own threads, started at creation */
    void *run_user;
    int32_t threads; /* most tasks at once; default 1: the caller's thread; 0: one a processor that the process may use
                        (its affinity, its container's share of time); at most 1024 */
    int32_t max_isa; /* default 0: the best instructions that the processor has; FFEBM_ISA_: none beyond these */
    ffebm_cancel_fn
        cancel; /* NULL: calls are not stopped; else they may return FFEBM_ERR_CANCELLED, and have then changed
                               no more than with any other failure */
    void *cancel_user;
    ffebm_reduce_fn reduce; /* NULL: this context computes alone */
    void *reduce_user;
} ffebm_context_config;

/** Fill a context configuration with the defaults.
 *
 *  Out: config: written up to `size`.
 *  In:  size:   sizeof *config.
 */
FFEBM_API void ffebm_context_config_init(ffebm_context_config *config, size_t size);

/** Create a context.
 *
 *  Returns: FFEBM_OK:              *context is owned.
 *           FFEBM_ERR_ARGUMENT:    half an allocator, threads outside 0 .. 1024, or a max_isa that is none of those.
 *           FFEBM_ERR_UNSUPPORTED: config has fields set that this library does not know, or threads above 1 without `run`
 *                                  in a build with FFEBM_NO_THREADS.
 *           FFEBM_ERR_NOMEM:       no memory, or no threads to be had.
 *  Out:     context: NULL on failure; the status is then all there is to know.
 *  In:      config:  copied; NULL: defaults (serial, the C library's allocator).
 *
 *  The same computation gives the same bits whatever `threads` and `run` are, on one machine and with one max_isa, if BLAS
 *  itself runs on one thread.
 */
FFEBM_API ffebm_status ffebm_context_create(ffebm_context **context, const ffebm_context_config *config);

/** Destroy a context. Its memory and threads go with the last object made from it.
 *
 *  In: context: owned, or NULL.
 */
FFEBM_API void ffebm_context_destroy(ffebm_context *context);

/** Read the text of the last failure: all that a program needs to print.
 *
 *  Returns: the status's name and a sentence, as in
 *           "FFEBM_ERR_SHAPE: stage 1 op 0 (linear): ...";
 *           "" if no call has failed yet. Borrowed until the next failing call; successful calls leave it alone.
 *  In:      context: NULL gives "no context", so that the same print serves where its creation has failed.
 *
 *  The text lives in a fixed buffer: it is right when memory is out, and cut, not lost, when long.
 */
FFEBM_API const char *ffebm_context_error(const ffebm_context *context);

/* ----------------------------------------------------------------------------------------------- random numbers */

/** Draw a uniform number, the `counter`-th of the stream `seed`.
 *
 *  Returns: a value in [0, 1) with 53 random bits, the same on every machine.
 *  In:      seed, counter: any values.
 *
 *  A pure function (Philox 4x32-10, Salmon et al. 2011): nothing to save, nothing to lock. Use it for shuffling and
 *  augmentation, and a run is repeatable and resumable from its step number alone.
 */
FFEBM_API double ffebm_random_uniform(uint64_t seed, uint64_t counter);

/** Draw a normal number, the `counter`-th of the stream `seed`.
 *
 *  Returns: a value of mean 0 and variance 1 (Box and Muller 1958).
 *  In:      seed, counter: any values.
 */
FFEBM_API double ffebm_random_normal(uint64_t seed, uint64_t counter);

#ifdef __cplusplus
}
#endif
#endif
