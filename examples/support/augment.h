/* augment.h - random variants of images: mirrored, shifted. */
#ifndef EXAMPLES_AUGMENT_H
#define EXAMPLES_AUGMENT_H

#include <stdint.h>

#include "dataset.h"

/* Write a variant of the bytes of one image [channels, height, width].
 *
 * kind: FFEBM_AUGMENT_NONE copies; FFEBM_AUGMENT_FLIP mirrors left and right with probability 1/2;
 * FFEBM_AUGMENT_FLIP_CROP also cuts the image at a random place out of itself, padded by 4 pixels of its edge.
 * The same stream and draw give the same variant. */
void augment(unsigned char *variant, const unsigned char *image, const struct dataset *data, int32_t kind,
             uint64_t stream, uint64_t draw);

#endif
