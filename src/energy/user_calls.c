#include "energy/user_calls.h"

void *ffebmi_user_lay_out_work(const ffebm_energy *block, const ffebmi_arrays *arrays, const void *plan, size_t rows,
                               ffebmi_arena *arena)
{
    const ffebmi_user_energy *u = (const ffebmi_user_energy *)block;
    size_t state = rows * u->table.state_count;
    ffebmi_user_work *w = ffebmi_carve(arena, 1, sizeof *w), placed = {.rows = rows};

    (void)arrays;
    (void)plan;
    placed.input = ffebmi_carve(arena, rows * u->input.count, sizeof(double));
    placed.force = ffebmi_carve(arena, rows * u->output.count, sizeof(double));
    placed.start = ffebmi_carve(arena, state, sizeof(double));
    placed.state = ffebmi_carve(arena, state, sizeof(double));
    placed.output = ffebmi_carve(arena, rows * u->output.count, sizeof(double));
    placed.input_gradient = ffebmi_carve(arena, rows * u->input.count, sizeof(double));
    placed.input_sum = ffebmi_carve(arena, rows * u->input.count, sizeof(double));
    placed.energy = ffebmi_carve(arena, rows, sizeof(double));
    placed.residual = ffebmi_carve(arena, rows, sizeof(double));
    placed.weight = ffebmi_carve(arena, rows, sizeof(double));
    placed.sweeps = ffebmi_carve(arena, rows, sizeof(int64_t));
    if (w != NULL)
        *w = placed;
    return w;
}

ffebm_energy_call ffebmi_user_call(const ffebmi_user_energy *u, size_t first, size_t rows, uint64_t seed)
{
    ffebm_energy_call call = {.size = sizeof call,
                              .batch = rows,
                              .first = first,
                              .parameters = u->parameters.values,
                              .parameter_count = u->parameters.element_count,
                              .seed = seed,
                              .version = u->parameters.version};

    return call;
}

typedef struct asked {
    ffebm_energy_fn function;
    void *self;
    ffebm_energy_call *call;
} asked;

static int32_t ask(void *user, int32_t attempt)
{
    const asked *a = user;

    a->call->attempt = attempt;
    a->call->joules = 0;
    return a->function(a->self, a->call);
}

ffebm_status ffebmi_user_run(const ffebmi_user_energy *u, ffebm_energy_fn function, ffebmi_user_slot *slot,
                             ffebm_energy_call *call, ffebmi_failure *failure)
{
    asked a = {function, u->table.self, call};
    ffebm_status status;

    slot->what = u->what;
    slot->first = call->first;
    slot->retry_limit = u->table.retry_limit;
    slot->ask = ask;
    slot->asked = &a;
    call->message = slot->message;
    call->message_capacity = sizeof slot->message;
    status = ffebmi_user_ask(slot, failure);
    call->message = NULL; /* it goes with the slot */
    call->message_capacity = 0;
    slot->asked = NULL;
    return status;
}
