/* Hopfield blocks at random: layers, skips, strides that leave a rest, pools, and if wanted neurons and taps, as descriptions
 * that a seed determines. */
#ifndef FFEBM_TESTS_RANDOM_GRAPH_H
#define FFEBM_TESTS_RANDOM_GRAPH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { GRAPH_LAYERS = 7, GRAPH_COUPLINGS = 16, GRAPH_TEXT = 8192 };

typedef struct random_graph {
    char json[GRAPH_TEXT]; /* a model: the block, float64, loss mse */
    size_t layers;
    size_t couplings;
    size_t from[GRAPH_COUPLINGS];
    size_t to[GRAPH_COUPLINGS];
    int64_t shape[GRAPH_LAYERS][3]; /* a vector's second and third are 0 */
    bool max_pools;                 /* has it any? Then an update need not be the minimum, though E does not rise, */
    bool may_rise;                  /* unless one is below a layer that may be negative */
    bool tapped[GRAPH_LAYERS];
} random_graph;

/* The block alone. Its neurons are those of one hard sigmoid. */
random_graph random_graph_of(uint64_t seed);

/* The same layers and couplings, with neurons of all kinds, layer by layer; in front of the block, which is stage 1, a stage that
 * hands its input on, and has taps. */
random_graph random_graph_with_neurons(uint64_t seed);

/* Which layers are coupled, and the colours: counted anew, from the list of couplings. */
bool random_graph_coupled(const random_graph *graph, size_t a, size_t b);
void random_graph_colors(const random_graph *graph, size_t color[GRAPH_LAYERS]);

#endif
