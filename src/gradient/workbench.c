#include "gradient/workbench.h"

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

/* ------------------------------------------------------------------------------------------------------------ plans */

void ffebmi_workbench_lay_out_plans(ffebmi_workbench *bench, ffebmi_arena *arena)
{
    ffebmi_arithmetic arithmetic[FFEBMI_PLANS] = {bench->arithmetic, bench->arithmetic};

    arithmetic[FFEBMI_PLAIN].winograd = false;
    bench->plans = ffebmi_carve(arena, FFEBMI_PLANS * bench->model->stage_count, sizeof(void *));
    for (size_t i = 0; i < FFEBMI_PLANS * bench->model->stage_count; i++) {
        const ffebm_energy *block = bench->model->stages[i / FFEBMI_PLANS].energy;
        void *plan = block == NULL ? NULL : ffebmi_energy_lay_out_plan(block, &arithmetic[i % FFEBMI_PLANS], arena);

        if (bench->plans != NULL)
            bench->plans[i] = plan;
    }
}

const void *ffebmi_workbench_plan(const ffebmi_workbench *bench, size_t stage, ffebmi_plans plan)
{
    return bench->plans[FFEBMI_PLANS * stage + plan];
}

bool ffebmi_workbench_has_int16(const ffebmi_workbench *bench)
{
    return bench->arithmetic.products != NULL && bench->arithmetic.products->int16 != NULL;
}

/* --------------------------------------------------------------------------------------------------- how much of it */

/* What the largest of the model's energy blocks needs. */
typedef struct needs {
    size_t state;    /* bytes of one state of a batch */
    size_t switches; /* and of its switches */
    size_t layers;
    size_t couplings;
    size_t block; /* bytes of all that is laid out for one block at a time */
} needs;

static size_t state_bytes(const ffebmi_workbench *bench, const ffebm_energy *block)
{
    ffebmi_arena measure = {0};

    for (size_t l = 0; l < block->layer_count; l++)
        ffebmi_carve(&measure, bench->max_batch, block->layers[l].count * bench->arrays->element);
    return measure.used;
}

static size_t switch_bytes(const ffebmi_workbench *bench, const ffebm_energy *block)
{
    ffebmi_arena measure = {0};

    for (size_t c = 0; c < block->graph.coupling_count; c++)
        ffebmi_carve(&measure, bench->max_batch, ffebmi_energy_switch_count(block, c));
    return measure.used;
}

static ffebmi_tape_needs tape_needs(const ffebm_model *model, const ffebmi_arithmetic *arithmetic, size_t first)
{
    ffebmi_tape_needs most = {0};

    for (size_t i = first; i < model->stage_count; i++)
        for (size_t r = 0; r < model->stages[i].row_count; r++)
            ffebmi_tape_measure(&most, model->stages[i].rows[r].block, arithmetic);
    return most;
}

size_t ffebmi_workbench_feedforward_packed(const ffebm_model *model, const ffebmi_arithmetic *arithmetic)
{
    return tape_needs(model, arithmetic, 0).packed;
}

/* What is there for one block at a time. A readout packs its weights in the place of the block's, while the rest is still used. */
typedef struct block_memory {
    void *packed;
    void *common;
} block_memory;

static block_memory lay_out_block(const ffebmi_workbench *bench, const ffebm_energy *block, const void *plan,
                                  size_t nudges, bool int16, ffebmi_arena *arena)
{
    size_t readout = tape_needs(bench->model, &bench->arithmetic, bench->first_readout).packed * bench->arrays->element;
    size_t start = arena->used;
    block_memory placed = {.packed = ffebmi_energy_lay_out_packed(block, plan, arena)};

    if (arena->used - start < readout)
        ffebmi_carve(arena, readout - (arena->used - start), 1);
    if (int16)
        block->kind->lay_out_int16(block, plan, placed.packed, arena);
    placed.common = ffebmi_solver_lay_out_common(arena, block, bench->arrays, plan, bench->nudges, bench->max_batch);
    for (size_t w = 0; w < bench->context->executor.workers; w++) {
        ffebmi_relax_work *work =
            ffebmi_solver_of(block)->lay_out(arena, block, bench->arrays, plan, nudges, bench->max_batch);

        if (arena->base != NULL)
            bench->works[w] = work;
    }
    return placed;
}

/* By one of the plans that it may settle by. */
static size_t block_bytes(const ffebmi_workbench *bench, const ffebm_energy *block, const void *plan)
{
    bool int16 = bench->mixed && block->kind->lay_out_int16 != NULL && ffebmi_workbench_has_int16(bench);
    ffebmi_arena measure = {0};

    lay_out_block(bench, block, plan, bench->nudges, int16, &measure);
    return measure.used;
}

static needs needs_of(const ffebmi_workbench *bench)
{
    needs most = {.block =
                      ffebmi_workbench_feedforward_packed(bench->model, &bench->arithmetic) * bench->arrays->element};

    for (size_t i = 0; i < bench->model->stage_count; i++) {
        const ffebm_energy *block = bench->model->stages[i].energy;

        if (block == NULL)
            continue;
        for (ffebmi_plans p = 0; p < FFEBMI_PLANS; p++)
            most.block = larger(most.block, block_bytes(bench, block, ffebmi_workbench_plan(bench, i, p)));
        most.state = larger(most.state, state_bytes(bench, block));
        most.switches = larger(most.switches, switch_bytes(bench, block));
        most.layers = larger(most.layers, block->layer_count);
        most.couplings = larger(most.couplings, block->graph.coupling_count);
    }
    return most;
}

/* ------------------------------------------------------------------------------------------------------- taking it */

