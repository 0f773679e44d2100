/* The context: allocator, executor and error text behind every handle. */
#ifndef FFEBMI_CORE_CONTEXT_H
#define FFEBMI_CORE_CONTEXT_H

#include <stdbool.h>

#include <ffebm/core.h>

#include "core/executor.h"

enum { FFEBMI_ERROR_CAPACITY = 512, FFEBMI_ALIGNMENT = 64 };

struct ffebm_context {
    ffebm_allocate_fn allocate;
    bool zeroes; /* what it gives is zero */
    ffebm_release_fn release;
    void *allocator_user;
    ffebmi_executor executor;
    ffebm_cancel_fn cancel; /* NULL: never */
    void *cancel_user;
    ffebm_reduce_fn reduce; /* NULL: there is one rank */
    void *reduce_user;
    int32_t max_isa; /* 0: any */
    size_t references;
    char error[FFEBMI_ERROR_CAPACITY];
};

/* Every object holds its context with keep and lets go of it with drop, so that destruction works in any order. */
void ffebmi_context_keep(ffebm_context *context);
void ffebmi_context_drop(ffebm_context *context);

/* `count` elements of `size` bytes, set to zero and aligned to FFEBMI_ALIGNMENT; NULL if there is no memory or the
 * product overflows. One element at least, so that NULL always means failure. */
void *ffebmi_allocate(ffebm_context *context, size_t count, size_t size);
void ffebmi_release(ffebm_context *context, void *memory);

/* A copy of `length` characters with a NUL behind them, or NULL. */
char *ffebmi_copy_text(ffebm_context *context, const char *text, size_t length);

/* Write the error text, "NAME: sentence", and return the status. */
ffebm_status ffebmi_fail(ffebm_context *context, ffebm_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The text of FFEBM_ERR_NOMEM: what there was no memory for. */
ffebm_status ffebmi_fail_memory(ffebm_context *context, const char *what);

/* Why something failed that may run on a worker thread, so that it leaves the text here and not in the context. */
typedef struct ffebmi_failure {
    ffebm_status status;
    char text[320];
} ffebmi_failure;

/* Ask the host whether to go on: FFEBM_ERR_CANCELLED if not. On the caller's thread. */
ffebm_status ffebmi_context_ask(ffebm_context *context);

#define FFEBMI_TRY(call)                                                                                               \
    do {                                                                                                               \
        ffebm_status try_ = (call);                                                                                    \
        if (try_ != FFEBM_OK)                                                                                          \
            return try_;                                                                                               \
    } while (0)

#define FFEBMI_CHECK(context, condition, status, ...)                                                                  \
    do {                                                                                                               \
        if (!(condition))                                                                                              \
            return ffebmi_fail(context, status, __VA_ARGS__);                                                          \
    } while (0)

#define FFEBMI_CHECK_ARGUMENT(context, condition, ...) FFEBMI_CHECK(context, condition, FFEBM_ERR_ARGUMENT, __VA_ARGS__)

#endif
