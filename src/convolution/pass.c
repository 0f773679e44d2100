#include "convolution/pass.h"

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* a - b in whole steps, rounded up; 0 where b is the larger. */
static size_t steps_between(size_t b, size_t a, size_t step)
{
    return a > b ? (a - b + step - 1) / step : 0;
}

/* The taps that target pixel i sees: begin + t target_step, from the first t on the source image to the last. */
static void see(const ffebmi_pass *pass, int axis, size_t i, ffebmi_segment *s)
{
    size_t p = pass->padding[axis], k = pass->kernel[axis], n = pass->source[axis], step = pass->target_step[axis];
    size_t phase = 0, first, end;

    if (pass->sign > 0) { /* source at + t - p */
        size_t at = i * pass->source_step[axis];

        first = p > at ? p - at : 0;
        end = smaller(k, n + p > at ? n + p - at : 0);
    } else { /* source at - t */
        size_t at = (i + p) / step;

        phase = (i + p) % step;
        first = at + 1 > n ? at + 1 - n : 0;
        end = smaller(steps_between(phase, k, step), at + 1);
    }
    s->taps = end > first ? end - first : 0;
    s->begin = s->taps > 0 ? phase + first * step : 0;
}

bool ffebmi_pass_next(const ffebmi_pass *pass, int axis, ffebmi_segment *s)
{
    size_t n = pass->target[axis], step = pass->target_step[axis];
    ffebmi_segment ahead = {.first = s->first + s->pixels * step};

    if (ahead.first >= n) { /* the next phase */
        ahead.first = s->first % step + 1;
        if (ahead.first == step || ahead.first >= n)
            return false;
    }
    see(pass, axis, ahead.first, &ahead);
    *s = ahead;
    do {
        s->pixels++;
        ahead.first += step;
        if (ahead.first < n)
            see(pass, axis, ahead.first, &ahead);
    } while (ahead.first < n && ahead.begin == s->begin && ahead.taps == s->taps);
    return true;
}

ffebmi_segment ffebmi_pass_seeing(const ffebmi_pass *pass, int axis, size_t tap)
{
    bool up = pass->sign > 0;
    size_t p = pass->padding[axis], step = up ? pass->source_step[axis] : pass->target_step[axis];
    size_t above = up ? pass->target[axis] : pass->source[axis], below = up ? pass->source[axis] : pass->target[axis];
    size_t first = steps_between(tap, p, step), end = smaller(above, steps_between(tap, below + p, step));

    return (ffebmi_segment){
        .first = up ? first : first * step + tap - p, .pixels = end > first ? end - first : 0, .begin = tap, .taps = 1};
}

size_t ffebmi_pass_source(const ffebmi_pass *pass, int axis, size_t i, size_t tap)
{
    size_t p = pass->padding[axis];

    return pass->sign > 0 ? i * pass->source_step[axis] + tap - p : (i + p - tap) / pass->target_step[axis];
}

size_t ffebmi_pass_share(size_t left, size_t most)
{
    size_t groups = (left + most - 1) / most;

    return (left + groups - 1) / groups;
}
