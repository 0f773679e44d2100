/* First values of parameters. */
#include <math.h>

#include "core/context.h"
#include "core/random.h"
#include "model/model.h"

ffebm_status ffebm_model_set_initialization(ffebm_model *model, const ffebm_initialization *initialization)
{
    if (model == NULL)
        return FFEBM_ERR_ARGUMENT;
    FFEBMI_TRY(ffebmi_initialization_read(model->context, &model->initialization, "model", initialization));
    ffebmi_release(model->context, model->description);
    model->description = NULL;
    return FFEBM_OK;
}

/* Every first value goes through here, and so through the bounds. */
static void set(const ffebmi_model_parameter *p, size_t i, double number)
{
    double value = fmin(fmax(number, p->lower), p->upper);

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

static void draw_uniform(const ffebmi_model_parameter *p, double gain, uint64_t stream)
{
    double bound = gain / sqrt((double)p->parameter.fan_in);

    for (size_t i = 0; i < p->parameter.shape.count; i++)
        set(p, i, bound * (2 * ffebm_random_uniform(stream, i) - 1));
}

/* Every k x k slice is a draw from the Gaussian orthogonal ensemble: symmetric, normal, with a heavier diagonal
 * (arXiv:2409.03306). Of an oblong kernel the square part is symmetric, and k is its longer side. */
static void draw_goe(const ffebmi_model_parameter *p, double variance, uint64_t stream)
{
    const int64_t *dims = p->parameter.shape.dims;
    size_t height = (size_t)dims[2], width = (size_t)dims[3];
    double scale = sqrt(variance / (double)(height > width ? height : width));

    for (size_t i = 0; i < p->parameter.shape.count; i++) {
        size_t slice = i / (height * width), a = i / width % height, b = i % width;
        bool mirrored = a > b && a < width && b < height;
        size_t from = slice * height * width + (mirrored ? b * width + a : a * width + b);

        set(p, i, (a == b ? sqrt(8) : 1) * scale * ffebm_random_normal(stream, from));
    }
}

static void draw(const ffebm_model *model, const ffebmi_model_parameter *p, uint64_t stream)
{
    const ffebm_initialization *how =
        p->learnable->own_initialization ? &p->learnable->initialization : &model->initialization;
    bool bias = p->parameter.role == FFEBMI_BIAS, goe = how->type == FFEBM_INITIALIZATION_GOE;

    if (p->parameter.role == FFEBMI_GIVEN)
        return;
    if (p->parameter.role == FFEBMI_ONES || p->parameter.role == FFEBMI_ZEROS)
        fill(p, p->parameter.role == FFEBMI_ONES ? 1 : 0);
    else if (bias && how->constant_bias == 1)
        fill(p, how->bias);
    else if (bias && goe && p->parameter.of_conv)
        fill(p, 0);
    else if (goe && p->parameter.of_conv)
        draw_goe(p, how->variance, stream);
    else
        draw_uniform(p, how->gain, stream);
}

/* ------------------------------------------------------------------------------- values that blocks of the user's give */

static ffebm_status ask_user(ffebm_model *model, size_t stage, uint64_t seed)
{
    size_t element = model->dtype == FFEBM_FLOAT32 ? sizeof(float) : sizeof(double);
    ffebmi_stage *s = &model->stages[stage];
    ffebmi_failure failure;

    s->given = NULL;
    if (s->feedforward != NULL && s->feedforward->user)
        return ffebmi_op_user.initialize(s->feedforward->ops, element, seed, &s->given, model->context);
    if (s->energy != NULL && s->energy->own != NULL &&
        s->energy->own->initialize(s->energy, element, seed, &s->given, &failure) != FFEBM_OK)
        return ffebmi_fail(model->context, failure.status, "%s", failure.text);
    return FFEBM_OK;
}

/* All are asked before any value changes. */
static ffebm_status ask_users(ffebm_model *model, uint64_t seed)
{
    for (size_t i = 0; i < model->stage_count; i++)
        FFEBMI_TRY(ask_user(model, i, ffebmi_random_stream(seed, model->stages[i].first_parameter)));
    return FFEBM_OK;
}

static void take_given(const ffebm_model *model, size_t stage)
{
    const ffebmi_stage *s = &model->stages[stage];
    const double *from = s->given;

    for (size_t p = 0; from != NULL && p < s->parameter_count; p++) {
        const ffebmi_model_parameter *to = &model->parameters[s->first_parameter + p];

        for (size_t i = 0; i < to->parameter.shape.count; i++)
            set(to, i, *from++);
    }
}

ffebm_status ffebm_model_initialize(ffebm_model *model, uint64_t seed)
{
    if (model == NULL)
        return FFEBM_ERR_ARGUMENT;
    FFEBMI_TRY(ask_users(model, seed));
    FFEBMI_TRY(ffebmi_model_make_ready(model));
    for (size_t i = 0; i < model->parameter_count; i++)
        draw(model, &model->parameters[i], ffebmi_random_stream(seed, i));
    for (size_t i = 0; i < model->buffer_count; i++)
        draw(model, &model->buffers[i], 0);
    for (size_t i = 0; i < model->stage_count; i++)
        take_given(model, i);
    ffebmi_model_touch(model);
    return FFEBM_OK;
}
