/* The board's side: a program of its own, which shares nothing with the host but the protocol. */
#include <math.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bench_protocol.h"

#define SLOPE 0.5
enum { SWEEPS = 30 };

/* Streams of the board's random numbers. */
enum { STREAM_MISMATCH = 1, STREAM_NOISE, STREAM_MOOD };

struct board {
    const struct bench_device_config *config;
    double weight[BENCH_WEIGHTS]; /* as the cells conduct */
    double bias[BENCH_OUTPUTS];
    double gain[BENCH_WEIGHTS]; /* of each cell, fixed when it was made */
    double state[BENCH_INPUTS + BENCH_OUTPUTS];
    uint64_t requests;
};

int bench_receive(int from, void *bytes, size_t count)
{
    char *to = bytes;

    while (count > 0) {
        ssize_t got = read(from, to, count);

        if (got <= 0)
            return -1;
        to += got;
        count -= (size_t)got;
    }
    return 0;
}

int bench_send(int to, const void *bytes, size_t count)
{
    const char *from = bytes;

    while (count > 0) {
        ssize_t put = write(to, from, count);

        if (put <= 0)
            return -1;
        from += put;
        count -= (size_t)put;
    }
    return 0;
}

static void program(struct board *b, const struct bench_program *p)
{
    for (size_t i = 0; i < BENCH_WEIGHTS; i++)
        b->weight[i] = b->gain[i] * p->weight[i] / BENCH_WEIGHT_ONE;
    for (size_t i = 0; i < BENCH_OUTPUTS; i++)
        b->bias[i] = (double)p->bias[i] / BENCH_WEIGHT_ONE;
}

static double unit(double current)
{
    return fmin(fmax(SLOPE * current, 0), 1);
}

/* The two layers in turn, from rest. */
static void settle(struct board *b, const struct bench_request *r)
{
    double *inputs = b->state, *outputs = b->state + BENCH_INPUTS;

    memset(b->state, 0, sizeof b->state);
    for (int sweep = 0; sweep < SWEEPS; sweep++) {
        for (size_t i = 0; i < BENCH_INPUTS; i++) {
            double current = (double)r->input[i] / BENCH_CURRENT_ONE;

            for (size_t o = 0; o < BENCH_OUTPUTS; o++)
                current += b->weight[o * BENCH_INPUTS + i] * outputs[o];
            inputs[i] = unit(current);
        }
        for (size_t o = 0; o < BENCH_OUTPUTS; o++) {
            double current = b->bias[o] + (double)r->force[o] / BENCH_CURRENT_ONE;

            for (size_t i = 0; i < BENCH_INPUTS; i++)
                current += b->weight[o * BENCH_INPUTS + i] * inputs[i];
            outputs[o] = unit(current);
        }
    }
}

/* The converter rounds what noise is on top of. */
static void read_state(const struct board *b, uint8_t *to)
{
    for (size_t i = 0; i < BENCH_INPUTS + BENCH_OUTPUTS; i++) {
        uint64_t reading = b->requests * (BENCH_INPUTS + BENCH_OUTPUTS) + i;
        double value = b->state[i] + b->config->noise * ffebm_random_normal(STREAM_NOISE, reading);

        to[i] = (uint8_t)lrint(BENCH_STATE_ONE * fmin(fmax(value, 0), 1));
    }
}

static void answer(struct board *b, const struct bench_request *r, struct bench_answer *to)
{
    const struct timespec delay = {.tv_sec = b->config->delay / 1000000,
                                   .tv_nsec = (long)(b->config->delay % 1000000) * 1000};
    double mood = ffebm_random_uniform(STREAM_MOOD, b->requests++);

    memset(to, 0, sizeof *to);
    to->kind = mood < b->config->dip                     ? BENCH_DIP
               : mood < b->config->dip + b->config->busy ? BENCH_BUSY
                                                         : BENCH_VOLTAGES;
    if (to->kind == BENCH_DIP)
        memset(b->weight, 0, sizeof b->weight);
    if (to->kind != BENCH_VOLTAGES)
        return;
    settle(b, r);
    if (b->config->delay > 0)
        nanosleep(&delay, NULL);
    read_state(b, to->state);
}

void bench_board_serve(int from, int to, const struct bench_device_config *config)
{
    struct board board = {.config = config};
    struct bench_program p;
    struct bench_request r;
    struct bench_answer a;
    char request;

    for (size_t i = 0; i < BENCH_WEIGHTS; i++)
        board.gain[i] = 1 + config->mismatch * ffebm_random_normal(STREAM_MISMATCH, i);
    while (bench_receive(from, &request, 1) == 0) {
        if (request == BENCH_PROGRAM) {
            if (bench_receive(from, &p, sizeof p) != 0)
                return;
            program(&board, &p);
        } else {
            if (bench_receive(from, &r, sizeof r) != 0)
                return;
            answer(&board, &r, &a);
            if (bench_send(to, &a, sizeof a) != 0)
                return;
        }
    }
}
