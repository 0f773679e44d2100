/* Run a feedforward block forward and back. The tape is the caller's: it holds every op's output and memory, as the VJP
 * needs them. With a context the work is spread over its threads; with NULL it is done here, for callers on a worker
 * thread. */
#ifndef FFEBMI_FEEDFORWARD_TAPE_H
#define FFEBMI_FEEDFORWARD_TAPE_H

#include "feedforward/feedforward.h"

/* Memory that blocks use in turn, one call at a time: as much as the largest of them needs. */
typedef struct ffebmi_tape_needs {
    size_t units;   /* of the largest cotangent, a sample */
    size_t scratch; /* elements, a thread */
    size_t packed;  /* elements */
} ffebmi_tape_needs;
typedef struct ffebmi_tape_work {
    void *cotangents[2]; /* in turn, on the way down; on the way up, outputs that are not kept */
    void **scratch;      /* [thread] */
    void *packed;
} ffebmi_tape_work;

/* Raise the needs to those of a block. */
void ffebmi_tape_measure(ffebmi_tape_needs *needs, const ffebm_feedforward *block, const ffebmi_arithmetic *arithmetic);
ffebmi_tape_work ffebmi_tape_lay_out_work(ffebmi_arena *arena, const ffebmi_tape_needs *needs,
                                          const ffebmi_arithmetic *arithmetic, size_t rows, size_t threads);

typedef struct ffebmi_tape {
    void **outputs;  /* of op i; a view shares its input's */
    void **memories; /* of op i */
    const ffebmi_tape_work *work;
} ffebmi_tape;

/* Lay out a tape for up to `rows` samples, whose work stays where it is. While measuring, the tape is not written. */
void ffebmi_tape_lay_out(ffebmi_arena *arena, ffebmi_tape *tape, const ffebm_feedforward *block,
                         const ffebmi_arithmetic *arithmetic, size_t rows, const ffebmi_tape_work *work);

/* What a block computes with: its parameters (and their gradients) and buffers in the order of its ops. */
typedef struct ffebmi_feedforward_values {
    const ffebmi_arrays *arrays;
    const void *const *parameters;
    void *const *gradients; /* NULL: no parameter gradients wanted */
    void *const *buffers;
    double gradient_scale;
    uint64_t seed;         /* for ops of the user's, */
    uint64_t first_sample; /* and the number of the first sample in what they draw from */
    size_t whole;          /* rows over all ranks */
    bool training;
} ffebmi_feedforward_values;

/* *output is in the tape, or `input` itself where no op has numbers of its own. Only a user's op can fail, and one whose
 * samples depend on each other where ranks add up; both need a context. */
ffebm_status ffebmi_feedforward_forward(ffebm_context *context, const ffebm_feedforward *block, const ffebmi_tape *tape,
                                        const ffebmi_feedforward_values *values, size_t rows, const void *input,
                                        const void **output);

/* Pull *cotangent, of the output, back through the last forward on this tape, and add to the gradients. *cotangent becomes
 * that of the input (in the tape, or unchanged), or NULL if it is not wanted. */
ffebm_status ffebmi_feedforward_vjp(ffebm_context *context, const ffebm_feedforward *block, const ffebmi_tape *tape,
                                    const ffebmi_feedforward_values *values, size_t rows, const void *input,
                                    const void **cotangent, bool want_input_cotangent);

/* After a forward, whatever came of it: the first of the block's buffers (running statistics) that cannot be computed
 * with, or that a commit would make NaN or infinite; FFEBM_NONE: there is none. */
size_t ffebmi_feedforward_bad_buffer(const ffebm_feedforward *block, const ffebmi_tape *tape,
                                     const ffebmi_feedforward_values *values, size_t rows);

/* Move the buffers by what the last forward on this tape saw. */
void ffebmi_feedforward_commit(const ffebm_feedforward *block, const ffebmi_tape *tape,
                               const ffebmi_feedforward_values *values, size_t rows);

#endif
