/* shuffle.h - the order of an epoch's samples, as a pure function of the run's seed and the epoch's number.
 *
 * No generator has a state that would have to be saved: whoever resumes at epoch 7 asks for the order of epoch 7.
 */
#ifndef EXAMPLES_SHUFFLE_H
#define EXAMPLES_SHUFFLE_H

#include <stddef.h>
#include <stdint.h>

/* What random numbers are for; each purpose has streams of its own. */
enum { STREAM_SHUFFLE = 1, STREAM_AUGMENT = 2, STREAM_ENGINE = 3, STREAM_VALIDATION = 4 };

/* Derive the seed of one purpose's stream in one epoch, for ffebm_random_uniform. */
uint64_t stream_seed(uint64_t seed, uint64_t purpose, uint64_t epoch);

/* Write 0 .. count - 1 in random order. */
void shuffle(size_t *order, size_t count, uint64_t stream);

#endif
