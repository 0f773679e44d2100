#include "random_graph.h"

#include <stdio.h>
#include <string.h>

#include <ffebm/core.h>

/* What is being drawn. */
typedef struct drawing {
    random_graph *graph;
    uint64_t seed;
    uint64_t drawn;
    size_t layers; /* that there will be */
    bool neurons;  /* of layers' own, and taps: of draws of their own, so that the rest is as without */
    bool clamp_last;
    bool negative[GRAPH_LAYERS]; /* may the layer be? */
    char layer0[128];
    char taps[GRAPH_TEXT / 4];
    char block[GRAPH_TEXT / 2];
} drawing;

/* A convolution, in height and width: a window, and the places that it makes. */
typedef struct window {
    int64_t kernel[2];
    int64_t stride[2];
    int64_t padding[2];
    int64_t pool[2];
    int64_t out[2];
} window;

static int64_t draw(drawing *d, int64_t least, int64_t most)
{
    return least + (int64_t)(ffebm_random_uniform(d->seed, d->drawn++) * (double)(most - least + 1));
}

static drawing aside(const drawing *d)
{
    return (drawing){.seed = d->seed + 1000000 * (1 + d->graph->layers)};
}

static bool one_in(drawing *d, int64_t count)
{
    return draw(d, 1, count) == 1;
}

static bool is_image(const int64_t shape[3])
{
    return shape[1] > 0;
}

static void append(drawing *d, const char *text)
{
    snprintf(d->block + strlen(d->block), sizeof d->block - strlen(d->block), "%s", text);
}

/* ---------------------------------------------------------------------------------------------------------- neurons */

static const struct {
    const char *json;
    bool negative;
} neurons[] = {{"{\"type\": \"hard_sigmoid\", \"slope\": 0.6}", false},
               {"{\"type\": \"hard_sigmoid\", \"slope\": 0.9, \"lower\": 0, \"upper\": 6}", false},
               {"{\"type\": \"hard_sigmoid\", \"slope\": 0.7, \"lower\": -1, \"upper\": 0.5}", true},
               {"{\"type\": \"hard_sigmoid\", \"slope\": 0.5, \"lower\": 0.2, \"upper\": 0.8}", false},
               {"{\"type\": \"relu\", \"slope\": 0.5}", false},
               {"{\"type\": \"identity\", \"slope\": 0.4}", true},
               {"{\"type\": \"sigmoid\", \"slope\": 2}", false},
               {"{\"type\": \"tanh\", \"slope\": 0.8}", true}};

/* The neurons of a layer: "" where they are those of all, or the last layer's that is linear. */
static void draw_neurons(drawing *d, size_t layer, const char *format, char *text, size_t size)
{
    drawing own = aside(d);
    size_t kind = (size_t)draw(&own, 0, sizeof neurons / sizeof neurons[0] - 1);

    text[0] = '\0';
    d->negative[layer] = layer + 1 == d->layers && !d->clamp_last;
    if (!d->neurons || d->negative[layer] || one_in(&own, 4))
        return;
    snprintf(text, size, format, neurons[kind].json);
    d->negative[layer] = neurons[kind].negative;
}

/* -------------------------------------------------------------------------------------------------------- couplings */

/* A window that fits an image, with a pool or without (kernel 1). */
static bool draw_window(drawing *d, const int64_t shape[3], bool pooled, window *w)
{
    for (size_t i = 0; i < 2; i++) {
        w->kernel[i] = draw(d, 1, 3);
        w->stride[i] = draw(d, 1, 2);
        w->padding[i] = draw(d, 0, w->kernel[i] - 1);
        w->pool[i] = pooled ? draw(d, 1, 3) : 1;
        if (shape[1 + i] + 2 * w->padding[i] < w->kernel[i])
            return false;
        w->out[i] = (shape[1 + i] + 2 * w->padding[i] - w->kernel[i]) / w->stride[i] + 1;
        if (w->out[i] % w->pool[i] != 0)
            return false;
        w->out[i] /= w->pool[i];
    }
    return true;
}