static void lay_out_worker(const ffebmi_workbench *bench, ffebmi_arena *arena, ffebmi_worker *worker)
{
    const ffebm_model *model = bench->model;
    size_t first = bench->first_readout, rows = bench->nudges * FFEBMI_SHARD;
    ffebmi_tape_needs readout = tape_needs(model, &bench->arithmetic, first);
    ffebmi_worker placed = {.readout_work = ffebmi_tape_lay_out_work(arena, &readout, &bench->arithmetic, rows, 1)};

    placed.readout = ffebmi_carve(arena, model->stage_count - first, sizeof *placed.readout);
    placed.readout_inputs = ffebmi_carve(arena, model->stage_count - first, sizeof(void *));
    placed.loss_cotangent = ffebmi_carve(arena, rows, ffebmi_model_output(model)->count * bench->arrays->element);
    if (worker != NULL)
        *worker = placed;
    for (size_t i = first; i < model->stage_count; i++)
        ffebmi_tape_lay_out(arena, worker == NULL ? NULL : &worker->readout[i - first], model->stages[i].rows[0].block,
                            &bench->arithmetic, rows, worker == NULL ? &placed.readout_work : &worker->readout_work);
}

static void lay_out(ffebmi_workbench *bench, ffebmi_arena *arena)
{
    size_t workers = bench->context->executor.workers;
    needs most = needs_of(bench);

    bench->states = ffebmi_carve(arena, bench->nudges, sizeof(void *));
    bench->switch_sets = ffebmi_carve(arena, bench->nudges + 1, sizeof(void *));
    bench->layers = ffebmi_carve(arena, bench->nudges * most.layers, sizeof(void *));
    bench->switches = ffebmi_carve(arena, (bench->nudges + 1) * most.couplings, sizeof(void *));
    bench->works = ffebmi_carve(arena, workers, sizeof(void *));
    bench->workers = ffebmi_carve(arena, workers, sizeof *bench->workers);
    bench->block_memory = ffebmi_carve(arena, most.block, 1);
    for (size_t n = 0; n <= bench->nudges; n++) {
        void *state = n < bench->nudges ? ffebmi_carve(arena, most.state, 1) : NULL;
        void *switches = ffebmi_carve(arena, most.switches, 1);

        if (bench->states != NULL && n < bench->nudges)
            bench->states[n] = state;
        if (bench->switch_sets != NULL)
            bench->switch_sets[n] = switches;
    }
    for (size_t w = 0; w < workers; w++)
        lay_out_worker(bench, arena, bench->workers == NULL ? NULL : &bench->workers[w]);
}

ffebm_status ffebmi_workbench_reserve(ffebmi_workbench *bench, size_t nudges, bool mixed)
{
    ffebmi_workbench created = *bench;
    ffebmi_arena arena = {0};

    created.nudges = larger(larger(nudges, 2), bench->nudges);
    created.mixed = mixed || bench->mixed;
    created.settled_stage = FFEBM_NONE;
    if (created.nudges == bench->nudges && created.mixed == bench->mixed)
        return FFEBM_OK;
    lay_out(&created, &arena);
    FFEBMI_CHECK(bench->context, arena.used != SIZE_MAX, FFEBM_ERR_SHAPE,
                 "engine: max_batch %zu makes the size of its memory overflow", bench->max_batch);
    created.memory = ffebmi_allocate(bench->context, arena.used, 1);
    if (created.memory == NULL)
        return ffebmi_fail_memory(bench->context, "the nudged states of an engine");
    arena = (ffebmi_arena){.base = created.memory};
    lay_out(&created, &arena);
    ffebmi_release(bench->context, bench->memory);
    *bench = created;
    return FFEBM_OK;
}

/* --------------------------------------------------------------------------------------------------- for one block */

void **ffebmi_workbench_layers(const ffebmi_workbench *bench, const ffebm_energy *block, size_t nudge)
{
    return bench->layers + nudge * block->layer_count;
}

/* The free state's switches stand behind those of the nudges. */
uint8_t **ffebmi_workbench_switches(const ffebmi_workbench *bench, const ffebm_energy *block, size_t nudge)
{
    return bench->switches + (nudge == FFEBM_NONE ? bench->nudges : nudge) * block->graph.coupling_count;
}

void ffebmi_workbench_lay_out_states(const ffebmi_workbench *bench, const ffebm_energy *block)
{
    for (size_t n = 0; n <= bench->nudges; n++) {
        ffebmi_arena state = {.base = n < bench->nudges ? bench->states[n] : NULL};
        ffebmi_arena switches = {.base = (char *)bench->switch_sets[n]};

        for (size_t l = 0; n < bench->nudges && l < block->layer_count; l++)
            bench->layers[n * block->layer_count + l] =
                ffebmi_carve(&state, bench->max_batch, block->layers[l].count * bench->arrays->element);
        for (size_t c = 0; c < block->graph.coupling_count; c++)
            bench->switches[n * block->graph.coupling_count + c] =
                ffebmi_carve(&switches, bench->max_batch, ffebmi_energy_switch_count(block, c));
    }
}

void ffebmi_workbench_set_up(ffebmi_workbench *bench, const ffebm_energy *block, const void *plan,
                             const void *const *parameters, size_t nudges, bool int16)
{
    ffebmi_arena arena = {.base = bench->block_memory};
    block_memory placed = lay_out_block(bench, block, plan, nudges, int16, &arena);

    ffebmi_workbench_lay_out_states(bench, block);
    bench->packed = placed.packed;
    bench->common = placed.common;
    ffebmi_energy_pack(block, bench->arrays, plan, parameters, bench->packed);
    if (int16)
        block->kind->pack_int16(block, plan, bench->packed);
}
