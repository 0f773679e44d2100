#include "work.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS = 40, PIXELS = 36, CLASSES = 4, SPRINGS = 8 };

void (*while_settling)(void);
int complaints = 2;

void require(int holds, const char *format, ...)
{
    va_list arguments;

    if (holds)
        return;
    va_start(arguments, format);
    vdprintf(complaints, format, arguments);
    va_end(arguments);
    dprintf(complaints, "\n");
    _Exit(EXIT_FAILURE);
}

static void check(const workshop *w, ffebm_status status)
{
    require(status == FFEBM_OK, "%s", ffebm_context_error(w->context));
}

/* E = sum (s^2 / 2 - s x), settled by the program: s = x + force. Slices of it may settle on several threads. */
static int32_t settle(void *self, ffebm_energy_call *call)
{
    (void)self;
    if (while_settling != NULL)
        while_settling();
    for (size_t i = 0; i < call->batch * SPRINGS; i++)
        call->state[i] = call->input[i] + (call->force != NULL ? call->force[i] : 0);
    return 0;
}

static int32_t adjoint(void *self, ffebm_energy_call *call)
{
    (void)self;
    memcpy(call->input_gradient, call->output_cotangent, call->batch * SPRINGS * sizeof(double));
    return 0;
}

static void add_springs(const workshop *w)
{
    static const int64_t shape[] = {SPRINGS};
    ffebm_user_energy table = {.size = sizeof table,
                               .name = "springs",
                               .input_shape = shape,
                               .input_rank = 1,
                               .output_shape = shape,
                               .output_rank = 1,
                               .state_count = SPRINGS,
                               .max_batch = 4,
                               .settle = settle,
                               .adjoint = adjoint,
                               .concurrent = 1};
    ffebm_energy *block;

    check(w, ffebm_energy_create_user(w->context, &block, &table));
    check(w, ffebm_model_add_energy(w->model, &block));
}

static void add_op(const workshop *w, int32_t type, int64_t out, int64_t kernel)
{
    ffebm_feedforward *block;
    ffebm_op_config op;

    check(w, ffebm_feedforward_create(w->context, &block));
    ffebm_op_config_init(&op, sizeof op, type);
    op.out = out;
    op.kernel[0] = op.kernel[1] = kernel;
    check(w, ffebm_feedforward_add_op(block, &op));
    check(w, ffebm_model_add_feedforward(w->model, &block));
}

static void add_hopfield(const workshop *w, int32_t type, int64_t out, int64_t kernel)
{
    ffebm_energy *block;
    ffebm_coupling_config coupling;

    check(w, ffebm_energy_create_hopfield(w->context, &block, NULL));
    ffebm_coupling_config_init(&coupling, sizeof coupling, type);
    coupling.out = out;
    coupling.kernel[0] = coupling.kernel[1] = kernel;
    check(w, ffebm_energy_add_coupling(block, &coupling));
    check(w, ffebm_model_add_energy(w->model, &block));
}

workshop workshop_open(const ffebm_context_config *config)
{
    workshop w = {.context = NULL};
    float *pixels;
    int64_t *labels;

    require(ffebm_context_create(&w.context, config) == FFEBM_OK, "no context");
    check(&w,
          ffebm_model_create(w.context, &w.model, FFEBM_FLOAT32, (int64_t[]){1, 6, 6}, 3, FFEBM_LOSS_CROSS_ENTROPY));
    add_op(&w, FFEBM_OP_CONV2D, 4, 3);
    add_hopfield(&w, FFEBM_COUPLING_CONV2D, 4, 3);
    add_op(&w, FFEBM_OP_FLATTEN, 0, 0);
    add_op(&w, FFEBM_OP_LINEAR, SPRINGS, 0);
    add_springs(&w);
    add_hopfield(&w, FFEBM_COUPLING_DENSE, CLASSES, 0);
    check(&w, ffebm_model_initialize(w.model, 1));
    check(&w, ffebm_engine_create(&w.engine, w.model, NULL));
    check(&w, ffebm_optimizer_create_adam(&w.optimizer, w.model, NULL));
    check(&w, ffebm_tensor_create(w.context, &w.x, FFEBM_FLOAT32, (int64_t[]){ROWS, 1, 6, 6}, 4));
    check(&w, ffebm_tensor_create(w.context, &w.y, FFEBM_INT64, (int64_t[]){ROWS}, 1));
    pixels = ffebm_tensor_data(w.x);
    labels = ffebm_tensor_data(w.y);
    for (uint64_t i = 0; i < ROWS * PIXELS; i++)
        pixels[i] = (float)ffebm_random_normal(1, i);
    for (int64_t n = 0; n < ROWS; n++)
        labels[n] = n % CLASSES;
    return w;
}

