/* Run a feedforward block forward and back. The tape is the caller's: it holds every op's output, as the VJP needs it.
 * With a context the work is spread over its threads; with NULL it is done here, for callers on a worker thread. */
#ifndef FFEBMI_FEEDFORWARD_TAPE_H
#define FFEBMI_FEEDFORWARD_TAPE_H

#include "core/arena.h"
#include "feedforward/feedforward.h"

typedef struct ffebmi_tape {
    void **outputs;      /* of op i; an op without numbers of its own shares its input's */
    void *cotangents[2]; /* in turn, on the way down */
} ffebmi_tape;

/* Lay out a tape for up to `rows` samples. While measuring, the tape is not written. */
void ffebmi_tape_place(ffebmi_arena *arena, ffebmi_tape *tape, const ffebm_feedforward *block,
                       const ffebmi_kernel *kernel, size_t rows);

/* What a block computes with: its parameters (and their gradients) in the order of its ops, bias after weight. */
typedef struct ffebmi_feedforward_values {
    const ffebmi_kernel *kernel;
    const void *const *parameters;
    void *const *gradients; /* NULL: no parameter gradients wanted */
    double gradient_scale;
} ffebmi_feedforward_values;

/* Returns the output: in the tape, or `input` itself where no op has numbers of its own. */
const void *ffebmi_feedforward_forward(ffebm_context *context, const ffebm_feedforward *block, const ffebmi_tape *tape,
                                       const ffebmi_feedforward_values *values, size_t rows, const void *input);

/* Pull `cotangent` of the output back through the last forward on this tape, and add to the gradients. Returns the
 * cotangent of the input (in the tape, or `cotangent` itself), or NULL if it is not wanted. */
const void *ffebmi_feedforward_vjp(ffebm_context *context, const ffebm_feedforward *block, const ffebmi_tape *tape,
                                   const ffebmi_feedforward_values *values, size_t rows, const void *input,
                                   const void *cotangent, bool want_input_cotangent);

#endif
