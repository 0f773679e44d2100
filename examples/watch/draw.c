/* A film as a picture, SVG: a panel of lines for each layer, the output on top, and below them how far the energy is above
 * that of its phase's end. */
#include <math.h>

#include "film.h"

enum { LEFT = 64, RIGHT = 700, TOP = 40, HEIGHT = 86, GAP = 14, LINES = 8, DECADES = 6 };

static const char *const colours[] = {"#2563a8", "#2a9d7f", "#d9662b", "#8a56ac"};
enum { COLOURS = sizeof colours / sizeof colours[0] };

struct canvas {
    FILE *file;
    const struct film *film;
    size_t nudged; /* the first frame of that phase */
};

/* Both phases have a frame for their start, which is one state. */
static double across(const struct canvas *c, size_t frame)
{
    size_t places = c->film->count - (c->nudged < c->film->count ? 2 : 1);
    size_t at = frame >= c->nudged ? frame - 1 : frame;

    return LEFT + (double)(RIGHT - LEFT) * (double)at / (double)(places > 0 ? places : 1);
}

/* The top of a layer's panel; that of the energy for `layers`. */
static int panel(const struct canvas *c, size_t layer)
{
    size_t row = layer < c->film->layers ? c->film->layers - 1 - layer : layer;

    return TOP + (int)row * (HEIGHT + GAP);
}

static void text(const struct canvas *c, double x, double y, const char *anchor, const char *colour, const char *words)
{
    fprintf(c->file, "<text x=\"%.0f\" y=\"%.0f\" text-anchor=\"%s\" fill=\"%s\">%s</text>\n", x, y, anchor, colour,
            words);
}

/* Legible over lines. */
static void name(const struct canvas *c, size_t layer, const char *colour, const char *words)
{
    fputs("<g stroke=\"#fbf1e9\" stroke-width=\"5\" stroke-linejoin=\"round\" paint-order=\"stroke\">", c->file);
    text(c, RIGHT - 6, panel(c, layer) + 18, "end", colour, words);
    fputs("</g>\n", c->file);
}

static void draw_panels(const struct canvas *c, int bottom)
{
    double pulled = c->nudged < c->film->count ? across(c, c->nudged) : RIGHT;

    fprintf(c->file,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 720 %d\" font-family=\"sans-serif\" "
            "font-size=\"13\">\n<title>An energy block settles, and settles again under a force</title>\n"
            "<rect width=\"720\" height=\"%d\" fill=\"#ffffff\"/>\n"
            "<rect x=\"%.1f\" y=\"%d\" width=\"%.1f\" height=\"%d\" fill=\"#fbf1e9\"/>\n",
            bottom + 34, bottom + 34, pulled, TOP, RIGHT - pulled, bottom - GAP - TOP);
    for (size_t p = 0; p <= c->film->layers; p++)
        fprintf(c->file, "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" fill=\"none\" stroke=\"#cfd6de\"/>\n",
                LEFT, panel(c, p), RIGHT - LEFT, HEIGHT);
    text(c, (LEFT + pulled) / 2, TOP - 12, "middle", "#222a33", "free: it comes to rest");
    if (c->nudged < c->film->count)
        text(c, (pulled + RIGHT) / 2, TOP - 12, "middle", "#b3501c", "nudged: its output is pulled");
}

/* Numbers of sweeps, of each phase from its start. */
static void draw_axis(const struct canvas *c, int bottom)
{
    size_t every = 1;
    char number[32];

    while (c->film->count / (c->film->steps * every) > 14)
        every *= 2;
    for (size_t f = 0; f < c->film->count; f++) {
        const struct frame *frame = &c->film->frames[f];

        if (frame->sweep > 0 && frame->step == c->film->steps && (size_t)frame->sweep % every == 0) {
            snprintf(number, sizeof number, "%.0f", (double)frame->sweep);
            text(c, across(c, f), bottom + 4, "middle", "#5a6470", number);
        }
    }
    text(c, (LEFT + RIGHT) / 2.0, bottom + 22, "middle", "#5a6470", "sweeps of the phase");
}

