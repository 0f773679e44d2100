#include <stddef.h>

#include "dataset.h"
#include "options.h"
#include "settings.h"

/* clang-format off */
static const struct option_choice splits[] = {
    {"mixed", DATASET_SPLIT_MIXED}, {"last", DATASET_SPLIT_LAST}, {NULL, 0}};
static const struct option_choice algorithms[] = {
    {"ep", ALGORITHM_EP}, {"id", ALGORITHM_ID}, {"bp", ALGORITHM_BP}, {NULL, 0}};
static const struct option_choice estimators[] = {
    {"centered", FFEBM_ESTIMATOR_CENTERED}, {"positive", FFEBM_ESTIMATOR_POSITIVE},
    {"negative", FFEBM_ESTIMATOR_NEGATIVE}, {"four_point", FFEBM_ESTIMATOR_FOUR_POINT},
    {"random_sign", FFEBM_ESTIMATOR_RANDOM_SIGN}, {"implicit", FFEBM_ESTIMATOR_IMPLICIT}, {NULL, 0}};
static const struct option_choice switches[] = {
    {"follow", FFEBM_SWITCHES_FOLLOW}, {"hold", FFEBM_SWITCHES_HOLD}, {NULL, 0}};
static const struct option_choice optimizers[] = {
    {"adam", FFEBM_OPTIMIZER_ADAM}, {"adamw", FFEBM_OPTIMIZER_ADAMW}, {"sgd", FFEBM_OPTIMIZER_SGD}, {NULL, 0}};
static const struct option_choice schedules[] = {
    {"constant", FFEBM_SCHEDULE_CONSTANT}, {"cosine", FFEBM_SCHEDULE_COSINE}, {NULL, 0}};
static const struct option_choice units[] = {
    {"step", FFEBM_PER_STEP}, {"epoch", FFEBM_PER_EPOCH}, {NULL, 0}};
static const struct option_choice augmentations[] = {
    {"none", FFEBM_AUGMENT_NONE}, {"flip", FFEBM_AUGMENT_FLIP}, {"flip-crop", FFEBM_AUGMENT_FLIP_CROP}, {NULL, 0}};

#define TEXT(name, field, value, text)          {name, value, text, NULL, offsetof(struct settings, field), 0, 0, OPTION_TEXT}
#define INTEGER(name, field, least, most, text) {name, "N", text, NULL, offsetof(struct settings, field), least, most, OPTION_INTEGER}
#define NUMBER(name, field, text)               {name, "X", text, NULL, offsetof(struct settings, field), 0, 0, OPTION_NUMBER}
#define POSITIVE(name, field, text)             {name, "X", text, NULL, offsetof(struct settings, field), 0, 0, OPTION_POSITIVE}
#define CHOICE(name, field, choices, text)      {name, NULL, text, choices, offsetof(struct settings, field), 0, 0, OPTION_CHOICE}
#define FLAG(name, field, text)                 {name, NULL, text, NULL, offsetof(struct settings, field), 0, 0, OPTION_FLAG}

static const struct option table[] = {
    TEXT("model", model, "FILE.json", "description of the model; its recipe gives the defaults below"),
    TEXT("dataset", dataset, "NAME", "digits (default), fashion-mnist, mnist, cifar10, cifar100 or imagenet32"),
    TEXT("data", data, "DIR", "directory of its files"),
    CHOICE("split", split, splits, "digits: every fifth sample tests (default), or the last 360"),
    INTEGER("epochs", recipe.epochs, 0, 1000000, "passes over the training samples; 0 only evaluates"),
    INTEGER("batch", recipe.batch, 1, 65536, "samples a step"),
    CHOICE("algorithm", algorithm, algorithms, "equilibrium propagation, or implicit differentiation; bp: no energy blocks"),
    CHOICE("estimator", recipe.estimator, estimators, "how a gradient is read off nudged states"),
    CHOICE("switches", recipe.switches, switches, "of max pools, in nudged phases"),
    POSITIVE("beta", recipe.beta, "strength of the nudging"),
    INTEGER("free-sweeps", recipe.free_sweeps, 1, 1000000, "at most, in free phases"),
    INTEGER("nudged-sweeps", recipe.nudged_sweeps, 1, 1000000, "at most, in nudged phases"),
    NUMBER("free-tolerance", recipe.free_tolerance, "where free phases stop; 0: all sweeps"),
    NUMBER("nudged-tolerance", recipe.nudged_tolerance, "where nudged phases stop; 0: all sweeps"),
    CHOICE("optimizer", recipe.optimizer, optimizers, "how parameters are updated"),
    NUMBER("lr", recipe.lr, "learning rate at first"),
    NUMBER("lr-min", recipe.lr_min, "learning rate at last, under the cosine schedule"),
    CHOICE("schedule", recipe.schedule, schedules, "how the learning rate moves"),
    CHOICE("schedule-per", recipe.schedule_per, units, "how often it moves"),
    NUMBER("weight-decay", recipe.weight_decay, "pull towards zero; decoupled with adamw"),
    NUMBER("label-smoothing", recipe.label_smoothing, "of labels in training, below 1: the part spread over all classes"),
    CHOICE("augment", recipe.augment, augmentations, "random variants of the training images"),
    INTEGER("seed", seed, 0, INT64_MAX, "of first values, order and augmentation (default 0)"),
    INTEGER("threads", threads, 0, 1024, "0: one a processor (default)"),
    INTEGER("limit-train", limit_train, 0, INT64_MAX, "only the first N training samples; 0: all (default)"),
    INTEGER("limit-test", limit_test, 0, INT64_MAX, "only the first N test samples; 0: all (default)"),
    TEXT("checkpoint", checkpoint, "FILE", "saved after every epoch"),
    TEXT("resume", resume, "FILE", "go on from a checkpoint: give the options of its run again; --model may be left out"),
    TEXT("log", log, "FILE.jsonl", "one JSON object a line and epoch; added to when resuming"),
    FLAG("quiet", quiet, "no progress on stderr"),
    FLAG("help", help, "print this"),
    {NULL, NULL, NULL, NULL, 0, 0, 0, 0}};
