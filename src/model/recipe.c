#include "model/recipe.h"

#include <math.h>
#include <stddef.h>

#include "core/context.h"
#include "core/sized.h"

static const ffebmi_choice optimizers[] = {
    {"sgd", FFEBM_OPTIMIZER_SGD}, {"adam", FFEBM_OPTIMIZER_ADAM}, {"adamw", FFEBM_OPTIMIZER_ADAMW}, {NULL, 0}};
static const ffebmi_choice schedules[] = {
    {"constant", FFEBM_SCHEDULE_CONSTANT}, {"cosine", FFEBM_SCHEDULE_COSINE}, {"step", FFEBM_SCHEDULE_STEP}, {NULL, 0}};
static const ffebmi_choice periods[] = {{"step", FFEBM_PER_STEP}, {"epoch", FFEBM_PER_EPOCH}, {NULL, 0}};
static const ffebmi_choice augmentations[] = {
    {"none", FFEBM_AUGMENT_NONE}, {"flip", FFEBM_AUGMENT_FLIP}, {"flip-crop", FFEBM_AUGMENT_FLIP_CROP}, {NULL, 0}};
static const ffebmi_choice estimators[] = {{"centered", FFEBM_ESTIMATOR_CENTERED},
                                           {"positive", FFEBM_ESTIMATOR_POSITIVE},
                                           {"negative", FFEBM_ESTIMATOR_NEGATIVE},
                                           {"four_point", FFEBM_ESTIMATOR_FOUR_POINT},
                                           {"random_sign", FFEBM_ESTIMATOR_RANDOM_SIGN},
                                           {"implicit", FFEBM_ESTIMATOR_IMPLICIT},
                                           {NULL, 0}};
static const ffebmi_choice switches[] = {{"follow", FFEBM_SWITCHES_FOLLOW}, {"hold", FFEBM_SWITCHES_HOLD}, {NULL, 0}};

static const ffebmi_choice precisions[] = {{"full", FFEBM_PRECISION_FULL}, {"mixed", FFEBM_PRECISION_MIXED}, {NULL, 0}};
static const ffebmi_choice nudgings[] = {
    {"auto", FFEBM_NUDGING_AUTO}, {"loss", FFEBM_NUDGING_LOSS}, {"linear", FFEBM_NUDGING_LINEAR}, {NULL, 0}};

typedef enum kind { NUMBER, INTEGER, CHOICE, FLAG } kind;

typedef struct entry {
    const char *key;
    kind kind;
    size_t offset;
    double smallest; /* of numbers and integers */
    bool above;      /* and that itself is not allowed */
    double below;    /* what they must stay under; 0: nothing */
    const ffebmi_choice *choices;
} entry;

#define AT(field) offsetof(ffebm_recipe, field)