static void begin_line(const struct canvas *c, const char *colour, double width)
{
    fprintf(c->file, "<polyline fill=\"none\" stroke=\"%s\" stroke-width=\"%.1f\" stroke-linejoin=\"round\" points=\"",
            colour, width);
}

/* The extremes of a layer's units, and apart from each other. */
static void find_range(const struct film *film, size_t layer, size_t first, double range[2])
{
    range[0] = range[1] = (double)film->frames[0].units[first];
    for (size_t f = 0; f < film->count; f++)
        for (size_t u = first; u < first + film->shown[layer]; u++) {
            range[0] = fmin(range[0], (double)film->frames[f].units[u]);
            range[1] = fmax(range[1], (double)film->frames[f].units[u]);
        }
    if (range[0] == range[1])
        range[1]++;
}

static void draw_layer(const struct canvas *c, size_t layer, size_t first)
{
    const struct film *film = c->film;
    size_t lines = film->shown[layer] < LINES ? film->shown[layer] : LINES;
    double range[2];
    char number[32];

    find_range(film, layer, first, range);
    for (int end = 0; end < 2; end++) {
        snprintf(number, sizeof number, "%.2g", range[end]);
        text(c, LEFT - 8, panel(c, layer) + (end == 0 ? HEIGHT : 12), "end", "#5a6470", number);
    }
    for (size_t i = 0; i < lines; i++) {
        size_t unit = first + i * film->shown[layer] / lines;

        begin_line(c, colours[layer % COLOURS], 1.3);
        for (size_t f = 0; f < film->count; f++)
            fprintf(c->file, "%.1f,%.1f ", across(c, f),
                    panel(c, layer) + 3 +
                        (HEIGHT - 6) * (range[1] - (double)film->frames[f].units[unit]) / (range[1] - range[0]));
        fputs("\"/>\n", c->file);
    }
}

/* Frames first .. end - 1: at the top of the panel the energy of the phase's start, each line down a tenth of what is left. */
static void draw_energy(const struct canvas *c, size_t first, size_t end)
{
    const struct frame *frames = c->film->frames;
    double most = first < end ? frames[first].energy - frames[end - 1].energy : 0;

    if (most <= 0)
        return;
    begin_line(c, "#444b54", 2);
    for (size_t f = first; f < end; f++) {
        double left = (frames[f].energy - frames[end - 1].energy) / most;
        double down = left > pow(10, -DECADES) ? -log10(left) / DECADES : 1;

        fprintf(c->file, "%.1f,%.1f ", across(c, f), panel(c, c->film->layers) + 6 + (HEIGHT - 12) * down);
    }
    fputs("\"/>\n", c->file);
}

void film_draw(FILE *file, const struct film *film)
{
    struct canvas c = {.file = file, .film = film, .nudged = film_nudged(film)};
    int bottom = TOP + (int)(film->layers + 1) * (HEIGHT + GAP);
    size_t first = 0;
    char words[64];

    draw_panels(&c, bottom);
    for (size_t layer = 0; layer < film->layers; first += film->shown[layer], layer++)
        draw_layer(&c, layer, first);
    draw_energy(&c, 0, c.nudged);
    draw_energy(&c, c.nudged, film->count);
    for (size_t layer = 0; layer < film->layers; layer++) {
        snprintf(words, sizeof words, layer + 1 < film->layers ? "layer %zu" : "layer %zu, the output", layer);
        name(&c, layer, colours[layer % COLOURS], words);
    }
    name(&c, film->layers, "#444b54", "energy above the phase's end");
    text(&c, LEFT - 8, panel(&c, film->layers) + 12, "end", "#5a6470", "1");
    snprintf(words, sizeof words, "1e-%d", DECADES);
    text(&c, LEFT - 8, panel(&c, film->layers) + HEIGHT, "end", "#5a6470", words);
    draw_axis(&c, bottom);
    fputs("</svg>\n", file);
}
