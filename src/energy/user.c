/* Calls into an energy block of the user's: doubles on its side, the model's dtype on ours, some samples at a time, retries,
 * and a check of all that comes back. */
#include "energy/user.h"

#include <stdio.h>
#include <string.h>

#include "core/context.h"
#include "core/random.h"
#include "tensor/doubles.h"

enum { MESSAGE = 160 };
enum {
    OUTPUT = 1,
    INPUT_GRADIENT
}; /* streams of seeds, of slots that are called about what another was called about */

typedef struct work {
    size_t rows;
    double *input;
    double *force; /* or the cotangent of the output */
    double *start;
    double *state;
    double *output;
    double *input_gradient;
    double *input_sum;
    double *energy;
    double *residual;
    double *weight;
    int64_t *sweeps;
    char message[MESSAGE];
} work;

void *ffebmi_user_lay_out_work(const ffebm_energy *block, const ffebmi_arrays *arrays, const void *plan, size_t rows,
                               ffebmi_arena *arena)
{
    const ffebmi_user_energy *u = (const ffebmi_user_energy *)block;
    size_t state = rows * u->table.state_count;
    work *w = ffebmi_carve(arena, 1, sizeof *w), placed = {.rows = rows};

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

/* ---------------------------------------------------------------------------------------------------------- one slot */

typedef struct slot {
    ffebm_energy_fn function;
    const char *name;
    const double *start; /* settle: what `state` holds before each attempt */
} slot;

static ffebm_energy_call call_of(const ffebmi_user_energy *u, size_t first, size_t rows, uint64_t seed, work *w)
{
    ffebm_energy_call call = {.size = sizeof call,
                              .batch = rows,
                              .first = first,
                              .parameters = u->parameters.values,
                              .parameter_count = u->parameters.element_count,
                              .message = w == NULL ? NULL : w->message,
                              .message_capacity = w == NULL ? 0 : MESSAGE,
                              .seed = seed,
                              .version = u->parameters.version};

    return call;
}

static void clear(void *array, size_t bytes)
{
    if (array != NULL)
        memset(array, 0, bytes);
}

/* Every output as a slot is promised to find it. */
static void clear_outputs(const ffebmi_user_energy *u, const slot *s, ffebm_energy_call *call)
{
    size_t number = sizeof(double), rows = call->batch, state = rows * u->table.state_count;

    clear(call->output, rows * u->output.count * number);
    clear(call->input_gradient, rows * u->input.count * number);
    clear(call->gradient, u->parameters.element_count * number);
    clear(call->energy, rows * number);
    clear(call->residual, rows * number);
    clear(call->sweeps, rows * sizeof *call->sweeps);
    clear(call->values, u->parameters.element_count * number);
    call->message[0] = '\0';
    call->joules = 0;
    if (s->start != NULL)
        memcpy(call->state, s->start, state * number);
}

static ffebm_status fail(ffebmi_failure *failure, ffebm_status status)
{
    failure->status = status;
    return status;
}

/* Call a slot until it stops asking for retries. */
static ffebm_status run(const ffebmi_user_energy *u, const slot *s, ffebm_energy_call *call, ffebmi_failure *failure)
{
    int32_t answer = FFEBM_RETRY;

    for (call->attempt = 0; answer > 0 && call->attempt <= u->table.retry_limit; call->attempt++) {
        clear_outputs(u, s, call);
        answer = s->function(u->table.self, call);
    }
    call->attempt--; /* the number of retries */
    if (answer == 0)
        return FFEBM_OK;
    call->message[call->message_capacity - 1] = '\0';
    ffebmi_user_failure_text(failure->text, sizeof failure->text, u->what, s->name, answer, call->attempt,
                             call->message);
    return fail(failure, FFEBM_ERR_USER);
}

/* Numbers that a slot has left, `per_row` of each sample; 0: of no sample. */
typedef struct numbers {
    const char *slot;
    const char *array;
    const double *at;
    size_t first; /* sample */
    size_t count;
    size_t per_row;
    size_t element; /* bytes, in the model's type or, where they stay doubles, in that */
} numbers;

static ffebm_status check_finite(const ffebmi_user_energy *u, const numbers *n, ffebmi_failure *failure)
{
    size_t bad = ffebmi_first_not_finite(n->element, n->count, n->at);

    if (bad == n->count)
        return FFEBM_OK;
    if (n->per_row > 0)
        snprintf(failure->text, sizeof failure->text, "%s: %s left %g in %s of sample %zu, number %zu", u->what,
                 n->slot, n->at[bad], n->array, n->first + bad / n->per_row, bad % n->per_row);
    else
        snprintf(failure->text, sizeof failure->text, "%s: %s left %g in %s, number %zu", u->what, n->slot, n->at[bad],
                 n->array, bad);
    return fail(failure, FFEBM_ERR_NUMERIC);
}

/* ------------------------------------------------------------------------------------------------------------ settle */

/* The output of the state in w. */
static ffebm_status read_output(const ffebmi_user_energy *u, const ffebm_energy_call *call, size_t element, work *w,
                                ffebmi_failure *failure)
{
    size_t units = u->output.count, count = u->table.state_count;

    if (u->table.output != NULL) {
        numbers left = {"output", "output", w->output, call->first, call->batch * units, units, element};
        ffebm_energy_call read = *call;

        read.seed = ffebmi_random_stream(call->seed, OUTPUT);
        read.output = w->output;
        read.residual = NULL;
        read.sweeps = NULL;
        FFEBMI_TRY(run(u, &(slot){u->table.output, "output", NULL}, &read, failure));
        return check_finite(u, &left, failure);
    }
    for (size_t r = 0; r < call->batch; r++)
        memcpy(w->output + r * units, w->state + (r + 1) * count - units, units * sizeof(double));
    return FFEBM_OK;
}

static void load_settling(const ffebmi_user_energy *u, const ffebmi_batch_settling *s, work *w)
{
    size_t count = u->table.state_count;

    ffebmi_to_doubles(s->arrays->element, &u->input, s->rows, s->input, w->input);
    if (s->start != NULL)
        ffebmi_to_doubles(s->arrays->element, &u->base.layers[0], s->rows, s->start, w->start);
    else
        memset(w->start, 0, s->rows * count * sizeof *w->start);
    if (s->force != NULL)
        ffebmi_to_doubles(s->arrays->element, &u->output, s->rows, s->force, w->force);
}

static ffebm_status check_settled(const ffebmi_user_energy *u, const ffebmi_batch_settling *s, const work *w,
                                  ffebmi_failure *failure)
{
    size_t count = u->table.state_count;
    numbers state = {"settle", "state", w->state, s->first, s->rows * count, count, s->arrays->element},
            residual = {"settle", "residual", w->residual, s->first, s->rows, 1, sizeof(double)},
            joules = {"settle", "joules", &s->joules, 0, 1, 0, sizeof(double)};

    FFEBMI_TRY(check_finite(u, &state, failure));
    FFEBMI_TRY(check_finite(u, &residual, failure));
    return check_finite(u, &joules, failure);
}

static ffebm_status settle(const ffebm_energy *block, ffebmi_batch_settling *s, void *memory, ffebmi_failure *failure)
{
    const ffebmi_user_energy *u = (const ffebmi_user_energy *)block;
    work *w = memory;
    ffebm_energy_call call =
        call_of(u, s->first, s->rows, ffebmi_random_stream(s->seed, s->first_sample + s->first), w);

    load_settling(u, s, w);
    call.input = w->input;
    call.force = s->force == NULL ? NULL : w->force;
    call.state = w->state;
    call.residual = w->residual;
    call.sweeps = w->sweeps;
    call.force_at = s->force_at;
    call.force_user = s->force_user;
    call.max_sweeps = s->max_sweeps;
    call.tolerance = s->tolerance;
    call.nudged = s->nudged;
    s->residual = w->residual;
    s->sweeps = w->sweeps;
    FFEBMI_TRY(run(u, &(slot){u->table.settle, "settle", w->start}, &call, failure));
    s->retries = call.attempt;
    s->joules = call.joules;
    FFEBMI_TRY(check_settled(u, s, w, failure));
    FFEBMI_TRY(read_output(u, &call, s->arrays->element, w, failure));
    ffebmi_from_doubles(s->arrays->element, &block->layers[0], s->rows, w->state, s->state[0]);
    ffebmi_from_doubles(s->arrays->element, &block->layers[1], s->rows, w->output, s->state[1]);
    return FFEBM_OK;
}

/* ------------------------------------------------------------------------------------------- what is read off states */

/* Some samples of a batch; begin with rows 0. */
typedef struct slice {
    size_t first;
    size_t rows;
} slice;

static bool next_slice(const ffebmi_batch_sum *sum, const work *w, slice *part)
{
    size_t left;

    part->first += part->rows;
    left = sum->batch - part->first;
    part->rows = left < w->rows ? left : w->rows;
    return part->rows > 0;
}

/* A call about one of the sum's states. */
static ffebm_energy_call load_term(const ffebmi_user_energy *u, const ffebmi_batch_sum *sum, size_t term,
                                   const slice *part, work *w)
{
    const ffebmi_arrays *k = sum->arrays;
    ffebm_energy_call call =
        call_of(u, part->first, part->rows,
                ffebmi_random_stream(ffebmi_random_stream(sum->seed, term), sum->first_sample + part->first), w);

    ffebmi_to_doubles(k->element, &u->base.layers[0], part->rows,
                      ffebmi_at(k, sum->states[term][0], part->first * u->table.state_count), w->state);
    ffebmi_to_doubles(k->element, &u->input, part->rows, ffebmi_at(k, sum->input, part->first * u->input.count),
                      w->input);
    for (size_t r = 0; r < part->rows; r++)
        w->weight[r] = sum->weights[term] * (sum->signs == NULL ? 1 : sum->signs[part->first + r]);
    call.state = w->state;
    call.input = w->input;
    call.weight = w->weight;
    return call;
}

/* Add what a slot has left in its gradient to the sum. */
static ffebm_status take_gradient(const ffebmi_user_energy *u, const char *name, ffebmi_failure *failure)
{
    numbers left = {name, "gradient", u->parameters.gradient, 0, u->parameters.element_count, 0, sizeof(double)};

    FFEBMI_TRY(check_finite(u, &left, failure));
    ffebmi_user_parameters_add_up(&u->parameters);
    return FFEBM_OK;
}

static ffebm_status check_sum(const ffebmi_user_energy *u, const char *name, size_t element, ffebmi_failure *failure)
{
    numbers sum = {name, "gradient", u->parameters.sum, 0, u->parameters.element_count, 0, element};

    return check_finite(u, &sum, failure);
}

static void clear_sum(const ffebmi_user_energy *u)
{
    memset(u->parameters.sum, 0, u->parameters.element_count * sizeof(double));
}

static ffebm_status gradient(const ffebm_energy *block, const ffebmi_batch_sum *sum, void *const *gradients,
                             void *memory, ffebmi_failure *failure)
{
    const ffebmi_user_energy *u = (const ffebmi_user_energy *)block;

    if (u->parameters.count == 0)
        return FFEBM_OK;
    clear_sum(u);
    for (slice part = {0}; next_slice(sum, memory, &part);)
        for (size_t term = 0; term < sum->count; term++) {
            ffebm_energy_call call = load_term(u, sum, term, &part, memory);

            call.gradient = u->parameters.gradient;
            FFEBMI_TRY(run(u, &(slot){u->table.parameter_gradient, "parameter_gradient", NULL}, &call, failure));
            FFEBMI_TRY(take_gradient(u, "parameter_gradient", failure));
        }
    FFEBMI_TRY(check_sum(u, "parameter_gradient", sum->arrays->element, failure));
    if (sum->replace)
        ffebmi_user_parameters_clear(&u->parameters, sum->arrays->element, gradients);
    ffebmi_user_parameters_add_sum(&u->parameters, sum->arrays->element, gradients);
    return FFEBM_OK;
}

/* dE/dx of the states in w: what the slot says, or minus the first numbers of the state. */
static ffebm_status read_input_gradient(const ffebmi_user_energy *u, ffebm_energy_call *call, work *w,
                                        ffebmi_failure *failure)
{
    size_t units = u->input.count;

    if (u->table.input_gradient != NULL) {
        numbers left = {"input_gradient", "input_gradient", w->input_gradient, call->first, call->batch * units, units,
                        sizeof(double)};

        call->seed = ffebmi_random_stream(call->seed, INPUT_GRADIENT);
        call->input_gradient = w->input_gradient;
        FFEBMI_TRY(run(u, &(slot){u->table.input_gradient, "input_gradient", NULL}, call, failure));
        return check_finite(u, &left, failure);
    }
    for (size_t r = 0; r < call->batch; r++)
        for (size_t i = 0; i < units; i++)
            w->input_gradient[r * units + i] = -w->state[r * u->table.state_count + i];
    return FFEBM_OK;
}

static ffebm_status input_gradient(const ffebm_energy *block, const ffebmi_batch_sum *sum, void *out, void *memory,
                                   ffebmi_failure *failure)
{
    const ffebmi_user_energy *u = (const ffebmi_user_energy *)block;
    size_t units = u->input.count;
    work *w = memory;

    for (slice part = {0}; next_slice(sum, w, &part);) {
        void *to = ffebmi_at(sum->arrays, out, part.first * units);
        numbers left = {.slot = "input_gradient",
                        .array = "input_gradient",
                        .at = w->input_sum,
                        .first = part.first,
                        .count = part.rows * units,
                        .per_row = units,
                        .element = sum->arrays->element};

        ffebmi_to_doubles(sum->arrays->element, &u->input, part.rows, to, w->input_sum);
        for (size_t term = 0; term < sum->count; term++) {
            ffebm_energy_call call = load_term(u, sum, term, &part, w);

            FFEBMI_TRY(read_input_gradient(u, &call, w, failure));
            for (size_t i = 0; i < part.rows * units; i++)
                w->input_sum[i] += w->weight[i / units] * w->input_gradient[i];
        }
        FFEBMI_TRY(check_finite(u, &left, failure));
        ffebmi_from_doubles(sum->arrays->element, &u->input, part.rows, w->input_sum, to);
    }
    return FFEBM_OK;
}

static ffebm_status energies(const ffebm_energy *block, const ffebmi_batch_sum *sum, double *out, void *memory,
                             ffebmi_failure *failure)
{
    const ffebmi_user_energy *u = (const ffebmi_user_energy *)block;
    work *w = memory;

    if (u->table.energy == NULL) {
        snprintf(failure->text, sizeof failure->text, "%s: it has no slot `energy`", u->what);
        return fail(failure, FFEBM_ERR_UNSUPPORTED);
    }
    for (slice part = {0}; next_slice(sum, w, &part);) {
        ffebm_energy_call call = load_term(u, sum, 0, &part, w);
        numbers left = {"energy", "energy", w->energy, part.first, part.rows, 1, sum->arrays->element};

        call.energy = w->energy;
        FFEBMI_TRY(run(u, &(slot){u->table.energy, "energy", NULL}, &call, failure));
        FFEBMI_TRY(check_finite(u, &left, failure));
        memcpy(out + part.first, w->energy, part.rows * sizeof *out);
    }
    return FFEBM_OK;
}

static ffebm_status pull_back(const ffebm_energy *block, const ffebmi_batch_sum *sum, const void *cotangent,
                              void *const *gradients, void *out, void *memory, ffebmi_failure *failure)
{
    const ffebmi_user_energy *u = (const ffebmi_user_energy *)block;
    const ffebmi_arrays *k = sum->arrays;
    size_t units = u->input.count, outputs = u->output.count;
    work *w = memory;

    clear_sum(u);
    for (slice part = {0}; next_slice(sum, w, &part);) {
        ffebm_energy_call call = load_term(u, sum, 0, &part, w);
        numbers left = {"adjoint", "input_gradient", w->input_gradient, part.first, part.rows * units,
                        units,     k->element};

        ffebmi_to_doubles(k->element, &u->output, part.rows, ffebmi_at(k, cotangent, part.first * outputs), w->force);
        call.output_cotangent = w->force;
        call.input_gradient = w->input_gradient;
        call.gradient = u->parameters.gradient;
        FFEBMI_TRY(run(u, &(slot){u->table.adjoint, "adjoint", NULL}, &call, failure));
        FFEBMI_TRY(check_finite(u, &left, failure));
        FFEBMI_TRY(take_gradient(u, "adjoint", failure));
        if (out != NULL)
            ffebmi_from_doubles(k->element, &u->input, part.rows, w->input_gradient,
                                ffebmi_at(k, out, part.first * units));
    }
    FFEBMI_TRY(check_sum(u, "adjoint", k->element, failure));
    ffebmi_user_parameters_add_sum(&u->parameters, k->element, gradients);
    return FFEBM_OK;
}

/* The values wait in the place of the gradient. */
ffebm_status ffebmi_user_initialize(ffebm_energy *block, size_t element, uint64_t seed, const double **values,
                                    ffebmi_failure *failure)
{
    ffebmi_user_energy *u = (ffebmi_user_energy *)block;
    size_t count = u->parameters.element_count;
    char message[MESSAGE];
    ffebm_energy_call call = call_of(u, 0, 0, ffebmi_random_stream(seed, 0), NULL);
    numbers left = {"initialize", "values", u->parameters.gradient, 0, count, 0, element};

    *values = u->parameters.gradient;
    memset(u->parameters.gradient, 0, count * sizeof(double));
    if (u->table.initialize == NULL)
        return FFEBM_OK;
    call.message = message;
    call.message_capacity = MESSAGE;
    call.values = u->parameters.gradient;
    FFEBMI_TRY(run(u, &(slot){u->table.initialize, "initialize", NULL}, &call, failure));
    return check_finite(u, &left, failure);
}

const ffebmi_batch_rules ffebmi_user_rules = {.settle = settle,
                                              .gradient = gradient,
                                              .input_gradient = input_gradient,
                                              .energies = energies,
                                              .pull_back = pull_back};
