#include "resistive.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* How many nodes a layer has, the sources' the first. */
static size_t nodes(const struct resistive *n, size_t layer)
{
    return layer == 0 ? 2 * n->inputs : n->layers[layer - 1];
}

static void write_sources(FILE *to, const struct resistive *n)
{
    for (size_t i = 0; i < 2 * n->inputs; i++)
        fprintf(to, "Vx%zu s0_%zu 0 dc 0\n", i, i);
    for (size_t i = 0; i < n->inputs; i++)
        fprintf(to, "* ffebm input Vx%zu*%.17g,Vx%zu*%.17g\n", i, n->gain, i + n->inputs, -n->gain);
}

static void write_resistors(FILE *to, const struct resistive *n, size_t layer)
{
    size_t above = nodes(n, layer), below = nodes(n, layer - 1);

    for (size_t k = 0; k < above; k++) {
        for (size_t j = 0; j < below; j++)
            fprintf(to, "R%zu_%zu_%zu s%zu_%zu s%zu_%zu %.6g\n", layer, k, j, layer, k, layer - 1, j,
                    2 * sqrt((double)below));
        fprintf(to, "* ffebm parameter %zu.weight", layer - 1);
        if (k == 0)
            fprintf(to, "[%zu,%zu]", above, below);
        for (size_t j = 0; j < below; j++)
            fprintf(to, " R%zu_%zu_%zu", layer, k, j);
        fputc('\n', to);
    }
}

static void write_biases(FILE *to, const struct resistive *n, size_t layer)
{
    for (size_t k = 0; k < nodes(n, layer); k++)
        fprintf(to, "Ib%zu_%zu 0 s%zu_%zu dc 0\n", layer, k, layer, k);
    fprintf(to, "* ffebm parameter %zu.bias", layer - 1);
    for (size_t k = 0; k < nodes(n, layer); k++)
        fprintf(to, " Ib%zu_%zu", layer, k);
    fputc('\n', to);
}

static void write_diodes(FILE *to, const struct resistive *n, size_t layer)
{
    size_t count = nodes(n, layer);

    for (size_t k = 0; k < count; k++)
        fprintf(to, "Bd%zu_%zu s%zu_%zu 0 i=%s(v(s%zu_%zu),0)*%g\n", layer, k, layer, k, k < count / 2 ? "min" : "max",
                layer, k, RESISTIVE_DIODE);
}

char *resistive_netlist(const struct resistive *network)
{
    char *text = NULL;
    size_t length;
    FILE *to = open_memstream(&text, &length);
    int bad;

    if (to == NULL)
        return NULL;
    fprintf(to, "a deep resistive network\n");
    write_sources(to, network);
    for (size_t layer = 1; layer <= network->layer_count; layer++) {
        write_resistors(to, network, layer);
        write_biases(to, network, layer);
        if (layer < network->layer_count)
            write_diodes(to, network, layer);
    }
    fprintf(to, "* ffebm output");
    for (size_t k = 0; k < nodes(network, network->layer_count); k++)
        fprintf(to, " s%zu_%zu", network->layer_count, k);
    fprintf(to, "\n.end\n");
    bad = ferror(to);
    if (fclose(to) == 0 && !bad)
        return text;
    free(text);
    return NULL;
}
