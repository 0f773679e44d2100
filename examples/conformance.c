/* Run the conformance kit (conformance/conformance.h) on blocks: the resistor network of blocks/resistor_network.c, and a
 * layer with a tanh.
 *
 *   conformance            both as they are, which pass
 *   conformance --broken   then each with one mistake at a time, which the kit must name
 *
 * To check a block of your own, put its table in the place of these. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "blocks/resistor_network.h"
#include "conformance/broken.h"

static const struct conformance_settings settings = {.input = {-1, 1}, .parameter = {0.1, 1}, .force = 0.5, .seed = 1};

static int check_digital(int broken)
{
    ffebm_user_parameter parameter;
    ffebm_user_feedforward table = broken_tanh_layer(&parameter);
    int failures = conformance_feedforward(&table, &parameter, 1, &settings, stdout);

    return failures + (broken ? broken_feedforward(&settings) : 0);
}

static int check_energy(int broken)
{
    ffebm_user_energy table;
    ffebm_user_parameter parameter;
    struct resistor_network *network =
        resistor_network_table(&table, BROKEN_CURRENTS, BROKEN_VOLTAGES, BROKEN_NODES, 0.5);
    int failures;

    if (network == NULL) {
        fprintf(stderr, "conformance: out of memory\n");
        return 1;
    }
    resistor_network_parameter(network, &parameter);
    failures = conformance_energy(&table, &parameter, 1, &settings, stdout);
    if (broken)
        failures += broken_energy(&table, &parameter, &settings);
    table.destroy(table.self);
    return failures;
}

int main(int argc, char **argv)
{
    int broken = argc > 1 && strcmp(argv[1], "--broken") == 0, failures;

    failures = check_digital(broken);
    failures += check_energy(broken);
    printf("conformance: %s\n", failures > 0 ? "FAILED" : broken ? "kept, and every mistake named" : "kept");
    return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
