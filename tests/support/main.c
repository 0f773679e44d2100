/* Tests of what the examples share; CK_RUN_SUITE=name runs one suite. */
#include <stdlib.h>

#include "suites.h"

static Suite *(*const suites[])(void) = {test_damage_suite,   test_bad_data_suite, test_foreign_suite,
                                         test_variants_suite, test_loader_suite,   test_run_suite,
                                         test_constants_suite};

int main(void)
{
    SRunner *runner = srunner_create(NULL);
    int failed;

    for (size_t i = 0; i < sizeof suites / sizeof suites[0]; i++)
        srunner_add_suite(runner, suites[i]());
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
