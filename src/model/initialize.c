/* First values of parameters. */
#include <float.h>
#include <math.h>

#include "core/context.h"
#include "core/random.h"
#include "model/model.h"

const ffebm_initialization *ffebmi_model_initialization(const ffebm_model *model)
{
    return model->own_initialization ? &model->initialization : NULL;
}

ffebm_status ffebm_model_set_initialization(ffebm_model *model, const ffebm_initialization *initialization)
{
    if (model == NULL)
        return FFEBM_ERR_ARGUMENT;
    FFEBMI_TRY(ffebmi_settings_read_as(model->context, &ffebmi_initialization_settings, "model initialization",
                                       &model->initialization, initialization));
    model->own_initialization = initialization != NULL;
    ffebmi_release(model->context, model->description);
    model->description = NULL;
    return FFEBM_OK;
}

static double bounded(const ffebmi_model_parameter *p, double number)
{
    return fmin(fmax(number, p->lower), p->upper);
}

/* Every first value goes through here, and so through the bounds. */
static void set(const ffebmi_model_parameter *p, size_t i, double number)
{
    double value = bounded(p, number);

    if (p->value.dtype == FFEBM_FLOAT32)
        ((float *)p->value.data)[i] = (float)value;
    else
        ((double *)p->value.data)[i] = value;
}

static void fill(const ffebmi_model_parameter *p, double value)
{
    for (size_t i = 0; i < p->parameter.shape.count; i++)
        set(p, i, value);
}

/* How the first values of a parameter are made. */
typedef enum rule { CONSTANT, UNIFORM, ORTHOGONAL } rule;

typedef struct plan {
    rule rule;
    double scale; /* the constant; the bound; the deviation off the diagonal */
} plan;

static plan plan_of(const ffebm_model *model, const ffebmi_model_parameter *p)
{
    const ffebm_initialization *how = ffebmi_learnable_drawn(p->learnable, ffebmi_model_initialization(model));
    bool bias = p->parameter.role == FFEBMI_BIAS;
    bool goe = how->type == FFEBM_INITIALIZATION_GOE && p->parameter.of_conv;
    const int64_t *dims = p->parameter.shape.dims;

    if (p->parameter.role == FFEBMI_ONES || p->parameter.role == FFEBMI_ZEROS)
        return (plan){CONSTANT, p->parameter.role == FFEBMI_ONES ? 1 : 0};
    if (bias && how->constant_bias == 1)
        return (plan){CONSTANT, how->bias};
    if (bias && goe)
        return (plan){CONSTANT, 0};
    if (goe)
        return (plan){ORTHOGONAL, sqrt(how->variance / (double)(dims[2] > dims[3] ? dims[2] : dims[3]))};
    return (plan){UNIFORM, how->gain / sqrt((double)p->parameter.fan_in)};
}

/* The largest number that a plan can draw, and the smallest: ffebm_random_normal stays between -9 and 9. */
static double highest(plan of)
{
    return of.rule == ORTHOGONAL ? 9 * sqrt(8) * of.scale : of.scale;
}

static double lowest(plan of)
{
    return of.rule == CONSTANT ? of.scale : -highest(of);
}

static void draw_uniform(const ffebmi_model_parameter *p, double bound, uint64_t stream)
{
    for (size_t i = 0; i < p->parameter.shape.count; i++)
        set(p, i, bound * (2 * ffebm_random_uniform(stream, i) - 1));
}

/* Every k x k slice is a draw from the Gaussian orthogonal ensemble: symmetric, normal, with a heavier diagonal
 * (arXiv:2409.03306). Of an oblong kernel the square part is symmetric, and k is its longer side. */
static void draw_goe(const ffebmi_model_parameter *p, double scale, uint64_t stream)
{
    const int64_t *dims = p->parameter.shape.dims;
    size_t height = (size_t)dims[2], width = (size_t)dims[3];

    for (size_t i = 0; i < p->parameter.shape.count; i++) {
        size_t slice = i / (height * width), a = i / width % height, b = i % width;
        bool mirrored = a > b && a < width && b < height;
        size_t from = slice * height * width + (mirrored ? b * width + a : a * width + b);

        set(p, i, (a == b ? sqrt(8) : 1) * scale * ffebm_random_normal(stream, from));
    }
}

