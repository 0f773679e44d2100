#include "gradient/rows.h"

#include "core/context.h"

static const ffebmi_row *row_of(const ffebm_engine *engine, size_t stage, size_t row)
{
    return &engine->model->stages[stage].rows[row];
}

/* --------------------------------------------------------------------------------------------------------------- up */

/* What would leave NaN or infinity in running statistics fails here, though the output is finite: while nothing has moved. */
static ffebm_status check_buffers(const ffebm_engine *engine, size_t stage, size_t row, size_t batch,
                                  const ffebmi_feedforward_values *values)
{
    const ffebmi_row *of = row_of(engine, stage, row);
    size_t bad = ffebmi_feedforward_bad_buffer(of->block, &engine->stages[stage].rows[row].tape, values, batch);
    const char *name;

    if (bad == FFEBM_NONE)
        return FFEBM_OK;
    name = engine->model->buffers[engine->model->stages[stage].first_buffer + of->first_buffer + bad].name;
    FFEBMI_CHECK(engine->context, !engine->training, FFEBM_ERR_NUMERIC,
                 "stage %zu: the batch would make %s NaN or infinite", stage, name);
    return ffebmi_fail(engine->context, FFEBM_ERR_NUMERIC,
                       "stage %zu: %s is no running statistic: negative, NaN or infinite", stage, name);
}

static ffebm_status row_up(ffebm_engine *engine, size_t stage, size_t row, size_t batch, const void *input)
{
    const ffebm_feedforward *block = row_of(engine, stage, row)->block;
    ffebmi_engine_row *r = &engine->stages[stage].rows[row];
    ffebmi_feedforward_values values = ffebmi_engine_values(engine, stage, row, false, 0);
    char what[FFEBMI_ROW_TEXT];

    values.seed = ffebmi_stream_draw(&engine->stream);
    FFEBMI_TRY(ffebmi_feedforward_forward(engine->context, block, &r->tape, &values, batch, input, &r->output));
    FFEBMI_TRY(check_buffers(engine, stage, row, batch, &values));
    FFEBMI_CHECK(engine->context, engine->arrays->finite(batch * block->output.count, r->output), FFEBM_ERR_NUMERIC,
                 "%s: NaN or infinity in the output of a feedforward block", ffebmi_row_text(what, stage, row));
    return FFEBM_OK;
}

ffebm_status ffebmi_rows_up(ffebm_engine *engine, size_t stage, size_t batch, const void *input)
{
    ffebmi_engine_stage *s = &engine->stages[stage];

    s->input = input;
    for (size_t r = 0; r < engine->model->stages[stage].row_count; r++)
        FFEBMI_TRY(row_up(engine, stage, r, batch, input));
    s->output = s->rows[0].output;
    return FFEBM_OK;
}

/* ------------------------------------------------------------------------------------------------------------- down */

static ffebm_status row_down(ffebm_engine *engine, size_t stage, size_t row, double gradient_scale, bool want_input,
                             const void **cotangent)
{
    const ffebmi_engine_stage *s = &engine->stages[stage];
    ffebmi_feedforward_values values = ffebmi_engine_values(engine, stage, row, true, gradient_scale);

    values.seed = ffebmi_stream_draw(&engine->stream);
    return ffebmi_feedforward_vjp(engine->context, row_of(engine, stage, row)->block, &s->rows[row].tape, &values,
                                  engine->batch, s->input, cotangent, want_input);
}

/* Of one row: its part of what has come down, for whose input it is. */
static const void *part_of(const ffebm_engine *engine, size_t stage, size_t row, const void *cotangent)
{
    const ffebmi_row *of = row_of(engine, stage, row);

    return of->layer == 0 ? cotangent
                          : ffebmi_at(engine->arrays, cotangent,
                                      engine->batch * ffebmi_energy_input_offset(ffebmi_engine_block(engine, stage + 1),
                                                                                 of->layer));
}

ffebm_status ffebmi_rows_down(ffebm_engine *engine, size_t stage, double gradient_scale, void *memory,
                              const void **cotangent)
{
    const ffebmi_stage *of = &engine->model->stages[stage];
    const ffebmi_arrays *k = engine->arrays;
    const void *from = *cotangent;
    size_t count = engine->batch * of->input.count;

    for (size_t r = 0; r < of->row_count; r++) {
        const void *part = part_of(engine, stage, r, from);

        FFEBMI_TRY(row_down(engine, stage, r, gradient_scale, memory != NULL, &part));
        *cotangent = part;
        if (of->row_count == 1 || memory == NULL)
            continue;
        if (r == 0)
            k->scale(count, 1, part, memory);
        else
            k->add(count, part, memory);
        *cotangent = memory;
    }
    return FFEBM_OK;
}

/* ------------------------------------------------------------------------------------------------------- statistics */

void ffebmi_rows_commit(ffebm_engine *engine)
{
    for (size_t i = 0; engine->training && i < engine->model->stage_count; i++)
        for (size_t r = 0; r < engine->model->stages[i].row_count; r++) {
            ffebmi_feedforward_values values = ffebmi_engine_values(engine, i, r, false, 0);

            ffebmi_feedforward_commit(row_of(engine, i, r)->block, &engine->stages[i].rows[r].tape, &values,
                                      engine->batch);
        }
}
