/* watch_settling.c - what happens inside an energy block: its neurons come to rest without a force, and then once more while its
 * output is pulled. A picture of that, as SVG, on standard output.
 *
 *   watch_settling [SEED] >settling.svg
 *
 * A block of three layers of neurons with values from 0 to 1 gets one sample. The states after each sweep are those of a phase of
 * so many sweeps, and so is the energy.
 */
#include <stdio.h>
#include <stdlib.h>

#include <ffebm.h>

enum { LAYERS = 3, FREE = 24, NUDGED = 16, SWEEPS = FREE + NUDGED, MOST = 32, DRAWN = 8 };

static const int64_t units[LAYERS] = {24, 16, 8};
static const char description[] =
    "{\"dtype\": \"float64\", \"input\": [24], \"loss\": \"mse\", \"stages\": [{\"energy\": {\"type\": \"hopfield\", "
    "\"activation\": {\"type\": \"hard_sigmoid\", \"slope\": 0.5}, \"clamp_last\": true, \"couplings\": ["
    "{\"type\": \"dense\", \"out_features\": 16, \"initialization\": {\"type\": \"uniform\", \"gain\": 1.5, \"bias\": "
    "0.2}}, "
    "{\"type\": \"dense\", \"out_features\": 8, \"initialization\": {\"type\": \"uniform\", \"gain\": 1.5, \"bias\": "
    "0.2}}]}}]}";

static ffebm_context *context;
static ffebm_engine *engine;
static double states[SWEEPS + 1][LAYERS][MOST], energies[SWEEPS + 1];

static void check(ffebm_status status)
{
    if (status == FFEBM_OK)
        return;
    fprintf(stderr, "watch_settling: %s\n", ffebm_context_error(context));
    exit(EXIT_FAILURE);
}

static ffebm_tensor *row(double *numbers, int64_t count)
{
    ffebm_tensor *tensor;

    check(ffebm_tensor_wrap(context, &tensor, numbers, FFEBM_FLOAT64, (int64_t[]){1, count}, 2));
    return tensor;
}

/* The block after so many sweeps of a phase. */
static void note(int sweep, int32_t phase, const ffebm_tensor *input)
{
    ffebm_tensor *energy;

    for (size_t layer = 0; layer < LAYERS; layer++) {
        ffebm_tensor *state = row(states[sweep][layer], units[layer]);

        check(ffebm_engine_get_state(engine, state, 0, layer, phase));
        ffebm_tensor_destroy(state);
    }
    check(ffebm_tensor_wrap(context, &energy, &energies[sweep], FFEBM_FLOAT64, (int64_t[]){1}, 1));
    check(ffebm_engine_energy(engine, energy, 0, phase, input));
    ffebm_tensor_destroy(energy);
}

static void watch(const ffebm_tensor *input, const ffebm_tensor *force)
{
    ffebm_equilibrium_config settings;

    ffebm_equilibrium_config_init(&settings, sizeof settings);
    settings.free_tolerance = settings.nudged_tolerance = 0;
    for (int sweep = 1; sweep <= SWEEPS; sweep++) {
        settings.free_sweeps = sweep < FREE ? sweep : FREE;
        settings.nudged_sweeps = sweep > FREE ? sweep - FREE : 1;
        check(ffebm_engine_configure(engine, FFEBM_ALL, &settings));
        if (sweep <= FREE)
            check(ffebm_engine_settle(engine, 0, input, NULL));
        else
            check(ffebm_engine_settle(engine, 0, input, force));
        note(sweep, sweep <= FREE ? FFEBM_PHASE_FREE : FFEBM_PHASE_NUDGED, input);
    }
}

/* --------------------------------------------------------------------------------------------------------- the picture */

static const char *const colours[LAYERS] = {"#2563a8", "#2a9d7f", "#d9662b"};
enum { LEFT = 64, RIGHT = 700, TOP = 40, HEIGHT = 86, GAP = 14, BOTTOM = TOP + (LAYERS + 1) * (HEIGHT + GAP) };

static double across(double sweep)
{
    return LEFT + (RIGHT - LEFT) * sweep / SWEEPS;
}

static int panel(int layer)
{
    return TOP + (LAYERS - 1 - layer) * (HEIGHT + GAP);
}

static void text(double x, double y, const char *anchor, const char *colour, const char *words)
{
    printf("<text x=\"%.0f\" y=\"%.0f\" text-anchor=\"%s\" fill=\"%s\">%s</text>\n", x, y, anchor, colour, words);
}

