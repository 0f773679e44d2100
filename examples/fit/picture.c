#include "picture.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../support/json_text.h"
#include "../support/text_file.h"

enum { WIDTH = 460, HEIGHT = 300, MARGIN = 56, BINS = 24, SHOWN = 40, POINTS = 2000 };

/* One of the two panels: where it lies, and what it spans. */
struct panel {
    FILE *to;
    double left;
    double x[2], y[2];
};

static double across(const struct panel *p, double x)
{
    return p->left + (x - p->x[0]) / (p->x[1] - p->x[0]) * WIDTH;
}

static double down(const struct panel *p, double y)
{
    return MARGIN + (1 - (y - p->y[0]) / (p->y[1] - p->y[0])) * HEIGHT;
}

static void widen(double range[2], double value)
{
    range[0] = fmin(range[0], value);
    range[1] = fmax(range[1], value);
}

static void frame(const struct panel *p, const char *x, const char *y, const char *title)
{
    fprintf(p->to,
            "<rect x='%g' y='%d' width='%d' height='%d' class='frame'/>\n"
            "<text x='%g' y='%d' class='middle'>%s</text>\n<text x='%g' y='%d' class='middle'>%s</text>\n"
            "<text transform='translate(%g %d) rotate(-90)' class='middle'>%s</text>\n",
            p->left, MARGIN, WIDTH, HEIGHT, p->left + WIDTH / 2, MARGIN - 14, title, p->left + WIDTH / 2,
            MARGIN + HEIGHT + 38, x, p->left - 50, MARGIN + HEIGHT / 2, y);
    for (int i = 0; i <= 4; i++) {
        double u = p->x[0] + i * (p->x[1] - p->x[0]) / 4, v = p->y[0] + i * (p->y[1] - p->y[0]) / 4;

        fprintf(p->to,
                "<text x='%g' y='%d' class='middle'>%.3g</text>\n<text x='%g' y='%g' text-anchor='end'>%.2g</text>\n",
                across(p, u), MARGIN + HEIGHT + 18, u, p->left - 6, down(p, v) + 4, fabs(v) < 1e-12 ? 0 : v);
    }
}

static void begin_line(const struct panel *p, const char *class)
{
    fprintf(p->to, "<polyline class='%s' points='", class);
}

static void add_point(const struct panel *p, double x, double y)
{
    fprintf(p->to, "%.1f,%.1f ", across(p, x), down(p, y));
}

static void end_line(const struct panel *p)
{
    fputs("'/>\n", p->to);
}

/* ------------------------------------------------------------------------------------------------------------ traces */

static size_t longest(const struct traces *traces)
{
    size_t most = 0;

    for (size_t d = 0; d < traces->count; d++)
        most = traces->list[d].count > most ? traces->list[d].count : most;
    return most;
}

/* Of all devices at a reading: the mean of what was read, and that of the model's weights, which it moves on. */
static int means(const struct population *g, const struct traces *traces, size_t i, double *weights, double mean[2])
{
    size_t there = 0;

    mean[0] = mean[1] = 0;
    for (size_t d = 0; d < traces->count; d++) {
        const struct trace *t = &traces->list[d];

        if (i >= t->count)
            continue;
        weights[d] =
            i == 0 ? t->readings[0].value : step_pulses(g->model, g->devices[d].p, t->readings[i].pulses, weights[d]);
        mean[0] += t->readings[i].value;
        mean[1] += weights[d];
        there++;
    }
    mean[0] /= (double)there;
    mean[1] /= (double)there;
    return there > 0;
}

static void draw_devices(const struct panel *p, const struct traces *traces, size_t every)
{
    for (size_t d = 0; d < traces->count && d < SHOWN; d++) {
        begin_line(p, "device");
        for (size_t i = 0; i < traces->list[d].count; i += every)
            add_point(p, (double)i, traces->list[d].readings[i].value);
        end_line(p);
    }
}

static int draw_traces(struct panel *p, const struct population *g, const struct traces *traces)
{
    size_t count = longest(traces), every = count / POINTS + 1;
    double *weights = calloc(traces->count, sizeof *weights), mean[2];

    if (weights == NULL)
        return -1;
    p->x[1] = (double)(count - 1);
    for (size_t d = 0; d < traces->count; d++)
        for (size_t i = 0; i < traces->list[d].count; i++)
            widen(p->y, traces->list[d].readings[i].value);
    frame(p, "reading", "weight", "readings (grey), their mean (points) and the model's (line)");
    draw_devices(p, traces, every);
    for (int which = 0; which < 2; which++) {
        begin_line(p, which == 0 ? "points" : "model");
        for (size_t i = 0; i < count; i++)
            if (means(g, traces, i, weights, mean) && i % every == 0)
                add_point(p, (double)i, mean[which]);
        end_line(p);
    }
    free(weights);
    return 0;
}