static const entry entries[] = {
    {"epochs", INTEGER, AT(epochs), 1, false, 0, NULL},
    {"batch", INTEGER, AT(batch), 1, false, 0, NULL},
    {"optimizer", CHOICE, AT(optimizer), 0, false, 0, optimizers},
    {"lr", NUMBER, AT(lr), 0, false, 0, NULL},
    {"lr_min", NUMBER, AT(lr_min), 0, false, 0, NULL},
    {"schedule", CHOICE, AT(schedule), 0, false, 0, schedules},
    {"schedule_per", CHOICE, AT(schedule_per), 0, false, 0, periods},
    {"lr_factor", NUMBER, AT(lr_factor), 0, false, 0, NULL},
    {"lr_period", INTEGER, AT(lr_period), 0, false, 0, NULL},
    {"warmup", INTEGER, AT(warmup), 0, false, 0, NULL},
    {"clip_norm", NUMBER, AT(clip_norm), 0, false, 0, NULL},
    {"weight_decay", NUMBER, AT(weight_decay), 0, false, 0, NULL},
    {"momentum", NUMBER, AT(momentum), 0, false, 0, NULL},
    {"nesterov", FLAG, AT(nesterov), 0, false, 0, NULL},
    {"augment", CHOICE, AT(augment), 0, false, 0, augmentations},
    {"label_smoothing", NUMBER, AT(label_smoothing), 0, false, 1, NULL},
    {"beta", NUMBER, AT(beta), 0, true, 0, NULL},
    {"estimator", CHOICE, AT(estimator), 0, false, 0, estimators},
    {"switches", CHOICE, AT(switches), 0, false, 0, switches},
    {"nudging", CHOICE, AT(nudging), 0, false, 0, nudgings},
    {"free_sweeps", INTEGER, AT(free_sweeps), 1, false, 0, NULL},
    {"nudged_sweeps", INTEGER, AT(nudged_sweeps), 1, false, 0, NULL},
    {"free_tolerance", NUMBER, AT(free_tolerance), 0, false, 0, NULL},
    {"nudged_tolerance", NUMBER, AT(nudged_tolerance), 0, false, 0, NULL},
    {"relaxation", NUMBER, AT(relaxation), 0, true, 2, NULL},
    {"precision", CHOICE, AT(precision), 0, false, 0, precisions},
};

enum { ENTRY_COUNT = sizeof entries / sizeof entries[0] };

void ffebmi_recipe_init(ffebm_recipe *recipe)
{
    ffebm_equilibrium_config equilibrium;

    ffebm_equilibrium_config_init(&equilibrium, sizeof equilibrium);
    *recipe = (ffebm_recipe){.size = sizeof *recipe,
                             .epochs = 10,
                             .batch = 64,
                             .lr = 1e-3,
                             .momentum = 0.9,
                             .beta = equilibrium.beta,
                             .free_tolerance = equilibrium.free_tolerance,
                             .nudged_tolerance = equilibrium.nudged_tolerance,
                             .free_sweeps = equilibrium.free_sweeps,
                             .nudged_sweeps = equilibrium.nudged_sweeps,
                             .estimator = equilibrium.estimator,
                             .switches = equilibrium.switches,
                             .nudging = equilibrium.nudging,
                             .relaxation = equilibrium.relaxation,
                             .precision = equilibrium.precision,
                             .lr_factor = 0.1,
                             .optimizer = FFEBM_OPTIMIZER_ADAM,
                             .schedule = FFEBM_SCHEDULE_CONSTANT,
                             .schedule_per = FFEBM_PER_EPOCH,
                             .augment = FFEBM_AUGMENT_NONE};
}

void ffebmi_recipe_equilibrium(const ffebm_recipe *recipe, ffebm_equilibrium_config *config)
{
    ffebm_equilibrium_config_init(config, sizeof *config);
    config->beta = recipe->beta;
    config->free_tolerance = recipe->free_tolerance;
    config->nudged_tolerance = recipe->nudged_tolerance;
    config->free_sweeps = recipe->free_sweeps;
    config->nudged_sweeps = recipe->nudged_sweeps;
    config->estimator = recipe->estimator;
    config->switches = recipe->switches;
    config->nudging = recipe->nudging;
    config->relaxation = recipe->relaxation;
    config->precision = recipe->precision;
}

static ffebm_status parse_entry(const ffebmi_fields *fields, const entry *e, ffebm_recipe *recipe)
{
    void *field = (char *)recipe + e->offset;
    double number;

    switch (e->kind) {
    case CHOICE:
        return ffebmi_fields_choice(fields, e->key, e->choices, field);
    case FLAG:
        return ffebmi_fields_flag(fields, e->key, field);
    case INTEGER:
        FFEBMI_TRY(ffebmi_fields_integer(fields, e->key, field));
        number = (double)*(int64_t *)field;
        break;
    default:
        FFEBMI_TRY(ffebmi_fields_number(fields, e->key, field));
        number = *(double *)field;
    }
    FFEBMI_CHECK(fields->context, e->above ? number > e->smallest : number >= e->smallest, FFEBM_ERR_PARSE,
                 "%s: \"%s\" is %g, expected %s %g", fields->where, e->key, number, e->above ? "more than" : "at least",
                 e->smallest);
    FFEBMI_CHECK(fields->context, e->below == 0 || number < e->below, FFEBM_ERR_PARSE,
                 "%s: \"%s\" is %g, expected less than %g", fields->where, e->key, number, e->below);
    return FFEBM_OK;
}