/* How a coupling ends: where it goes and whether it has a bias. */
static void append_ends(drawing *d, size_t from, size_t to)
{
    random_graph *g = d->graph;
    char text[192];

    if (from + 1 != g->layers) {
        snprintf(text, sizeof text, ", \"from\": %zu", from);
        append(d, text);
    }
    if (to < g->layers) {
        snprintf(text, sizeof text, ", \"to\": %zu", to);
        append(d, text);
    } else {
        draw_neurons(d, to, ", \"activation\": %s", text, sizeof text);
        append(d, text);
    }
    append(d, one_in(d, 3) ? ", \"bias\": false}" : "}");
    g->from[g->couplings] = from;
    g->to[g->couplings++] = to;
    if (to == g->layers)
        g->layers++;
}

static void append_dense(drawing *d, size_t from, size_t to, int64_t out)
{
    char text[96];

    snprintf(text, sizeof text, "%s{\"type\": \"dense\", \"out_features\": %d", d->graph->couplings == 0 ? "" : ", ",
             (int)out);
    append(d, text);
    append_ends(d, from, to);
}

static void append_convolution(drawing *d, size_t from, size_t to, int64_t out, const window *w, bool average)
{
    char text[320];

    snprintf(text, sizeof text,
             "%s{\"type\": \"conv2d\", \"out_channels\": %d, \"kernel\": [%d, %d], \"stride\": [%d, %d], \"padding\": "
             "[%d, %d]",
             d->graph->couplings == 0 ? "" : ", ", (int)out, (int)w->kernel[0], (int)w->kernel[1], (int)w->stride[0],
             (int)w->stride[1], (int)w->padding[0], (int)w->padding[1]);
    append(d, text);
    if (w->pool[0] * w->pool[1] > 1) {
        snprintf(text, sizeof text, ", \"pool\": {\"type\": \"%s\", \"kernel\": [%d, %d]}", average ? "average" : "max",
                 (int)w->pool[0], (int)w->pool[1]);
        append(d, text);
        d->graph->max_pools = d->graph->max_pools || !average;
    }
    append_ends(d, from, to);
    d->graph->may_rise = d->graph->may_rise || (w->pool[0] * w->pool[1] > 1 && !average && d->negative[to]);
}

static void add_layer(drawing *d)
{
    random_graph *g = d->graph;
    size_t from = one_in(d, 3) ? (size_t)draw(d, 0, (int64_t)g->layers - 1) : g->layers - 1, to = g->layers;
    int64_t out = draw(d, 1, 4);
    window w;

    if (is_image(g->shape[from]) && !one_in(d, 4) && draw_window(d, g->shape[from], one_in(d, 2), &w)) {
        memcpy(g->shape[to], (int64_t[3]){out, w.out[0], w.out[1]}, sizeof g->shape[to]);
        append_convolution(d, from, to, out, &w, one_in(d, 2));
    } else {
        memcpy(g->shape[to], (int64_t[3]){2 * out, 0, 0}, sizeof g->shape[to]);
        append_dense(d, from, to, 2 * out);
    }
}

/* Join two layers that there are: a window is drawn until one fits, or not at all. */
static void join_layers(drawing *d)
{
    random_graph *g = d->graph;
    size_t from = (size_t)draw(d, 0, (int64_t)g->layers - 2),
           to = (size_t)draw(d, (int64_t)from + 1, (int64_t)g->layers - 1);
    const int64_t *above = g->shape[to];
    window w;

    if (!is_image(above)) {
        append_dense(d, from, to, above[0]);
        return;
    }
    for (int tries = 0; tries < 60 && is_image(g->shape[from]); tries++)
        if (draw_window(d, g->shape[from], one_in(d, 2), &w) && w.out[0] == above[1] && w.out[1] == above[2]) {
            append_convolution(d, from, to, above[0], &w, one_in(d, 2));
            return;
        }
}

/* ------------------------------------------------------------------------------------------------------------- taps */

static void append_tap(drawing *d, size_t layer, const char *ops)
{
    size_t length = strlen(d->taps);

    snprintf(d->taps + length, sizeof d->taps - length, "%s{\"to\": %zu, \"ops\": [%s]}", length > 0 ? ", " : "", layer,
             ops);
    d->graph->tapped[layer] = true;
}

