/* What campaigns against saving save: a model of one map with an optimizer, all of whose parameters are one number, so that a
 * file that is whole has one number too. */
#ifndef FFEBM_TESTS_SAVED_H
#define FFEBM_TESTS_SAVED_H

#include <ffebm.h>

typedef struct saved {
    ffebm_context *context;
    ffebm_model *model;
    ffebm_optimizer *optimizer;
} saved;

/* A map from `inputs` to `outputs`, or the end of the program. */
saved saved_make(int64_t inputs, int64_t outputs);
void saved_close(const saved *s);

/* Give all parameters a value; the value that all of a model have, or -1. */
void saved_fill(const saved *s, float value);
float saved_value(ffebm_model *model);

/* The value of the model in a file; -1 if it cannot be loaded or its values differ. */
float saved_held(const saved *s, const char *path);

#endif
