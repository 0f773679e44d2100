#include "trial.h"

#include <stdlib.h>
#include <string.h>

#include "gradient/engine.h"

/* clang-format off */
/* Two blocks each; the batch normalisation of the second model is frozen, and takes the batch's statistics. */
const char *const trial_models[MODELS] = {
    MODEL("[2, 3]", "0.9",
          DIGITAL("{\"type\": \"flatten\"}, " LINEAR("5")) ", "
          BLOCK(DENSE("4") ", " DENSE("4")) ", "
          DIGITAL(LINEAR("4")) ", "
          BLOCK(DENSE("3") ", " DENSE("3")) ", "
          DIGITAL(LINEAR("3"))),
    MODEL("[2, 6, 6]", "0.9",
          DIGITAL(CONV("3", "\"kernel\": 3, \"padding\": 1") ", {\"type\": \"batchnorm2d\", \"frozen\": true}") ", "
          BLOCK(CONV("4", "\"kernel\": 3, \"padding\": 1" POOL) ", " CONV("3", "\"kernel\": 2")) ", "
          DIGITAL(CONV("3", "\"kernel\": 1")) ", "
          BLOCK(CONV("4", "\"kernel\": 2, \"stride\": 2, \"padding\": 1") ", " DENSE("5")) ", "
          DIGITAL("{\"type\": \"flatten\"}, " LINEAR("3")))};
/* clang-format on */

ffebm_equilibrium_config settled(void)
{
    ffebm_equilibrium_config config = converged();

    config.switches = FFEBM_SWITCHES_HOLD;
    config.beta = 1e-3;
    return config;
}

trial trial_of(int model, int32_t dtype, int32_t threads)
{
    trial p = {.f = fixture_of(trial_models[model], dtype, threads, 3)};
    ffebm_equilibrium_config config = settled();

    p.x = random_input(&p.f, ROWS, 5);
    p.y = random_labels(&p.f, ROWS, 6);
    assert_ok(p.f.context, ffebm_engine_configure(p.f.engine, FFEBM_ALL, &config));
    return p;
}

void trial_end(trial *p)
{
    ffebm_tensor_destroy(p->x);
    ffebm_tensor_destroy(p->y);
    fixture_end(&p->f);
}

snapshot snapshot_of(const trial *p)
{
    const ffebm_model *model = p->f.model;
    snapshot s = {.bytes = (model->element_count + model->buffer_element_count) * sizeof(double)};

    ck_assert_uint_eq(model->stage_count, 5);
    s.values = malloc(s.bytes);
    memcpy(s.values, model->values, s.bytes);
    for (size_t i = 0; i < 5; i++)
        s.equilibria[i] = p->f.engine->stages[i].equilibrium;
    s.step = p->f.engine->stream.step;
    return s;
}

void check_snapshot(snapshot *s, const trial *p)
{
    ck_assert_mem_eq(s->values, p->f.model->values, s->bytes);
    for (size_t i = 0; i < 5; i++)
        ck_assert_mem_eq(&s->equilibria[i], &p->f.engine->stages[i].equilibrium, sizeof s->equilibria[i]);
    ck_assert_uint_eq(s->step, p->f.engine->stream.step);
    free(s->values);
}
