/* loader.h - the batches of an epoch, made ready by a thread of their own while the step before them computes.
 *
 * What a batch holds is a pure function of seed, epoch and step: the order of the samples and every augmentation are
 * drawn from counters, so neither the threads' timing nor where an epoch was started shows in it. A resumed run calls
 * loader_start with the step it had come to.
 */
#ifndef EXAMPLES_LOADER_H
#define EXAMPLES_LOADER_H

#include "batch.h"
#include "ranks.h"

/* Which samples, how many at a time, in which guise. */
struct loader_plan {
    const struct dataset *data; /* borrowed, like its part */
    const struct dataset_part *part;
    const struct ranks *ranks; /* borrowed: that share a step, this one taking its part; NULL: it is alone */
    size_t batch;              /* samples a step; the last step of an epoch may have fewer */
    uint64_t seed;             /* of order and augmentation */
    int32_t augment;           /* FFEBM_AUGMENT_ */
    int32_t shuffled;          /* 0: the samples as they come */
};

struct loader;

/* Create a loader and its thread, for a model's input shape and type. Returns 0, or -1 with the failure filled and *loader
 * NULL. The context is used only inside the calls below, by the caller's thread. */
int loader_create(struct loader **loader, ffebm_context *context, const ffebm_model *model,
                  const struct loader_plan *plan, struct failure *failure);

/* Begin an epoch, at one of its steps (from 0); what was left of the epoch before is dropped. */
void loader_start(struct loader *loader, uint64_t epoch, size_t first_step);

/* Get the next batch, yours until the next call of loader_next or loader_start. Returns 1; 0 at the end of the epoch;
 * -1 with the failure filled if the samples could not be read, and again at every further call of this epoch. */
int loader_next(struct loader *loader, const struct batch **batch, struct failure *failure);

/* Count the steps of an epoch. */
size_t loader_steps(const struct loader *loader);

/* How long loader_start and loader_next have kept their caller, since the loader was created: what loading costs. */
double loader_waited_seconds(const struct loader *loader);

/* Stop the thread, wherever it is in an epoch. NULL is allowed. */
void loader_destroy(struct loader *loader);

#endif
