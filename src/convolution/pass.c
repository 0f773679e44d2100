#include "convolution/pass.h"

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* The taps that target pixel i sees. */
static void see(const ffebmi_pass *pass, int axis, size_t i, ffebmi_segment *s)
{
    size_t p = pass->padding[axis], k = pass->kernel[axis], n = pass->source[axis];

    if (pass->sign > 0) { /* source i + a - p */
        s->begin = p > i ? p - i : 0;
        s->stop = smaller(k, n + p > i ? n + p - i : 0);
    } else { /* source i + p - a */
        s->begin = i + p + 1 > n ? i + p + 1 - n : 0;
        s->stop = smaller(k, i + p + 1);
    }
    s->begin = smaller(s->begin, s->stop);
}

bool ffebmi_pass_next(const ffebmi_pass *pass, int axis, ffebmi_segment *s)
{
    ffebmi_segment ahead;

    s->first = s->end;
    if (s->first == pass->target[axis])
        return false;
    see(pass, axis, s->first, s);
    do {
        s->end++;
        if (s->end < pass->target[axis])
            see(pass, axis, s->end, &ahead);
    } while (s->end < pass->target[axis] && ahead.begin == s->begin && ahead.stop == s->stop);
    return true;
}

size_t ffebmi_pass_source(const ffebmi_pass *pass, int axis, size_t i, size_t tap)
{
    return pass->sign > 0 ? i + tap - pass->padding[axis] : i + pass->padding[axis] - tap;
}

size_t ffebmi_pass_share(size_t left, size_t most)
{
    size_t groups = (left + most - 1) / most;

    return (left + groups - 1) / groups;
}