/* From the input to a layer: by nothing, a linear map, or a window that fits, if one is found. */
static void draw_tap(drawing *d, size_t layer)
{
    const int64_t *input = d->graph->shape[0], *shape = d->graph->shape[layer];
    char ops[256];
    window w;

    if (memcmp(input, shape, sizeof d->graph->shape[0]) == 0) {
        append_tap(d, layer, "");
    } else if (!is_image(shape)) {
        snprintf(ops, sizeof ops, "{\"type\": \"flatten\"}, {\"type\": \"linear\", \"out_features\": %d}",
                 (int)shape[0]);
        append_tap(d, layer, ops);
    } else {
        for (int tries = 0; tries < 60; tries++)
            if (draw_window(d, input, false, &w) && w.out[0] == shape[1] && w.out[1] == shape[2]) {
                snprintf(ops, sizeof ops,
                         "{\"type\": \"conv2d\", \"out_channels\": %d, \"kernel\": [%d, %d], \"stride\": [%d, %d], "
                         "\"padding\": [%d, %d]}",
                         (int)shape[0], (int)w.kernel[0], (int)w.kernel[1], (int)w.stride[0], (int)w.stride[1],
                         (int)w.padding[0], (int)w.padding[1]);
                append_tap(d, layer, ops);
                return;
            }
    }
}

/* ----------------------------------------------------------------------------------------------------------- graphs */

static void draw_layers(drawing *d)
{
    random_graph *g = d->graph;
    int64_t *input = g->shape[0];

    for (size_t i = 0; i < 3; i++)
        input[i] = draw(d, i == 0 ? 1 : 3, i == 0 ? 3 : 7);
    while (g->layers < d->layers) {
        add_layer(d);
        if (g->layers > 1 && g->couplings + 2 < GRAPH_COUPLINGS && one_in(d, 2))
            join_layers(d);
    }
}

static void write_model(const drawing *d)
{
    random_graph *g = d->graph;
    const int64_t *input = g->shape[0];
    char below[sizeof d->taps + 64] = "";

    if (d->neurons)
        snprintf(below, sizeof below, "{\"feedforward\": [], \"taps\": [%s]}, ", d->taps);
    snprintf(
        g->json, sizeof g->json,
        "{\"dtype\": \"float64\", \"input\": [%d, %d, %d], \"loss\": \"mse\", \"initialization\": {\"type\": "
        "\"uniform\", \"gain\": 1.5, \"bias\": 0.2}, \"stages\": [%s{\"energy\": {\"type\": \"hopfield\", "
        "\"activation\": {\"type\": \"hard_sigmoid\", \"slope\": 0.6}, %s\"clamp_last\": %s, \"couplings\": [%s]}}]}",
        (int)input[0], (int)input[1], (int)input[2], below, d->layer0, d->clamp_last ? "true" : "false", d->block);
}

random_graph random_graph_of(uint64_t seed)
{
    random_graph graph = {.layers = 1};
    drawing d = {.graph = &graph, .seed = seed, .clamp_last = true};

    d.layers = (size_t)draw(&d, 2, GRAPH_LAYERS);
    draw_layers(&d);
    d.clamp_last = graph.max_pools || one_in(&d, 2);
    write_model(&d);
    return graph;
}

random_graph random_graph_with_neurons(uint64_t seed)
{
    random_graph graph = {.layers = 1};
    drawing d = {.graph = &graph, .seed = seed, .neurons = true};
    drawing own = {.seed = seed + 500000};

    d.layers = (size_t)draw(&d, 2, GRAPH_LAYERS);
    d.clamp_last = one_in(&own, 2);
    draw_neurons(&d, 0, "\"layer0\": {\"activation\": %s}, ", d.layer0, sizeof d.layer0);
    draw_layers(&d);
    for (size_t l = 1; l < graph.layers; l++)
        if (one_in(&d, 2))
            draw_tap(&d, l);
    write_model(&d);
    return graph;
}

bool random_graph_coupled(const random_graph *graph, size_t a, size_t b)
{
    for (size_t c = 0; c < graph->couplings; c++)
        if ((graph->from[c] == a && graph->to[c] == b) || (graph->from[c] == b && graph->to[c] == a))
            return true;
    return false;
}

void random_graph_colors(const random_graph *graph, size_t color[GRAPH_LAYERS])
{
    for (size_t l = 0; l < graph->layers; l++) {
        color[l] = 0;
        for (size_t k = 0; k < l; k++)
            if (color[k] == color[l] && random_graph_coupled(graph, k, l)) {
                color[l]++;
                k = (size_t)-1;
            }
    }
}