void workshop_train(workshop *w, int steps)
{
    for (int i = 0; i < steps; i++) {
        check(w, ffebm_engine_gradient(w->engine, NULL, w->x, w->y, NULL));
        check(w, ffebm_optimizer_step(w->optimizer, w->engine));
    }
}

uint64_t workshop_sum(const workshop *w)
{
    const ffebm_tensor *parameters = ffebm_model_flat_parameters(w->model);
    const unsigned char *bytes = ffebm_tensor_const_data(parameters);
    uint64_t sum = 0;

    for (size_t i = 0; i < ffebm_tensor_count(parameters) * sizeof(float); i++)
        sum = sum * 31 + bytes[i];
    return sum;
}

void workshop_close(workshop *w)
{
    ffebm_tensor_destroy(w->y);
    ffebm_tensor_destroy(w->x);
    ffebm_optimizer_destroy(w->optimizer);
    ffebm_engine_destroy(w->engine);
    ffebm_model_destroy(w->model);
    ffebm_context_destroy(w->context);
    *w = (workshop){.context = NULL};
}

typedef struct file {
    unsigned char bytes[1 << 16];
    size_t length;
} file;

static int32_t append(void *user, const void *bytes, size_t count)
{
    file *f = user;

    if (count > sizeof f->bytes - f->length)
        return -1;
    memcpy(f->bytes + f->length, bytes, count);
    f->length += count;
    return 0;
}

uint64_t day_of_work(const ffebm_context_config *config)
{
    workshop w = workshop_open(config);
    file *saved = calloc(1, sizeof *saved);
    ffebm_certificate worst = {.size = sizeof worst};
    ffebm_report report = {.size = sizeof report};
    const char *json;
    size_t length;
    uint64_t sum, loss;

    require(saved != NULL, "no memory");
    workshop_train(&w, 3);
    check(&w, ffebm_engine_certify(w.engine, &worst, w.x, w.y, NULL, NULL));
    check(&w, ffebm_model_description(w.model, &json, &length));
    check(&w, ffebm_checkpoint_write(w.model, w.optimizer, "evening", append, saved));
    workshop_train(&w, 1);
    check(&w, ffebm_checkpoint_read(w.model, w.optimizer, saved->bytes, saved->length));
    check(&w, ffebm_engine_evaluate(w.engine, &report, NULL, w.x, w.y, NULL));
    memcpy(&loss, &report.loss, sizeof loss);
    sum = workshop_sum(&w) * 31 + loss;
    free(saved);
    workshop_close(&w);
    return sum;
}

void bad_day(const ffebm_context_config *config)
{
    static const char broken[] = "{\"input\": [3], \"loss\": \"none\", \"stages\": [{\"feedforward\": 7}]}";
    workshop w = workshop_open(config);
    ffebm_model *model = NULL;

    require(ffebm_model_parse(w.context, &model, broken, sizeof broken - 1, NULL) == FFEBM_ERR_PARSE, "parsed: %s",
            broken);
    require(ffebm_checkpoint_load(w.context, &model, "/no/such/file") == FFEBM_ERR_IO, "loaded from nowhere");
    require(ffebm_checkpoint_read(w.model, NULL, "rubbish", 7) == FFEBM_ERR_FORMAT, "read rubbish");
    require(ffebm_engine_gradient(w.engine, NULL, w.y, w.x, NULL) == FFEBM_ERR_DTYPE, "took labels for images");
    *(float *)ffebm_tensor_data(w.x) = NAN;
    require(ffebm_engine_gradient(w.engine, NULL, w.x, w.y, NULL) == FFEBM_ERR_NUMERIC, "took a NaN");
    workshop_close(&w);
}
