#include "feedforward/feedforward.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/context.h"
#include "core/list.h"
#include "core/sized.h"

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

void ffebm_op_config_init(ffebm_op_config *config, size_t size, int32_t type)
{
    const ffebmi_op_kind *kind = ffebmi_op_kind_of(type);
    ffebm_op_config defaults = {.size = sizeof defaults, .type = type};

    if (kind != NULL) {
        defaults.stride[0] = defaults.stride[1] = kind->stride;
        defaults.bias = kind->reads & FFEBMI_READS_BIAS ? 1 : 0;
        defaults.epsilon = kind->reads & FFEBMI_READS_EPSILON ? 1e-5 : 0;
        defaults.momentum = kind->reads & FFEBMI_READS_MOMENTUM ? 0.1 : 0;
    }
    ffebmi_sized_init(config, size, &defaults, sizeof defaults);
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

static ffebm_status read_numbers(ffebm_context *context, ffebmi_op *op, const ffebm_op_config *config)
{
    const char *name = op->kind->name;
    unsigned reads = op->kind->reads;

    FFEBMI_CHECK_ARGUMENT(context, !(reads & FFEBMI_READS_OUT) || config->out >= 1,
                          "%s: out is %" PRId64 ", expected at least 1", name, config->out);
    FFEBMI_TRY(ffebmi_check_unread(context, name, "out", reads & FFEBMI_READS_OUT, (double)config->out));
    FFEBMI_CHECK_ARGUMENT(context,
                          !(reads & FFEBMI_READS_EPSILON) || (isfinite(config->epsilon) && config->epsilon > 0),
                          "%s: epsilon is %g, expected a positive number", name, config->epsilon);
    FFEBMI_TRY(ffebmi_check_unread(context, name, "epsilon", reads & FFEBMI_READS_EPSILON, config->epsilon));
    FFEBMI_CHECK_ARGUMENT(context, config->momentum >= 0 && config->momentum <= 1,
                          "%s: momentum is %g, expected a number in [0, 1]", name, config->momentum);
    FFEBMI_TRY(ffebmi_check_unread(context, name, "momentum", reads & FFEBMI_READS_MOMENTUM, config->momentum));
    op->out = config->out;
    op->epsilon = config->epsilon;
    op->momentum = config->momentum;
    return FFEBM_OK;
}

static ffebm_status read_window(ffebm_context *context, ffebmi_op *op, const ffebm_op_config *config)
{
    bool read = op->kind->reads & FFEBMI_READS_WINDOW;

    for (size_t i = 0; i < 2; i++) {
        FFEBMI_TRY(ffebmi_check_unread(context, op->kind->name, "kernel", read, (double)config->kernel[i]));
        FFEBMI_TRY(ffebmi_check_unread(context, op->kind->name, "stride", read, (double)config->stride[i]));
        FFEBMI_TRY(ffebmi_check_unread(context, op->kind->name, "padding", read, (double)config->padding[i]));
        op->window.kernel[i] = config->kernel[i];
        op->window.stride[i] = config->stride[i] == 0 && op->kind->stride == 0 ? config->kernel[i] : config->stride[i];
        op->window.padding[i] = config->padding[i];
    }
    if (op->kind->switches)
        FFEBMI_TRY(ffebmi_window_check_places(context, op->window.kernel, op->kind->name));
    return read ? ffebmi_window_check(context, &op->window, op->kind->name) : FFEBM_OK;
}

static ffebm_status read_op(ffebm_context *context, ffebmi_op *op, const ffebm_op_config *from)
{
    ffebm_op_config config;

    ffebm_op_config_init(&config, sizeof config, 0);
    FFEBMI_CHECK_ARGUMENT(context, from != NULL, "ffebm_feedforward_add_op: config is NULL");
    FFEBMI_TRY(ffebmi_sized_read(context, "op configuration", &config, sizeof config, from));
    op->kind = ffebmi_op_kind_of(config.type);
    FFEBMI_CHECK_ARGUMENT(context, op->kind != NULL, "op: type %" PRId32 " is none of FFEBM_OP_", config.type);
    FFEBMI_CHECK_ARGUMENT(context, config.reserved_ == 0, "op: reserved_ is not zero");
    FFEBMI_TRY(read_numbers(context, op, &config));
    FFEBMI_TRY(read_window(context, op, &config));
    return ffebmi_learnable_read(context, &op->learnable, op->kind->name, op->kind->reads, config.bias, config.frozen,
                                 config.initialization);
}

ffebm_status ffebm_feedforward_add_op(ffebm_feedforward *block, const ffebm_op_config *config)
{
    ffebmi_op op = {0}, *ops;

    if (block == NULL)
        return FFEBM_ERR_ARGUMENT;
    FFEBMI_CHECK(block->context, !block->user, FFEBM_ERR_STATE,
                 "ffebm_feedforward_add_op: the block was made by ffebm_feedforward_create_user");
    FFEBMI_TRY(read_op(block->context, &op, config));
    ops = ffebmi_list_room(block->context, block->ops, &block->op_capacity, block->op_count, 1, sizeof *ops);
    if (ops == NULL)
        return ffebmi_fail_memory(block->context, "an op");
    block->ops = ops;
    block->ops[block->op_count++] = op;
    return FFEBM_OK;
}

void ffebm_feedforward_destroy(ffebm_feedforward *block)
{
    ffebm_context *context;

    if (block == NULL)
        return;
    context = block->context;
    for (size_t i = 0; i < block->op_count; i++)
        if (block->ops[i].kind->destroy != NULL)
            block->ops[i].kind->destroy(&block->ops[i], context);
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
