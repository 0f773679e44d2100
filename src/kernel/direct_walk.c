#include "kernel/direct_walk.h"

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* The taps that target pixel i sees. */
static void see(const ffebmi_walk *w, int axis, size_t i, ffebmi_segment *s)
{
    size_t p = w->padding[axis], k = w->kernel[axis], n = w->source[axis];

    if (w->sign > 0) { /* source i + a - p */
        s->begin = p > i ? p - i : 0;
        s->stop = smaller(k, n + p > i ? n + p - i : 0);
    } else { /* source i + p - a */
        s->begin = i + p + 1 > n ? i + p + 1 - n : 0;
        s->stop = smaller(k, i + p + 1);
    }
    s->begin = smaller(s->begin, s->stop);
}

bool ffebmi_walk_next(const ffebmi_walk *w, int axis, ffebmi_segment *s)
{
    ffebmi_segment ahead;

    s->first = s->end;
    if (s->first == w->target[axis])
        return false;
    see(w, axis, s->first, s);
    do {
        s->end++;
        if (s->end < w->target[axis])
            see(w, axis, s->end, &ahead);
    } while (s->end < w->target[axis] && ahead.begin == s->begin && ahead.stop == s->stop);
    return true;
}

size_t ffebmi_walk_source(const ffebmi_walk *w, int axis, size_t i, size_t tap)
{
    return w->sign > 0 ? i + tap - w->padding[axis] : i + w->padding[axis] - tap;
}

size_t ffebmi_walk_share(size_t left, size_t most)
{
    size_t groups = (left + most - 1) / most;

    return (left + groups - 1) / groups;
}

size_t ffebmi_walk_panels(const ffebmi_walk *w)
{
    return (w->targets + w->direct->panel - 1) / w->direct->panel;
}

const float *ffebmi_walk_weights(const ffebmi_walk *w, size_t panel, size_t y_tap, size_t x_tap)
{
    size_t tap = y_tap * w->kernel[1] + x_tap;

    return w->panels + (panel * w->kernel[0] * w->kernel[1] + tap) * w->sources * w->direct->panel;
}
