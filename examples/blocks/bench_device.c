/* The host's side: the board as an energy block. */
#include "bench_device.h"

#include <math.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench_protocol.h"

enum { PATIENCE = 5000, RETRIES = 100 }; /* milliseconds until a board counts as dead; busy answers until it does */

struct device {
    int to;
    int from;
    pid_t process;
    uint64_t version; /* of the parameters on the board; 0: none */
};

void bench_device_config_init(struct bench_device_config *config)
{
    *config = (struct bench_device_config){.noise = 0.005, .mismatch = 0.05, .busy = 0.02, .dip = 1e-4};
}

static int32_t fail(ffebm_energy_call *call, const char *what)
{
    snprintf(call->message, call->message_capacity, "the board %s", what);
    return -1;
}

/* A number in steps of a converter, at its ends where it is out of reach. */
static double steps(double value, double one, double most)
{
    return fmin(fmax(rint(value * one), -most), most);
}

static int32_t program(struct device *device, ffebm_energy_call *call)
{
    struct bench_program p;

    if (device->version == call->version)
        return 0;
    for (size_t i = 0; i < BENCH_WEIGHTS; i++)
        p.weight[i] = (int8_t)steps(call->parameters[i], BENCH_WEIGHT_ONE, INT8_MAX);
    for (size_t i = 0; i < BENCH_OUTPUTS; i++)
        p.bias[i] = (int8_t)steps(call->parameters[BENCH_WEIGHTS + i], BENCH_WEIGHT_ONE, INT8_MAX);
    if (bench_send(device->to, &(char){BENCH_PROGRAM}, 1) != 0 || bench_send(device->to, &p, sizeof p) != 0)
        return fail(call, "takes no program");
    device->version = call->version;
    return 0;
}

/* The table says max_batch 1, so that a busy board costs one sample and not the batch. */
static int32_t settle(void *self, ffebm_energy_call *call)
{
    struct device *device = self;
    struct pollfd answered = {.fd = device->from, .events = POLLIN};
    struct bench_request r;
    struct bench_answer a;

    if (program(device, call) != 0)
        return -1;
    for (size_t i = 0; i < BENCH_INPUTS; i++)
        r.input[i] = (int16_t)steps(call->input[i], BENCH_CURRENT_ONE, INT16_MAX);
    for (size_t i = 0; i < BENCH_OUTPUTS; i++)
        r.force[i] = (int16_t)steps(call->force != NULL ? call->force[i] : 0, BENCH_CURRENT_ONE, INT16_MAX);
    if (bench_send(device->to, &(char){BENCH_SETTLE}, 1) != 0 || bench_send(device->to, &r, sizeof r) != 0)
        return fail(call, "takes no sample");
    if (poll(&answered, 1, PATIENCE) != 1 || bench_receive(device->from, &a, sizeof a) != 0)
        return fail(call, "does not answer");
    if (a.kind == BENCH_BUSY)
        return FFEBM_RETRY;
    if (a.kind == BENCH_DIP) {
        device->version = 0;
        return fail(call, "has lost its program");
    }
    for (size_t i = 0; i < BENCH_INPUTS + BENCH_OUTPUTS; i++)
        call->state[i] = (double)a.state[i] / BENCH_STATE_ONE;
    return 0;
}

/* dE/dW = - s_2 s_1^T, dE/db = - s_2: of what was read, and of the energy as it was programmed. */
static int32_t parameter_gradient(void *self, ffebm_energy_call *call)
{
    double *weight = call->gradient, *bias = call->gradient + BENCH_WEIGHTS;

    (void)self;
    for (size_t n = 0; n < call->batch; n++) {
        const double *inputs = call->state + n * (BENCH_INPUTS + BENCH_OUTPUTS), *outputs = inputs + BENCH_INPUTS;

        for (size_t o = 0; o < BENCH_OUTPUTS; o++) {
            for (size_t i = 0; i < BENCH_INPUTS; i++)
                weight[o * BENCH_INPUTS + i] -= call->weight[n] * outputs[o] * inputs[i];
            bias[o] -= call->weight[n] * outputs[o];
        }
    }
    return 0;
}

static int32_t initialize(void *self, ffebm_energy_call *call)
{
    (void)self;
    for (size_t i = 0; i < BENCH_WEIGHTS; i++)
        call->values[i] = 0.5 * ffebm_random_normal(call->seed, i) / sqrt(BENCH_INPUTS);
    for (size_t i = BENCH_WEIGHTS; i < call->parameter_count; i++)
        call->values[i] = 0.5;
    return 0;
}

/* The board sees its pipe close, and ends. */
static void destroy(void *self)
{
    struct device *device = self;

    close(device->to);
    close(device->from);
    waitpid(device->process, NULL, 0);
    free(device);
}

/* --------------------------------------------------------------------------------------------------------- start */

static int start(struct device *device, const struct bench_device_config *config)
{
    int requests[2], answers[2];

    if (pipe(requests) != 0)
        return -1;
    if (pipe(answers) != 0) {
        close(requests[0]);
        close(requests[1]);
        return -1;
    }
    device->process = fork();
    if (device->process == 0) {
        close(requests[1]);
        close(answers[0]);
        bench_board_serve(requests[0], answers[1], config);
        _exit(0);
    }
    close(requests[0]);
    close(answers[1]);
    device->to = requests[1];
    device->from = answers[0];
    if (device->process > 0)
        return 0;
    close(device->to);
    close(device->from);
    return -1;
}

static ffebm_status add_parameter(ffebm_energy *block, const char *name, const int64_t *shape, size_t rank)
{
    ffebm_user_parameter parameter;

    ffebm_user_parameter_init(&parameter, sizeof parameter);
    parameter.name = name;
    parameter.shape = shape;
    parameter.rank = rank;
    parameter.lower = -1; /* what the board's cells can hold */
    parameter.upper = 1;
    return ffebm_energy_add_parameter(block, &parameter);
}

static ffebm_status describe(ffebm_context *context, ffebm_energy **block, struct device *device)
{
    static const int64_t inputs[] = {BENCH_INPUTS}, outputs[] = {BENCH_OUTPUTS},
                         weight[] = {BENCH_OUTPUTS, BENCH_INPUTS};
    const ffebm_user_energy table = {.size = sizeof table,
                                     .self = device,
                                     .name = "bench_device",
                                     .input_shape = inputs,
                                     .input_rank = 1,
                                     .output_shape = outputs,
                                     .output_rank = 1,
                                     .state_count = BENCH_INPUTS + BENCH_OUTPUTS,
                                     .max_batch = 1,
                                     .settle = settle,
                                     .parameter_gradient = parameter_gradient,
                                     .initialize = initialize,
                                     .destroy = destroy,
                                     .max_beta = 4,
                                     .retry_limit = RETRIES};
    ffebm_status status = ffebm_energy_create_user(context, block, &table);

    if (status != FFEBM_OK) {
        destroy(device);
        return status;
    }
    if ((status = add_parameter(*block, "weight", weight, 2)) != FFEBM_OK ||
        (status = add_parameter(*block, "bias", outputs, 1)) != FFEBM_OK) {
        ffebm_energy_destroy(*block);
        *block = NULL;
    }
    return status;
}

ffebm_status bench_device_create(ffebm_context *context, ffebm_energy **block, const struct bench_device_config *config)
{
    struct device *device = calloc(1, sizeof *device);

    *block = NULL;
    if (device == NULL)
        return FFEBM_ERR_NOMEM;
    if (start(device, config) != 0) {
        free(device);
        return FFEBM_ERR_IO;
    }
    return describe(context, block, device);
}
