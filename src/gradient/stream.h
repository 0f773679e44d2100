/* What an engine draws from: random signs of samples, and the seeds that blocks get. All of it is a function of the seed, the
 * number of the computing call and a sample's own number, so that it does not depend on how a batch is cut over calls. */
#ifndef FFEBMI_GRADIENT_STREAM_H
#define FFEBMI_GRADIENT_STREAM_H

#include <ffebm/core.h>

#include "core/draw.h"

typedef struct ffebmi_stream {
    uint64_t seed;
    uint64_t step;         /* the number of the next computing call */
    uint64_t first_sample; /* the number of the first sample of its batch */
    unsigned repetition;   /* of nudged phases that are repeated */
    bool quiet;            /* devices draw nothing that differs between settlings */
    uint64_t call;         /* what the present call draws from, */
    uint64_t draws;        /* and how often it has */
} ffebmi_stream;

/* A computing call begins: what it draws follows from the seed and its number. */
void ffebmi_stream_begin(ffebmi_stream *stream);

/* It ends, and if it has succeeded the next one has the next number. Returns the status. Analysis has no number of its own: it
 * begins and does not end. */
ffebm_status ffebmi_stream_end(ffebmi_stream *stream, ffebm_status status);

/* The next seed of the present call, for a block that draws. */
uint64_t ffebmi_stream_draw(ffebmi_stream *stream);

/* What devices draw from in the present call. */
ffebmi_occasion ffebmi_stream_occasion(const ffebmi_stream *stream);

/* +1 or -1, drawn for a sample of the present call's batch. */
double ffebmi_stream_sign(const ffebmi_stream *stream, size_t sample);

#endif
