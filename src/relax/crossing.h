/* Rows of numbers that cross the borders of a device: inputs, readings and forces of one sample. What is drawn for a row is a
 * function of its occasion, so that asking for it once more gives the same. */
#ifndef FFEBMI_RELAX_CROSSING_H
#define FFEBMI_RELAX_CROSSING_H

#include "energy/chip.h"

/* Memory of one worker. */
typedef struct ffebmi_crossing_work {
    double *row; /* of the widest layer or input */
    double *noise;
} ffebmi_crossing_work;

typedef struct ffebmi_crossing {
    const ffebm_energy *block; /* on a device */
    const ffebmi_arrays *arrays;
    const ffebmi_occasion *occasion;
    const ffebmi_crossing_work *work;
    size_t sample;
    unsigned phase; /* 0: the free one; 1 and on: the nudges */
} ffebmi_crossing;

/* The phase of a nudge or (FFEBM_NONE) the free one. */
unsigned ffebmi_crossing_phase(size_t nudge);

/* Is nothing drawn? */
bool ffebmi_crossing_is_quiet(const ffebm_energy *block, const ffebmi_occasion *occasion);

ffebmi_draw ffebmi_crossing_draw(const ffebmi_crossing *crossing, unsigned effect);

/* Of what a layer may be given, whether it is or not; and of the widest layer or input. */
size_t ffebmi_crossing_width(const ffebm_energy *block, size_t layer);
size_t ffebmi_crossing_widest(const ffebm_energy *block);

/* What a layer feels beside the couplings: its input (NULL: none) through its converter, the offsets of its neurons and their
 * noise; as much of it as reaches them, if so. `from` and `to` are batches. */
void ffebmi_cross_in(const ffebmi_crossing *crossing, size_t layer, const void *from, bool with_gains, void *to);

/* A layer as it is read. */
void ffebmi_cross_out(const ffebmi_crossing *crossing, size_t layer, const void *from, void *to);

/* Forces on the last layer: an error through its converter, `strength` times; or what falls with the state, as it is. Both by
 * the gains of the nudge, unless it is none, and of the neurons. */
typedef struct ffebmi_force_crossing {
    bool converts;
    bool nudges;
    double strength;
} ffebmi_force_crossing;
void ffebmi_cross_force(const ffebmi_crossing *crossing, const ffebmi_force_crossing *how, const void *from, void *to);

#endif