static void draw(const ffebm_model *model, const ffebmi_model_parameter *p, uint64_t stream)
{
    const plan drawn = plan_of(model, p);

    if (p->parameter.role == FFEBMI_GIVEN)
        return;
    if (drawn.rule == CONSTANT)
        fill(p, drawn.scale);
    else if (drawn.rule == ORTHOGONAL)
        draw_goe(p, drawn.scale, stream);
    else
        draw_uniform(p, drawn.scale, stream);
}

/* A gain that is finite may be beyond the model's type: all are asked before any value changes. */
static ffebm_status check_reach(const ffebm_model *model)
{
    double most = model->dtype == FFEBM_FLOAT32 ? FLT_MAX : DBL_MAX;

    for (size_t i = 0; i < model->parameter_count; i++) {
        const ffebmi_model_parameter *p = &model->parameters[i];
        const plan drawn = plan_of(model, p);
        double least = bounded(p, lowest(drawn)), largest = bounded(p, highest(drawn));

        FFEBMI_CHECK(model->context, p->parameter.role == FFEBMI_GIVEN || (least >= -most && largest <= most),
                     FFEBM_ERR_NUMERIC, "initialization: \"%s\" would have values from %g to %g, more than %s can hold",
                     p->name, least, largest, ffebmi_dtype_name(model->dtype));
    }
    return FFEBM_OK;
}

/* ------------------------------------------------------------------------------- values that blocks of the user's give */

static ffebm_status ask_energy(const ffebm_model *model, ffebmi_stage *s, uint64_t seed)
{
    ffebmi_failure failure;

    s->given = NULL;
    if (s->energy != NULL && s->energy->kind->initialize != NULL &&
        s->energy->kind->initialize(s->energy, ffebmi_dtype_size(model->dtype),
                                    ffebmi_random_stream(seed, s->first_parameter), &s->given, &failure) != FFEBM_OK)
        return ffebmi_fail(model->context, failure.status, "%s", failure.text);
    return FFEBM_OK;
}

static ffebm_status ask_row(const ffebm_model *model, const ffebmi_stage *s, ffebmi_row *row, uint64_t seed)
{
    row->given = NULL;
    return !row->block->user
               ? FFEBM_OK
               : ffebmi_op_user.initialize(row->block->ops, ffebmi_dtype_size(model->dtype),
                                           ffebmi_random_stream(seed, s->first_parameter + row->first_parameter),
                                           &row->given, model->context);
}

/* All are asked before any value changes. */
static ffebm_status ask_users(ffebm_model *model, uint64_t seed)
{
    for (size_t i = 0; i < model->stage_count; i++) {
        ffebmi_stage *s = &model->stages[i];

        FFEBMI_TRY(ask_energy(model, s, seed));
        for (size_t r = 0; r < s->row_count; r++)
            FFEBMI_TRY(ask_row(model, s, &s->rows[r], seed));
    }
    return FFEBM_OK;
}

static void take_given(const ffebm_model *model, size_t first, size_t count, const double *from)
{
    for (size_t p = first; from != NULL && p < first + count; p++) {
        const ffebmi_model_parameter *to = &model->parameters[p];

        for (size_t i = 0; i < to->parameter.shape.count; i++)
            set(to, i, *from++);
    }
}

static void take_all_given(const ffebm_model *model)
{
    for (size_t i = 0; i < model->stage_count; i++) {
        const ffebmi_stage *s = &model->stages[i];

        take_given(model, s->first_parameter, s->parameter_count, s->given);
        for (size_t r = 0; r < s->row_count; r++)
            take_given(model, s->first_parameter + s->rows[r].first_parameter, s->rows[r].parameter_count,
                       s->rows[r].given);
    }
}

ffebm_status ffebm_model_initialize(ffebm_model *model, uint64_t seed)
{
    if (model == NULL)
        return FFEBM_ERR_ARGUMENT;
    FFEBMI_TRY(check_reach(model));
    FFEBMI_TRY(ask_users(model, seed));
    FFEBMI_TRY(ffebmi_model_make_ready(model));
    for (size_t i = 0; i < model->parameter_count; i++)
        draw(model, &model->parameters[i], ffebmi_random_stream(seed, i));
    for (size_t i = 0; i < model->buffer_count; i++)
        draw(model, &model->buffers[i], 0);
    take_all_given(model);
    ffebmi_model_touch(model);
    return FFEBM_OK;
}
