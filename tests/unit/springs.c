#include "springs.h"

#include <string.h>

#include "core/context.h"
#include "energy/description.h"
#include "energy/hopfield.h"
#include "energy/resistive.h"
#include "energy/user.h"
#include "tensor/doubles.h"
#include "json/fields.h"
#include "json/give.h"

enum { NEAR, FAR, LAYERS = 2 }; /* h and o; k and w */

typedef struct springs {
    ffebm_energy base;
    size_t pairs;
    double *values; /* first ones */
} springs;

void springs_solve(double k, double w, double u, double force, double *h, double *o)
{
    double series = k * w / (k + w);

    *o = (series * u + force) / (series + springs_ground);
    *h = (k * u + w * *o) / (k + w);
}

static size_t pairs_of(const ffebm_energy *block)
{
    return ((const springs *)block)->pairs;
}

static double at(const ffebmi_arrays *k, const void *array, size_t i)
{
    return ffebmi_number_at(k->element, array, i);
}

static void put(const ffebmi_arrays *k, void *array, size_t i, double value)
{
    if (k->element == sizeof(float))
        ((float *)array)[i] = (float)value;
    else
        ((double *)array)[i] = value;
}

/* u of unit i of a row. */
static double source(const ffebmi_arrays *k, const void *input, size_t i)
{
    return at(k, input, 2 * i) - at(k, input, 2 * i + 1) / 2;
}

/* ---------------------------------------------------------------------------------------------------------- settling */

static void begin(ffebmi_settling *s)
{
    (void)s;
}

static void move(ffebmi_settling *s, size_t to, size_t from)
{
    (void)s;
    (void)to;
    (void)from;
}

/* Where unit i of a layer, counted through the rows, would go; displacements feel no input. */
static double target(const ffebmi_settling *s, size_t layer, size_t i)
{
    size_t pairs = pairs_of(s->block);
    double k = at(s->arrays, s->parameters[NEAR], i % pairs), w = at(s->arrays, s->parameters[FAR], i % pairs);
    double u = s->form == FFEBMI_WHOLE ? source(s->arrays, s->inputs[0], i) : 0;
    double force = s->force == NULL ? 0 : at(s->arrays, s->force, i);

    if (layer == NEAR)
        return (k * u + w * at(s->arrays, s->state[FAR], i)) / (k + w);
    return (w * at(s->arrays, s->state[NEAR], i) + force) / (w + springs_ground);
}

static void update(const ffebmi_settling *s, size_t layer, size_t i, ffebmi_norms *norms)
{
    double old = at(s->arrays, s->state[layer], i), change = target(s, layer, i) - old;
    double free = s->free_state == NULL ? 0 : at(s->arrays, s->free_state[layer], i), now;

    put(s->arrays, s->state[layer], i, old + s->relaxations[i / pairs_of(s->block)] * change);
    now = at(s->arrays, s->state[layer], i);
    norms->change += change * change;
    norms->size += s->form == FFEBMI_DISPLACED ? (old + free) * (old + free) : old * old;
    if (s->form != FFEBMI_WHOLE)
        norms->displacement += now * now;
    else if (s->free_state != NULL)
        norms->displacement += (now - free) * (now - free);
}

static void move_layers(ffebmi_settling *s, const size_t *layers, size_t count)
{
    size_t pairs = pairs_of(s->block);

    for (size_t j = 0; j < count; j++)
        for (size_t r = 0; r < s->rows; r++) {
            const size_t l = layers[j];
            ffebmi_norms *norms = &s->norms[r * LAYERS + l];

            *norms = (ffebmi_norms){0};
            for (size_t i = r * pairs; i < (r + 1) * pairs; i++)
                update(s, l, i, norms);
        }
}

