/* picture.h - readings and what was fitted to them, as a picture. */
#ifndef EXAMPLES_FIT_PICTURE_H
#define EXAMPLES_FIT_PICTURE_H

#include "population.h"

/* Write an SVG: on the left every device's trace, and the model's without noise for the mean of them; on the right the size of
 * a pulse against the weight, up and down. Returns 0, or -1 with the failure filled. */
int picture_write(const struct population *population, const struct traces *traces, const char *path,
                  struct failure *failure);

#endif
