/* Tests of circuits as energy blocks. main SPICE_BLOCK; CK_RUN_SUITE=name runs one suite. */
#include <stdio.h>
#include <stdlib.h>

#include "suites.h"

const char *spice_program;

static Suite *(*const suites[])(void) = {test_netlist_suite, test_slots_suite, test_child_suite};

int main(int argc, char **argv)
{
    SRunner *runner = srunner_create(NULL);
    int failed;

    if (argc != 2) {
        fprintf(stderr, "usage: %s SPICE_BLOCK\n", argv[0]);
        return 2;
    }
    spice_program = argv[1];
    for (size_t i = 0; i < sizeof suites / sizeof suites[0]; i++)
        srunner_add_suite(runner, suites[i]());
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