/* clang-format on */

void settings_init(struct settings *settings)
{
    *settings = (struct settings){.recipe = {.size = sizeof settings->recipe},
                                  .dataset = "digits",
                                  .split = DATASET_SPLIT_DEFAULT,
                                  .algorithm = ALGORITHM_EP};
}

int settings_parse(struct settings *settings, int argc, char **argv, struct failure *failure)
{
    if (options_parse(settings, table, argc, argv, failure) != 0)
        return -1;
    if (!settings->help && settings->model == NULL && settings->resume == NULL)
        return failure_set(failure, "--model: not given, expected a model description (or --resume); see --help");
    return 0;
}

void settings_print_help(void)
{
    printf("Usage: train --model FILE.json [options]\n\n"
           "Train a chain of feedforward and energy blocks. The last line printed is one JSON object.\n\n");
    options_print(stdout, table);
}

void settings_equilibrium(const struct settings *settings, ffebm_equilibrium_config *config)
{
    const ffebm_recipe *recipe = &settings->recipe;

    ffebm_equilibrium_config_init(config, sizeof *config);
    config->beta = recipe->beta;
    config->free_tolerance = recipe->free_tolerance;
    config->nudged_tolerance = recipe->nudged_tolerance;
    config->free_sweeps = recipe->free_sweeps;
    config->nudged_sweeps = recipe->nudged_sweeps;
    config->switches = recipe->switches;
    config->estimator = settings->algorithm == ALGORITHM_ID ? FFEBM_ESTIMATOR_IMPLICIT : recipe->estimator;
}

static ffebm_status create_sgd(const ffebm_recipe *recipe, ffebm_optimizer **optimizer, ffebm_model *model)
{
    ffebm_sgd_config config;

    ffebm_sgd_config_init(&config, sizeof config);
    config.learning_rate = recipe->lr;
    config.momentum = recipe->momentum;
    config.nesterov = recipe->nesterov;
    config.weight_decay = recipe->weight_decay;
    return ffebm_sgd_create(optimizer, model, &config);
}

static ffebm_status create_adam(const ffebm_recipe *recipe, ffebm_optimizer **optimizer, ffebm_model *model)
{
    ffebm_adam_config config;

    ffebm_adam_config_init(&config, sizeof config);
    config.learning_rate = recipe->lr;
    config.weight_decay = recipe->weight_decay;
    config.decoupled_decay = recipe->optimizer == FFEBM_OPTIMIZER_ADAMW;
    return ffebm_adam_create(optimizer, model, &config);
}

ffebm_status settings_optimizer(const struct settings *settings, ffebm_optimizer **optimizer, ffebm_model *model)
{
    const ffebm_recipe *recipe = &settings->recipe;

    return recipe->optimizer == FFEBM_OPTIMIZER_SGD ? create_sgd(recipe, optimizer, model)
                                                    : create_adam(recipe, optimizer, model);
}

double settings_learning_rate(const struct settings *settings, int64_t epoch, int64_t step, int64_t steps_per_epoch)
{
    const ffebm_recipe *recipe = &settings->recipe;

    if (recipe->schedule == FFEBM_SCHEDULE_CONSTANT)
        return recipe->lr;
    if (recipe->schedule_per == FFEBM_PER_EPOCH)
        return ffebm_schedule_cosine(recipe->lr, recipe->lr_min, epoch, recipe->epochs);
    return ffebm_schedule_cosine(recipe->lr, recipe->lr_min, epoch * steps_per_epoch + step,
                                 recipe->epochs * steps_per_epoch);
}
