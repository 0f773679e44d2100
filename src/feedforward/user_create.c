/* Public description of a feedforward block of the user's: its table, its parameters. */
#include <inttypes.h>
#include <stdio.h>

#include "core/context.h"
#include "core/sized.h"
#include "feedforward/user.h"

static ffebm_status read_table(ffebm_context *context, ffebmi_user_op *u, const ffebm_user_feedforward *table)
{
    ffebm_user_feedforward *t = &u->table;

    FFEBMI_CHECK_ARGUMENT(context, table != NULL, "ffebm_feedforward_create_user: table is NULL");
    FFEBMI_TRY(ffebmi_sized_read(context, "user feedforward", t, sizeof *t, table));
    FFEBMI_TRY(ffebmi_user_name(context, u->name, "user feedforward", t->name));
    snprintf(u->what, sizeof u->what, "user feedforward %s", u->name);
    FFEBMI_CHECK_ARGUMENT(context, t->forward != NULL && t->vjp != NULL, "%s: it needs forward and vjp", u->what);
    FFEBMI_CHECK_ARGUMENT(context, t->retry_limit >= 0, "%s: retry_limit %" PRId32 ", expected 0 or more", u->what,
                          t->retry_limit);
    FFEBMI_CHECK_ARGUMENT(context, t->reserved_ == 0, "%s: reserved_ is not zero", u->what);
    FFEBMI_TRY(ffebmi_shape_set(context, &u->input, t->input_shape, t->input_rank, "user feedforward: its input"));
    FFEBMI_TRY(ffebmi_shape_set(context, &u->output, t->output_shape, t->output_rank, "user feedforward: its output"));
    if (t->retry_limit == 0)
        t->retry_limit = FFEBMI_USER_RETRIES;
    return FFEBM_OK;
}

/* The block's one op, which takes over the table. */
static ffebm_status add_op(ffebm_feedforward *block, const ffebmi_user_op *description)
{
    ffebmi_user_op *u = ffebmi_allocate(block->context, 1, sizeof *u);

    block->ops = ffebmi_allocate(block->context, 1, sizeof *block->ops);
    if (u == NULL || block->ops == NULL) {
        ffebmi_release(block->context, u);
        return ffebmi_fail_memory(block->context, "a user feedforward block");
    }
    *u = *description;
    u->table.name = u->name;
    u->table.input_shape = u->input.dims;
    u->table.output_shape = u->output.dims;
    block->ops[0] = (ffebmi_op){.kind = &ffebmi_op_user, .user = u};
    block->op_count = 1;
    block->user = true;
    return FFEBM_OK;
}

ffebm_status ffebm_feedforward_create_user(ffebm_context *context, ffebm_feedforward **block,
                                           const ffebm_user_feedforward *table)
{
    ffebmi_user_op u = {.table = {0}};
    ffebm_status status;

    if (block != NULL)
        *block = NULL;
    if (context == NULL)
        return FFEBM_ERR_ARGUMENT;
    FFEBMI_CHECK_ARGUMENT(context, block != NULL, "ffebm_feedforward_create_user: block is NULL");
    FFEBMI_TRY(read_table(context, &u, table));
    FFEBMI_TRY(ffebm_feedforward_create(context, block));
    status = add_op(*block, &u);
    if (status != FFEBM_OK) {
        ffebm_feedforward_destroy(*block);
        *block = NULL;
    }
    return status;
}

ffebm_status ffebm_feedforward_add_parameter(ffebm_feedforward *block, const ffebm_user_parameter *parameter)
{
    ffebmi_user_op *u;

    if (block == NULL)
        return FFEBM_ERR_ARGUMENT;
    FFEBMI_CHECK(block->context, block->user, FFEBM_ERR_STATE,
                 "ffebm_feedforward_add_parameter: the block was made by ffebm_feedforward_create");
    u = block->ops[0].user;
    return ffebmi_user_parameters_add(block->context, &u->parameters, u->what, 1, parameter);
}
