/* The optimizer handle, and the table that every update rule fills. */
#ifndef FFEBMI_OPTIMIZER_OPTIMIZER_H
#define FFEBMI_OPTIMIZER_OPTIMIZER_H

#include <ffebm/optimizer.h>

#include "model/model.h"

enum { FFEBMI_MAX_MOMENTS = 2 };

/* One update of n numbers. With commit false nothing is written: the update is only tried. */
typedef struct ffebmi_update {
    size_t n;
    void *parameters;
    const void *gradients;
    void *moments[FFEBMI_MAX_MOMENTS];
    double gradient_scale; /* from clipping */
    double learning_rate;
    double weight_decay;
    double lower; /* new parameters are projected onto [lower, upper] */
    double upper;
    bool commit;
} ffebmi_update;

extern const ffebmi_settings ffebmi_sgd_settings;
extern const ffebmi_settings ffebmi_adam_settings;

/* Settings of all rules; each reads its own. */
typedef struct ffebmi_rule_settings {
    double momentum;
    double beta1;
    double beta2;
    double epsilon;
    double correction1; /* 1 - beta1^step */
    double correction2;
    bool nesterov;
    bool decoupled_decay;
} ffebmi_rule_settings;

/* Returns whether all new values are finite, before they are projected. */
typedef bool (*ffebmi_update_fn)(const ffebmi_update *update, const ffebmi_rule_settings *settings);

typedef struct ffebmi_rule {
    const char *name; /* "sgd" */
    size_t moment_count;
    const char *moment_names[FFEBMI_MAX_MOMENTS];
    ffebmi_update_fn f32;
    ffebmi_update_fn f64;
} ffebmi_rule;

typedef struct ffebmi_multipliers {
    double learning_rate;
    double weight_decay;
} ffebmi_multipliers;

struct ffebm_optimizer {
    ffebm_context *context;
    ffebm_model *model;
    const ffebmi_rule *rule;
    ffebmi_rule_settings settings;
    double learning_rate;
    double weight_decay;
    double clip_norm;
    int64_t steps;
    ffebmi_multipliers *multipliers;   /* [parameter] */
    void *before;                      /* of a parameter that is written by pulses; NULL: none is */
    void *moments[FFEBMI_MAX_MOMENTS]; /* each as the model's flat parameters */
    double *asked[3]; /* what a rule of the user's is given, of the largest that has one; NULL: none has */
    void *staged[1 + FFEBMI_MAX_MOMENTS]; /* likewise values and moments that are to be, each as the flat parameters */
};

bool ffebmi_sgd_f32(const ffebmi_update *update, const ffebmi_rule_settings *settings);
bool ffebmi_sgd_f64(const ffebmi_update *update, const ffebmi_rule_settings *settings);
bool ffebmi_adam_f32(const ffebmi_update *update, const ffebmi_rule_settings *settings);
bool ffebmi_adam_f64(const ffebmi_update *update, const ffebmi_rule_settings *settings);

/* Parameters that rules of the user's write (staged.c). An update begins on copies, whose values then are what is asked for; the
 * rule is asked, and they are what it leaves; and they are taken. */
ffebm_status ffebmi_staged_create(ffebm_optimizer *optimizer);
void ffebmi_staged_destroy(ffebm_optimizer *optimizer);
void ffebmi_staged_begin(const ffebm_optimizer *optimizer, const ffebmi_arrays *arrays, size_t parameter,
                         ffebmi_update *update);
ffebm_status ffebmi_staged_ask(const ffebm_optimizer *optimizer, const ffebmi_arrays *arrays, size_t parameter);
void ffebmi_staged_take(const ffebm_optimizer *optimizer, const ffebmi_arrays *arrays, size_t parameter);

/* A rule's memory, for checkpoints: arrays laid out as the flat parameters. */
size_t ffebmi_optimizer_moment_count(const ffebm_optimizer *optimizer);
const char *ffebmi_optimizer_moment_name(const ffebm_optimizer *optimizer, size_t moment);
void *ffebmi_optimizer_moment(const ffebm_optimizer *optimizer, size_t moment);
const char *ffebmi_optimizer_algorithm(const ffebm_optimizer *optimizer);
int64_t ffebmi_optimizer_steps(const ffebm_optimizer *optimizer);
void ffebmi_optimizer_set_steps(ffebm_optimizer *optimizer, int64_t steps);
ffebm_model *ffebmi_optimizer_model(const ffebm_optimizer *optimizer);

#endif
