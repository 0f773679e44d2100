#include <inttypes.h>
#include <stddef.h>

#include "dataset.h"
#include "fit.h"
#include "options.h"
#include "recipe.h"
#include "settings.h"

/* clang-format off */
static const struct option_choice splits[] = {
    {"mixed", DATASET_SPLIT_MIXED}, {"last", DATASET_SPLIT_LAST}, {NULL, 0}};
static const struct option_choice isas[] = {
    {"best", 0}, {"avx512", FFEBM_ISA_AVX512}, {"avx2", FFEBM_ISA_AVX2}, {"portable", FFEBM_ISA_PORTABLE}, {NULL, 0}};
static const struct option_choice algorithms[] = {
    {"ep", ALGORITHM_EP}, {"id", ALGORITHM_ID}, {"bp", ALGORITHM_BP}, {NULL, 0}};

#define AT(field) offsetof(struct settings, field)
#define TEXT(name, field, value, text)          {name, value, text, NULL, AT(field), 0, 0, OPTION_TEXT}
#define PATH(name, field, value, text)          {name, value, text, NULL, AT(field), 0, 0, OPTION_PATH}
#define ONCE_PATH(name, field, value, text)     {name, value, text, NULL, AT(field), 0, 0, OPTION_PATH | OPTION_ONCE}
#define INTEGER(name, field, least, most, text) {name, "N", text, NULL, AT(field), least, most, OPTION_INTEGER}
#define NUMBER(name, field, text)               {name, "X", text, NULL, AT(field), 0, 0, OPTION_NUMBER}
#define MINUTES(name, field, text)              {name, "MIN", text, NULL, AT(field), 0, 0, OPTION_NUMBER}
#define CHOICE(name, field, choices, text)      {name, NULL, text, choices, AT(field), 0, 0, OPTION_CHOICE}
#define ONCE_CHOICE(name, field, choices, text) {name, NULL, text, choices, AT(field), 0, 0, OPTION_CHOICE | OPTION_ONCE}
#define SETTINGS(config, field)                 {"", NULL, NULL, NULL, AT(field), config, 0, OPTION_SETTINGS}
#define FLAG(name, field, text)                 {name, NULL, text, NULL, AT(field), 0, 0, OPTION_FLAG}
#define ONCE_FLAG(name, field, letter, text)    {name, NULL, text, NULL, AT(field), 0, 0, OPTION_FLAG | OPTION_ONCE | (letter)}

static const struct option table[] = {
    PATH("model", model, "FILE.json", "description of the model, with the recipe that gives defaults below"),
    TEXT("dataset", dataset, "NAME", "digits, fashion-mnist, mnist, cifar10, cifar100 or imagenet32"),
    PATH("data", data, "DIR", "directory of its files"),
    CHOICE("split", split, splits, "of digits: every fifth sample tests, or the last 360 do (default mixed)"),
    INTEGER("limit-train", limit_train, 0, INT64_MAX, "use the first N training samples; 0: all"),
    INTEGER("limit-test", limit_test, 0, INT64_MAX, "use the first N test samples; 0: all"),
    INTEGER("val", validation, 0, INT64_MAX, "hold out N of the training samples, drawn by the seed; the best epoch is then the one "
            "that is best on these, not on the test samples"),

    ONCE_PATH("run", run, "DIR", "a new directory for everything of the run: settings, log, checkpoints, result"),
    ONCE_PATH("resume", resume, "DIR", "go on with the run in DIR, bit for bit. Or with a checkpoint: where none of a run "
              "directory, give the options of its run again. Other options have the last word, but --seed, and the network of "
              "a --model, must be the run's; in the middle of an epoch --batch and --limit-train too"),
    ONCE_PATH("predict", predict, "FILE.csv", "instead of training, write what the model that is resumed makes of each test sample: "
              "index, label, prediction, probability"),
    ONCE_FLAG("other-data", other_data, 0, "resume although the data set is not the one that the run was begun with"),
    PATH("checkpoint", checkpoint, "FILE", "where the last checkpoint goes, without --run"),
    MINUTES("checkpoint-minutes", checkpoint_minutes, "save so often between epochs, in minutes; 0: after epochs alone"),
    MINUTES("max-minutes", max_minutes, "stop after so many minutes, save, test; 0: when all epochs are done"),
    PATH("log", log, "FILE.jsonl", "one JSON object a line and epoch, without --run"),
    INTEGER("log-every", log_every, 0, INT64_MAX, "a line of the log for every N steps too; 0: epochs alone"),
    FLAG("quiet", quiet, "no progress on stderr"),
    NUMBER("max-loss", limits.loss, "stop as diverged if the training loss is X times what an untrained model loses; "
           "0: never"),
    NUMBER("max-residual", limits.residual, "likewise if layers still change by X of themselves at the end of free phases; "
           "0: never"),

    INTEGER("epochs", recipe.epochs, 0, 1000000, "passes over the training samples; 0 only tests"),
    SETTINGS(FFEBM_CONFIG_RECIPE, recipe),
    INTEGER("patience", patience, 0, 1000000, "stop after N epochs that were not better on the samples of --val; 0: never"),
    INTEGER("seed", seed, 0, INT64_MAX, "of first values, order and augmentation"),
    INTEGER("device-seed", device_seed, 0, INT64_MAX, "of all devices, in place of the description's: other chips, also for a "
            "run that is resumed; 0: its own"),
    INTEGER("threads", threads, 0, 1024, "that compute; 0: one a processor that it may use"),
    CHOICE("isa", isa, isas, "instructions to use at most; results differ between them by rounding"),
    TEXT("rates", rates, "PREFIX=RATE[:DECAY],...", "factors of learning rate and weight decay for parameters by name, as "
         "in stage0=0.5,stage4.1.bias=1:0; later ones win"),
    TEXT("freeze", freeze, "PREFIX,...", "parameters that are not trained"),

    SETTINGS(FFEBM_CONFIG_EQUILIBRIUM, equilibrium),
    ONCE_CHOICE("algorithm", algorithm, algorithms, "equilibrium propagation, or implicit differentiation (estimator implicit); bp: "
                "no energy blocks"),
    ONCE_FLAG("help", help, OPTION_LETTER, "print this; with --model, the defaults of its recipe"),
    ONCE_FLAG("version", version, 0, "print which library this is"),
    {NULL, NULL, NULL, NULL, 0, 0, 0, 0}};