/* Legible over lines. */
static void name(int layer, const char *colour, const char *words)
{
    printf("<g stroke=\"#fbf1e9\" stroke-width=\"5\" stroke-linejoin=\"round\" paint-order=\"stroke\">");
    text(RIGHT - 6, panel(layer) + 18, "end", colour, words);
    printf("</g>");
}

static void draw_line(const char *colour, double width, double top, double height, double low, double high,
                      const double *values, size_t stride)
{
    printf("<polyline fill=\"none\" stroke=\"%s\" stroke-width=\"%.1f\" stroke-linejoin=\"round\" points=\"", colour,
           width);
    for (int sweep = 0; sweep <= SWEEPS; sweep++)
        printf("%.1f,%.1f ", across(sweep), top + height * (high - values[(size_t)sweep * stride]) / (high - low));
    printf("\"/>\n");
}

static void draw_frames(void)
{
    printf("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 720 %d\" font-family=\"sans-serif\" "
           "font-size=\"13\">\n"
           "<title>An energy block settles, and settles again under a force</title>\n"
           "<rect width=\"720\" height=\"%d\" fill=\"#ffffff\"/>\n"
           "<rect x=\"%.1f\" y=\"%d\" width=\"%.1f\" height=\"%d\" fill=\"#fbf1e9\"/>\n",
           BOTTOM + 34, BOTTOM + 34, across(FREE), TOP, across(SWEEPS) - across(FREE), BOTTOM - GAP - TOP);
    for (int p = 0; p <= LAYERS; p++)
        printf("<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" fill=\"none\" stroke=\"#cfd6de\"/>\n", LEFT,
               panel(p - 1), RIGHT - LEFT, HEIGHT);
    for (int layer = 0; layer < LAYERS; layer++) {
        text(LEFT - 8, panel(layer) + 12, "end", "#5a6470", "1");
        text(LEFT - 8, panel(layer) + HEIGHT, "end", "#5a6470", "0");
    }
    text((across(0) + across(FREE)) / 2, TOP - 12, "middle", "#222a33", "free: it comes to rest");
    text((across(FREE) + across(SWEEPS)) / 2, TOP - 12, "middle", "#b3501c", "nudged: its output is pulled");
    for (int sweep = 0; sweep <= SWEEPS; sweep += 8) {
        char number[12];

        snprintf(number, sizeof number, "%d", sweep);
        text(across(sweep), BOTTOM + 4, "middle", "#5a6470", number);
    }
    text(across(SWEEPS / 2.0), BOTTOM + 22, "middle", "#5a6470", "sweeps");
}

static void draw(void)
{
    static const char *const names[LAYERS] = {"first layer", "second layer", "output"};
    double low = energies[1], high = energies[1];

    draw_frames();
    for (int layer = 0; layer < LAYERS; layer++)
        for (int unit = 0; unit < DRAWN; unit++)
            draw_line(colours[layer], 1.3, panel(layer) + 3, HEIGHT - 6, 0, 1, &states[0][layer][unit], LAYERS * MOST);
    for (int sweep = 0; sweep <= SWEEPS; sweep++) {
        low = energies[sweep] < low ? energies[sweep] : low;
        high = energies[sweep] > high ? energies[sweep] : high;
    }
    for (int layer = 0; layer < LAYERS; layer++)
        name(layer, colours[layer], names[layer]);
    name(-1, "#444b54", "energy");
    draw_line("#444b54", 2, panel(-1) + 6, HEIGHT - 12, low, high, energies, 1);
    printf("</svg>\n");
}

int main(int argc, char **argv)
{
    const uint64_t seed = argc > 1 ? strtoull(argv[1], NULL, 10) : 1;
    double x[MOST], pull[MOST];
    ffebm_model *model = NULL;
    ffebm_tensor *input, *force;

    if (ffebm_context_create(&context, NULL) != FFEBM_OK)
        return EXIT_FAILURE;
    check(ffebm_model_parse(context, &model, description, sizeof description - 1, NULL));
    check(ffebm_model_initialize(model, seed));
    check(ffebm_engine_create(&engine, model, NULL));
    for (uint64_t i = 0; i < MOST; i++) {
        x[i] = 0.6 + 0.6 * ffebm_random_normal(seed + 1, i);
        pull[i] = i % 2 == 0 ? 0.25 : -0.25;
    }
    input = row(x, units[0]);
    force = row(pull, units[LAYERS - 1]);
    watch(input, force);
    draw();
    ffebm_tensor_destroy(force);
    ffebm_tensor_destroy(input);
    ffebm_engine_destroy(engine);
    ffebm_model_destroy(model);
    ffebm_context_destroy(context);
    return EXIT_SUCCESS;
}