static void energies(ffebmi_settling *s, double *out)
{
    size_t pairs = pairs_of(s->block);

    for (size_t r = 0; r < s->rows; r++) {
        out[r] = 0;
        for (size_t i = r * pairs; i < (r + 1) * pairs; i++) {
            double k = at(s->arrays, s->parameters[NEAR], i % pairs), w = at(s->arrays, s->parameters[FAR], i % pairs);
            double h = at(s->arrays, s->state[NEAR], i), o = at(s->arrays, s->state[FAR], i);
            double near = h - source(s->arrays, s->inputs[0], i), far = o - h;

            out[r] += k * near * near / 2 + w * far * far / 2 + springs_ground * o * o / 2;
        }
    }
}

/* ----------------------------------------------------------------------------------------------------------- reading */

/* What unit i's springs are stretched by: the difference and the mean over the two states. Of a state alone the difference is
 * the state and the mean its half, and so it has to be with the input. */
typedef struct stretch {
    double difference;
    double mean;
} stretch;

static stretch near_stretch(const ffebmi_contrast *c, size_t i)
{
    double u = source(c->arrays, c->inputs[0], i);
    stretch s = {at(c->arrays, c->difference[NEAR], i), at(c->arrays, c->mean[NEAR], i)};

    s.difference -= c->alone ? u : 0;
    s.mean -= c->alone ? u / 2 : u;
    return s;
}

static stretch far_stretch(const ffebmi_contrast *c, size_t i)
{
    return (stretch){at(c->arrays, c->difference[FAR], i) - at(c->arrays, c->difference[NEAR], i),
                     at(c->arrays, c->mean[FAR], i) - at(c->arrays, c->mean[NEAR], i)};
}

/* dE/dk = (h - u)^2 / 2 and dE/dw = (o - h)^2 / 2 */
static void gradient(const ffebm_energy *block, const ffebmi_contrast *c, size_t parameter, size_t first, size_t count,
                     void *work)
{
    size_t pairs = pairs_of(block);
    void *to = c->gradients[parameter];

    (void)work;
    for (size_t p = first; p < first + count; p++) {
        double sum = 0;

        for (size_t r = 0; r < c->batch; r++) {
            stretch s = parameter == NEAR ? near_stretch(c, r * pairs + p) : far_stretch(c, r * pairs + p);

            sum += s.difference * s.mean;
        }
        put(c->arrays, to, p, at(c->arrays, to, p) + c->weight * sum);
    }
}

/* dE/du = - k (h - u) */
static void input_gradient(const ffebm_energy *block, const ffebmi_contrast *c, size_t first, size_t count, void *out,
                           void *work)
{
    size_t pairs = pairs_of(block);

    (void)work;
    for (size_t i = first * pairs; i < (first + count) * pairs; i++) {
        double slope = -c->weight * at(c->arrays, c->parameters[NEAR], i % pairs) * near_stretch(c, i).difference;

        put(c->arrays, out, 2 * i, at(c->arrays, out, 2 * i) + slope);
        put(c->arrays, out, 2 * i + 1, at(c->arrays, out, 2 * i + 1) - slope / 2);
    }
}

/* ------------------------------------------------------------------------------------------------------- description */

static const ffebmi_learnable learnable = {.bias = true};

static ffebm_status fit(ffebm_energy *block, const ffebmi_shape *input, const char *what)
{
    static const char *const names[] = {"near", "far"};
    size_t pairs = pairs_of(block);

    FFEBMI_CHECK(block->context, input->count == 2 * pairs, FFEBM_ERR_SHAPE,
                 "%s: its input has %zu units, expected %zu", what, input->count, 2 * pairs);
    ffebmi_release(block->context, block->layers);
    ffebmi_release(block->context, block->parameters);
    block->layer_count = block->parameter_count = LAYERS;
    block->layers = ffebmi_allocate(block->context, LAYERS, sizeof *block->layers);
    block->parameters = ffebmi_allocate(block->context, LAYERS, sizeof *block->parameters);
    if (block->layers == NULL || block->parameters == NULL)
        return ffebmi_fail_memory(block->context, "springs");
    for (size_t l = 0; l < LAYERS; l++) {
        block->layers[l] = ffebmi_shape_vector((int64_t)pairs);
        block->parameters[l] = (ffebmi_energy_parameter){.learnable = &learnable, .units = pairs, .grain = 2};
        block->parameters[l].parameter = (ffebmi_parameter){.name = names[l],
                                                            .role = FFEBMI_GIVEN,
                                                            .shape = ffebmi_shape_vector((int64_t)pairs),
                                                            .bounded = true,
                                                            .lower = 0.2,
                                                            .upper = 5};
    }
    return FFEBM_OK;
}