/* clang-format on */

void settings_init(struct settings *settings, const ffebm_model *model)
{
    *settings = (struct settings){.recipe = {.size = sizeof settings->recipe},
                                  .equilibrium = {.size = sizeof settings->equilibrium},
                                  .limits = {.loss = 10, .residual = 0.5},
                                  .dataset = "digits",
                                  .checkpoint_minutes = 10,
                                  .split = DATASET_SPLIT_DEFAULT};
    ffebm_model_recipe(model, &settings->recipe);
    ffebm_model_equilibrium(model, &settings->equilibrium);
}

int settings_parse(struct settings *settings, int argc, char **argv, struct failure *failure)
{
    return options_parse(settings, table, argc, argv, failure);
}

int settings_complete(struct settings *settings, const ffebm_model *model, struct failure *failure)
{
    const ffebm_recipe *recipe = &settings->recipe;
    ffebm_equilibrium_config *equilibrium = &settings->equilibrium;

    if (settings->algorithm == ALGORITHM_ID)
        equilibrium->estimator = FFEBM_ESTIMATOR_IMPLICIT;
    if (settings->algorithm == ALGORITHM_EP && equilibrium->estimator == FFEBM_ESTIMATOR_IMPLICIT)
        equilibrium->estimator = FFEBM_ESTIMATOR_CENTERED;
    if (settings->algorithm == ALGORITHM_BP && fit_find_energy(model) != FFEBM_NONE)
        return failure_set(failure,
                           "--algorithm bp: expected a chain without energy blocks, stage %zu is one; use ep or id",
                           fit_find_energy(model));
    if (settings->patience > 0 && settings->validation == 0)
        return failure_set(failure,
                           "--patience %" PRId64 ": expected --val N too; test samples that decide when to stop no "
                           "longer test",
                           settings->patience);
    if (recipe->schedule == FFEBM_SCHEDULE_STEP && recipe->lr_period == 0)
        return failure_set(failure, "--lr-period 0: expected 1 or more with --schedule step");
    if (recipe->momentum >= 1)
        return failure_set(failure, "--momentum %g: expected a number below 1", recipe->momentum);
    return 0;
}

void settings_write(FILE *file, const struct settings *settings, const char *const *only, const char *between)
{
    options_write(file, table, settings, only, between);
}

void settings_print_help(const struct settings *settings, const char *program)
{
    printf("Usage: %s --model FILE.json [options]\n"
           "       %s --resume DIR [options]\n\n"
           "Train a chain of feedforward and energy blocks. The last line printed is one JSON object.\n\n",
           program, program);
    options_print(stdout, table, settings);
    printf("\nSIGINT and SIGTERM end the run after the step that is being made; it is saved and can be resumed.\n"
           "Status: 0 done, 1 failed or diverged, 2 wrong options, 130 or 143 stopped by a signal.\n");
}