ffebm_status ffebmi_recipe_parse(ffebm_context *context, ffebm_recipe *recipe, const cJSON *json)
{
    const char *keys[ENTRY_COUNT + 1] = {NULL};
    ffebmi_fields fields;

    for (size_t i = 0; i < ENTRY_COUNT; i++)
        keys[i] = entries[i].key;
    FFEBMI_TRY(ffebmi_fields_begin(&fields, context, json, "recipe", keys));
    for (size_t i = 0; i < ENTRY_COUNT; i++)
        FFEBMI_TRY(parse_entry(&fields, &entries[i], recipe));
    return FFEBM_OK;
}

static double number_of(const entry *e, const ffebm_recipe *recipe)
{
    const void *field = (const char *)recipe + e->offset;

    switch (e->kind) {
    case CHOICE:
    case FLAG:
        return *(const int32_t *)field;
    case INTEGER:
        return (double)*(const int64_t *)field;
    default:
        return *(const double *)field;
    }
}

static bool entry_allows(const entry *e, double number)
{
    if (e->kind == CHOICE)
        return ffebmi_choice_name(e->choices, (int32_t)number) != NULL;
    if (e->kind == FLAG)
        return number == 0 || number == 1;
    return isfinite(number) && (e->above ? number > e->smallest : number >= e->smallest) &&
           (e->below == 0 || number < e->below);
}

static ffebm_status check(ffebm_context *context, const ffebm_recipe *recipe)
{
    for (size_t i = 0; i < ENTRY_COUNT; i++) {
        const double number = number_of(&entries[i], recipe);

        FFEBMI_CHECK_ARGUMENT(context, entry_allows(&entries[i], number),
                              "recipe: %s is %g, expected a value that a description may have", entries[i].key, number);
    }
    return FFEBM_OK;
}

ffebm_status ffebm_model_set_recipe(ffebm_model *model, const ffebm_recipe *recipe)
{
    ffebm_recipe wanted;

    if (model == NULL)
        return FFEBM_ERR_ARGUMENT;
    ffebmi_recipe_init(&wanted);
    FFEBMI_TRY(ffebmi_sized_read(model->context, "recipe", &wanted, sizeof wanted, recipe));
    FFEBMI_TRY(check(model->context, &wanted));
    model->recipe = wanted;
    ffebmi_release(model->context, model->description);
    model->description = NULL;
    return FFEBM_OK;
}

static cJSON *describe_entry(cJSON *object, const entry *e, const ffebm_recipe *recipe)
{
    const void *field = (const char *)recipe + e->offset;

    switch (e->kind) {
    case CHOICE:
        return cJSON_AddStringToObject(object, e->key, ffebmi_choice_name(e->choices, *(const int32_t *)field));
    case FLAG:
        return cJSON_AddBoolToObject(object, e->key, *(const int32_t *)field);
    case INTEGER:
        return ffebmi_json_add_number(object, e->key, (double)*(const int64_t *)field);
    default:
        return ffebmi_json_add_number(object, e->key, *(const double *)field);
    }
}

cJSON *ffebmi_recipe_describe(const ffebm_recipe *recipe)
{
    cJSON *object = cJSON_CreateObject();

    for (size_t i = 0; i < ENTRY_COUNT && object != NULL; i++)
        if (describe_entry(object, &entries[i], recipe) == NULL) {
            cJSON_Delete(object);
            object = NULL;
        }
    return object;
}