static void destroy(ffebm_energy *block)
{
    ffebmi_release(block->context, ((springs *)block)->values);
}

static void *lay_out_work(const ffebm_energy *block, const ffebmi_arrays *arrays, const void *plan, size_t rows,
                          ffebmi_arena *arena)
{
    (void)block;
    (void)arrays;
    (void)plan;
    (void)rows;
    (void)arena;
    return NULL;
}

static ffebm_status initialize(ffebm_energy *block, size_t element, uint64_t seed, const double **values,
                               ffebmi_failure *failure)
{
    springs *s = (springs *)block;

    (void)element;
    (void)failure;
    for (size_t i = 0; i < LAYERS * s->pairs; i++)
        s->values[i] = 0.5 + ffebm_random_uniform(seed, i);
    *values = s->values;
    return FFEBM_OK;
}

static const ffebmi_sweep_rules sweeps = {.begin = begin,
                                          .update = move_layers,
                                          .move = move,
                                          .gradient = gradient,
                                          .input_gradient = input_gradient,
                                          .energies = energies};

static ffebm_status parse(ffebm_context *context, ffebm_energy **block, const cJSON *json, const char *where)
{
    static const char *const keys[] = {"type", "pairs", NULL};
    ffebmi_fields fields;
    int64_t pairs = 0;

    FFEBMI_TRY(ffebmi_fields_begin(&fields, context, json, where, keys));
    FFEBMI_TRY(ffebmi_fields_require(&fields, "pairs"));
    FFEBMI_TRY(ffebmi_fields_integer(&fields, "pairs", &pairs));
    return springs_create(context, block, pairs);
}

static bool describe(const ffebm_energy *block, const ffebm_initialization *common, cJSON *to)
{
    (void)common;
    return ffebmi_give(to, "pairs", ffebmi_json_number((double)pairs_of(block)));
}

const ffebmi_energy_kind springs_kind = {.type = "springs",
                                         .abilities = FFEBMI_HEEDS_LOSS | FFEBMI_HAS_ADJOINT | FFEBMI_DISPLACES |
                                                      FFEBMI_READS_INPUT,
                                         .fit = fit,
                                         .destroy = destroy,
                                         .lay_out_work = lay_out_work,
                                         .sweeps = &sweeps,
                                         .initialize = initialize};

ffebm_status springs_create(ffebm_context *context, ffebm_energy **block, int64_t pairs)
{
    springs *created;

    FFEBMI_TRY(ffebmi_energy_new(context, block, &springs_kind, sizeof *created));
    created = (springs *)*block;
    created->pairs = (size_t)pairs;
    created->values = ffebmi_allocate(context, LAYERS * created->pairs, sizeof *created->values);
    if (created->values != NULL)
        return FFEBM_OK;
    ffebm_energy_destroy(*block);
    *block = NULL;
    return ffebmi_fail_memory(context, "springs");
}

static const ffebmi_energy_description description = {.kind = &springs_kind, .describe = describe, .parse = parse};

/* The library's lists with one line more. */
const ffebmi_energy_kind *const *ffebmi_energy_kinds(void)
{
    static const ffebmi_energy_kind *const list[] = {&ffebmi_energy_hopfield, &ffebmi_energy_resistive,
                                                     &ffebmi_energy_user, &springs_kind, NULL};

    return list;
}
const ffebmi_energy_description *const *ffebmi_energy_descriptions(void)
{
    static const ffebmi_energy_description *const list[] = {&ffebmi_hopfield_description, &ffebmi_resistive_description,
                                                            &ffebmi_user_description, &description, NULL};

    return list;
}