/* ------------------------------------------------------------------------------------------------------------- steps */

struct bins {
    double sum[2][BINS];
    double model[2][BINS];
    size_t count[2][BINS];
};

/* Steps by the weight in front of them, of single pulses and of the model's. */
static void fill_bins(struct bins *b, const struct population *g, const struct traces *traces, const double span[2])
{
    memset(b, 0, sizeof *b);
    for (size_t d = 0; d < traces->count; d++)
        for (size_t i = 1; i < traces->list[d].count; i++) {
            const struct reading *r = &traces->list[d].readings[i];
            double w = r[-1].value;
            int up = r->pulses > 0, bin = (int)((w - span[0]) / (span[1] - span[0]) * BINS);

            bin = bin < 0 ? 0 : bin >= BINS ? BINS - 1 : bin;
            b->sum[up][bin] += (r->value - w) / abs(r->pulses);
            b->model[up][bin] += step_pulses(g->model, g->devices[d].p, up ? 1 : -1, w) - w;
            b->count[up][bin]++;
        }
}

static void draw_steps(struct panel *p, const struct population *g, const struct traces *traces)
{
    enum { LEAST = 5 };
    struct bins b;

    fill_bins(&b, g, traces, p->x);
    p->y[0] = p->y[1] = 0;
    for (int up = DOWN; up <= UP; up++)
        for (int i = 0; i < BINS; i++)
            if (b.count[up][i] >= LEAST) {
                widen(p->y, b.sum[up][i] / (double)b.count[up][i]);
                widen(p->y, b.model[up][i] / (double)b.count[up][i]);
            }
    frame(p, "weight", "mean step of a pulse", "steps up and down: readings (points), model (line)");
    for (int up = DOWN; up <= UP; up++)
        for (int which = 0; which < 2; which++) {
            begin_line(p, which == 0 ? "points" : "model");
            for (int i = 0; i < BINS; i++)
                if (b.count[up][i] >= LEAST)
                    add_point(p, p->x[0] + (i + 0.5) * (p->x[1] - p->x[0]) / BINS,
                              (which == 0 ? b.sum : b.model)[up][i] / (double)b.count[up][i]);
            end_line(p);
        }
}

int picture_write(const struct population *population, const struct traces *traces, const char *path,
                  struct failure *failure)
{
    char *text = NULL;
    size_t length;
    FILE *to = open_memstream(&text, &length);
    struct panel left = {to, MARGIN + 8, {0, 1}, {INFINITY, -INFINITY}},
                 right = {to, 2 * MARGIN + WIDTH + 40, {0, 0}, {0, 0}};
    const locale_t before = json_numbers_begin();
    int result;

    if (to == NULL) {
        json_numbers_end(before);
        return failure_set(failure, "%s: %s", path, strerror(errno));
    }
    fprintf(to,
            "<svg xmlns='http://www.w3.org/2000/svg' width='%d' height='%d' font-family='sans-serif' font-size='12'>\n"
            "<style>.frame{fill:none;stroke:#444}.middle{text-anchor:middle}polyline{fill:none}"
            ".device{stroke:#bbb;stroke-width:0.6}.points{stroke:#1f5fa8;stroke-width:4;stroke-linecap:round;"
            "stroke-dasharray:0 5}.model{stroke:#c33;stroke-width:1.6}</style>\n"
            "<rect width='100%%' height='100%%' fill='white'/>\n",
            3 * MARGIN + 2 * WIDTH + 80, 2 * MARGIN + HEIGHT + 10);
    result = draw_traces(&left, population, traces);
    right.x[0] = left.y[0];
    right.x[1] = left.y[1];
    if (result == 0)
        draw_steps(&right, population, traces);
    fprintf(to, "</svg>\n");
    json_numbers_end(before);
    result = fclose(to) != 0 || result != 0 ? failure_set(failure, "%s: out of memory", path)
                                            : text_file_write(path, text, length, failure);
    free(text);
    return result;
}
