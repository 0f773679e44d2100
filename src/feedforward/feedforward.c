#include "feedforward/feedforward.h"

#include <stdio.h>
#include <string.h>

#include "core/context.h"
#include "core/list.h"
#include "feedforward/fields.h"

static const ffebmi_op_kind *const kinds[] = {
    &ffebmi_op_linear,      &ffebmi_op_conv2d,    &ffebmi_op_flatten, &ffebmi_op_maxpool2d, &ffebmi_op_avgpool2d,
    &ffebmi_op_batchnorm2d, &ffebmi_op_layernorm, &ffebmi_op_relu,    &ffebmi_op_tanh,      &ffebmi_op_sigmoid};

enum { KIND_COUNT = sizeof kinds / sizeof kinds[0], WHAT = 96 };

const ffebmi_op_kind *ffebmi_op_kind_of(int32_t type)
{
    for (size_t i = 0; i < KIND_COUNT; i++)
        if (kinds[i]->type == type)
            return kinds[i];
    return NULL;
}

const ffebmi_op_kind *ffebmi_op_kind_named(const char *name)
{
    for (size_t i = 0; i < KIND_COUNT; i++)
        if (strcmp(kinds[i]->name, name) == 0)
            return kinds[i];
    return NULL;
}

const char *ffebmi_op_kind_name(size_t index)
{
    return index < KIND_COUNT ? kinds[index]->name : NULL;
}

#define FFEBMI_CONFIG ffebm_op_config
static const ffebmi_setting list[] = {FFEBMI_FIELD_INITIALIZATION,   FFEBMI_FIELD_OUT("out"), FFEBMI_FIELD_KERNEL,
                                      FFEBMI_FIELD_STRIDE("", 0, 0), FFEBMI_FIELD_PADDING,    FFEBMI_FIELD_EPSILON,
                                      FFEBMI_FIELD_MOMENTUM,         FFEBMI_FIELD_BIAS,       FFEBMI_FIELD_FROZEN};

static const ffebmi_settings *settings_of(int32_t type)
{
    const ffebmi_op_kind *kind = ffebmi_op_kind_of(type);

    return kind == NULL ? NULL : kind->settings;
}

const ffebmi_settings ffebmi_op_settings = {
    FFEBMI_SETTINGS_IN("op configuration", offsetof(ffebm_op_config, reserved_), list), .of_type = settings_of,
    .type = offsetof(ffebm_op_config, type)};

void ffebm_op_config_init(ffebm_op_config *config, size_t size, int32_t type)
{
    ffebmi_settings_init_type(&ffebmi_op_settings, config, size, type);
}

ffebm_status ffebm_feedforward_create(ffebm_context *context, ffebm_feedforward **block)
{
    ffebm_feedforward *created;

    if (block != NULL)
        *block = NULL;
    if (context == NULL)
        return FFEBM_ERR_ARGUMENT;
    FFEBMI_CHECK_ARGUMENT(context, block != NULL, "ffebm_feedforward_create: block is NULL");
    created = ffebmi_allocate(context, 1, sizeof *created);
    if (created == NULL)
        return ffebmi_fail_memory(context, "a feedforward block");
    created->context = context;
    ffebmi_context_keep(context);
    *block = created;
    return FFEBM_OK;
}

static ffebm_status read_window(ffebm_context *context, ffebmi_op *op)
{
    ffebm_op_config *config = &op->config;
    const char *name = op->kind->name;

    for (size_t i = 0; i < 2; i++) {
        if (config->stride[i] == 0)
            config->stride[i] = config->kernel[i];
        op->window.kernel[i] = config->kernel[i];
        op->window.stride[i] = config->stride[i];
        op->window.padding[i] = config->padding[i];
    }
    if (op->kind->switches)
        FFEBMI_TRY(ffebmi_window_check_places(context, op->window.kernel, name));
    return config->kernel[0] == 0 ? FFEBM_OK : ffebmi_window_check(context, &op->window, name);
}

static ffebm_status read_op(ffebm_context *context, ffebmi_op *op, const ffebm_op_config *from)
{
    ffebm_op_config *config = &op->config;

    FFEBMI_CHECK_ARGUMENT(context, from != NULL, "ffebm_feedforward_add_op: config is NULL");
    FFEBMI_TRY(ffebmi_settings_read(context, &ffebmi_op_settings, config, from));
    op->kind = ffebmi_op_kind_of(config->type);
    op->out = config->out;
    op->learnable =
        (ffebmi_learnable){.own = config->initialization, .bias = config->bias == 1, .frozen = config->frozen == 1};
    return read_window(context, op);
}

static ffebm_status make_room(ffebm_feedforward *block)
{
    ffebmi_op *ops = ffebmi_list_room(block->context, block->ops, &block->op_capacity, block->op_count, 1, sizeof *ops);

    if (ops == NULL)
        return ffebmi_fail_memory(block->context, "an op");
    block->ops = ops;
    return FFEBM_OK;
}

ffebm_status ffebm_feedforward_add_op(ffebm_feedforward *block, const ffebm_op_config *config)
{
    ffebmi_op op = {0};
    ffebm_status status;

    if (block == NULL)
        return FFEBM_ERR_ARGUMENT;
    FFEBMI_CHECK(block->context, !block->user, FFEBM_ERR_STATE,
                 "ffebm_feedforward_add_op: the block was made by ffebm_feedforward_create_user");
    FFEBMI_TRY(make_room(block));
    status = read_op(block->context, &op, config);
    if (status == FFEBM_OK)
        block->ops[block->op_count++] = op;
    else
        ffebmi_settings_release(block->context, &ffebmi_op_settings, &op.config);
    return status;
}

static void clear_op(ffebm_context *context, ffebmi_op *op)
{
    if (op->kind->destroy != NULL)
        op->kind->destroy(op, context);
    ffebmi_settings_release(context, &ffebmi_op_settings, &op->config);
}

void ffebm_feedforward_destroy(ffebm_feedforward *block)
{
    ffebm_context *context;

    if (block == NULL)
        return;
    context = block->context;
    for (size_t i = 0; i < block->op_count; i++)
        clear_op(context, &block->ops[i]);
    ffebmi_release(context, block->ops);
    ffebmi_release(context, block);
    ffebmi_context_drop(context);
}

ffebm_status ffebmi_feedforward_fit(ffebm_feedforward *block, const ffebmi_shape *input, const char *what)
{
    ffebmi_shape shape = *input;

    for (size_t i = 0; i < block->op_count; i++) {
        ffebmi_op *op = &block->ops[i];
        char op_what[WHAT];

        if (block->user)
            snprintf(op_what, sizeof op_what, "%s (%s)", what, ffebmi_op_user_name(op));
        else
            snprintf(op_what, sizeof op_what, "%s op %zu (%s)", what, i, op->kind->name);
        op->input = shape;
        FFEBMI_TRY(op->kind->fit(op, block->context, op_what));
        shape = op->output;
    }
    block->input = *input;
    block->output = shape;
    return FFEBM_OK;
}
