#include "attack/fuzz/target.h"
#include "attack/support/subject.h"
#include "world.h"

static ffebm_status gradient(world *w, size_t i)
{
    ffebm_report report = {.size = next_is(w, 16) ? next_below(w, sizeof report + 1) : sizeof report};
    ffebm_tensor *x = next_tensor(w), *y = next_tensor(w);

    return ffebm_engine_gradient(w->engines[i], next_is(w, 2) ? &report : NULL, x, y,
                                 next_is(w, 4) ? next_tensor(w) : NULL);
}

static ffebm_status evaluate(world *w, size_t i)
{
    ffebm_report report = {.size = sizeof report};
    ffebm_tensor *x = next_tensor(w), *y = next_tensor(w);

    return ffebm_engine_evaluate(w->engines[i], &report, NULL, x, y, next_is(w, 4) ? next_tensor(w) : NULL);
}

static ffebm_status forward(world *w, size_t i)
{
    ffebm_tensor *out = next_tensor(w), *in = next_tensor(w);

    return ffebm_engine_forward(w->engines[i], out == in ? NULL : out, next_is(w, 4) ? NULL : &w->tickets[i],
                                in); /* outputs may not overlap inputs */
}

static ffebm_status vjp(world *w, size_t i)
{
    ffebm_tensor *out = next_tensor(w), *in = next_tensor(w);

    return ffebm_engine_vjp(w->engines[i], out == in ? NULL : out, w->tickets[i], in, next_number(w));
}

static ffebm_status settle(world *w, size_t i)
{
    ffebm_tensor *x = next_tensor(w);

    return ffebm_engine_settle(w->engines[i], next_below(w, 4), x, next_is(w, 2) ? next_tensor(w) : NULL);
}

static ffebm_status energy(world *w, size_t i)
{
    ffebm_tensor *out = next_tensor(w), *in = next_tensor(w);
    size_t stage = next_below(w, 4);
    int32_t phase = (int32_t)next_below(w, 4);

    ffebm_engine_energy_gradient(w->engines[i], NULL, stage, phase);
    return out == in ? FFEBM_OK : ffebm_engine_energy(w->engines[i], out, stage, phase, in);
}

static ffebm_status state(world *w, size_t i)
{
    ffebm_tensor *t = next_tensor(w);
    size_t stage = next_below(w, 4), layer = next_below(w, 4);

    if (next_is(w, 2))
        return ffebm_engine_set_state(w->engines[i], stage, layer, t);
    if (next_is(w, 4))
        return ffebm_engine_set_input(w->engines[i], stage, layer, t);
    return ffebm_engine_get_state(w->engines[i], t, stage, layer, (int32_t)next_below(w, 4));
}

/* Those of every model; a step that fails changes none of them. */
static uint64_t bits(const world *w)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < API_OBJECTS; i++) {
        const ffebm_tensor *flat = ffebm_model_flat_parameters(w->models[i]);

        if (flat)
            sum = bits_of(sum, ffebm_tensor_const_data(flat),
                          ffebm_tensor_count(flat) * (ffebm_tensor_dtype(flat) == FFEBM_FLOAT32 ? 4 : 8));
    }
    return sum;
}

static ffebm_status step(world *w, size_t i)
{
    const uint64_t before = bits(w);
    ffebm_status status = ffebm_optimizer_step(w->optimizers[i], w->engines[next_below(w, API_OBJECTS)]);

    must(status == FFEBM_OK || bits(w) == before, "a step failed with status %d, and values changed", status);
    return status;
}

static ffebm_status save(world *w, size_t i)
{
    ffebm_optimizer *optimizer = next_is(w, 2) ? w->optimizers[next_below(w, API_OBJECTS)] : NULL;

    return ffebm_checkpoint_save(w->models[i], optimizer, next_is(w, 2) ? "note" : NULL, w->path);
}

static ffebm_status restore(world *w, size_t i)
{
    const uint64_t before = bits(w);
    ffebm_optimizer *optimizer = next_is(w, 2) ? w->optimizers[next_below(w, API_OBJECTS)] : NULL;
    ffebm_status status = ffebm_checkpoint_restore(w->models[i], optimizer, w->path);

    must(status == FFEBM_OK || bits(w) == before, "restoring failed with status %d, and values changed", status);
    return status;
}

static ffebm_status certify(world *w, size_t i)
{
    ffebm_certify_config config;
    ffebm_certificate worst = {.size = sizeof worst};
    ffebm_tensor *x = next_tensor(w), *y = next_tensor(w);
    ffebm_status status;

    ffebm_certify_config_init(&config, sizeof config);
    config.adjoint_sweeps = 1 + next_below(w, 20);
    config.directions = next_below(w, 2);
    if (next_is(w, 8))
        config.min_cosine = next_number(w);
    status = ffebm_engine_certify(w->engines[i], &worst, x, y, NULL, &config);
    ffebm_engine_inspect_certificate(w->engines[i], &worst, next_below(w, 10));
    return status;
}

static int32_t visit(void *user, const ffebm_trace_point *point)
{
    (void)point;
    return next(user) == 77;
}

static ffebm_status trace(world *w, size_t i)
{
    ffebm_tensor *x = next_tensor(w), *y = next_tensor(w);

    return ffebm_engine_trace(w->engines[i], x, y, NULL, next_is(w, 16) ? NULL : visit, w);
}

static ffebm_status inspect(world *w, size_t i)
{
    ffebm_phase_report phase = {.size = sizeof phase};
    ffebm_layer_report layer = {.size = sizeof layer};

    ffebm_engine_inspect_phase(w->engines[i], &phase, next_stage(w), (int32_t)next_below(w, 4));
    return ffebm_engine_inspect_layer(w->engines[i], &layer, next_below(w, 5), next_below(w, 5));
}

const api_call api_computing[] = {gradient, gradient, gradient, evaluate, forward, vjp,     settle, energy,
                                  state,    step,     step,     save,     restore, certify, trace,  inspect};
const size_t api_computing_count = sizeof api_computing / sizeof *api_computing;
