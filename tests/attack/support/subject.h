/* What is attacked: a small model that has trained a step, with an engine, an optimizer and a batch, and the bits of
 * whatever in it may not change by a call that fails. */
#ifndef FFEBM_TESTS_SUBJECT_H
#define FFEBM_TESTS_SUBJECT_H

#include <ffebm.h>

enum {
    SUBJECT_DENSE,  /* float32: linear, relu | two dense couplings | linear */
    SUBJECT_CONV,   /* float32: conv2d, batchnorm2d | conv2d with a max pool, dense, clamped | layernorm, linear */
    SUBJECT_DOUBLE, /* float64: avgpool2d, tanh | two conv2d couplings | flatten, linear */
    SUBJECT_OWN,    /* float64: linear, a block of the host's own | another, of energy | one dense coupling */
    SUBJECTS
};
enum { SUBJECT_CLASSES = 3 };

typedef struct subject {
    ffebm_context *context;
    ffebm_model *model;
    ffebm_engine *engine;
    ffebm_optimizer *optimizer;
    ffebm_tensor *x;
    ffebm_tensor *y;
    int64_t rows;
} subject;

/* JSON of the first three. */
extern const char *const subject_descriptions[SUBJECT_OWN];

/* The parts, for campaigns that attack one of them; each ends the program with a sentence where it fails. `config` may be
 * NULL. A subject that is not whole can be closed too. */
void subject_context(subject *s, const ffebm_context_config *config);
void subject_model(subject *s, int kind);          /* building */
void subject_batch(subject *s, int64_t rows);      /* x and y */
void subject_train(subject *s, int32_t estimator); /* ready, engine, optimizer, one step */

/* All of them: of `kind`, with `rows` samples, trained a step with an estimator. */
void subject_open(subject *s, const ffebm_context_config *config, int kind, int64_t rows, int32_t estimator);
void subject_close(subject *s);

/* The bits of parameters, running statistics and optimizer; 0 if it is not ready. */
uint64_t subject_bits(const subject *s);

/* Sum of bits, continued from `sum`. */
uint64_t bits_of(uint64_t sum, const void *bytes, size_t count);

/* End the program with the context's text unless status is FFEBM_OK. */
void subject_check(const subject *s, ffebm_status status);

#endif
