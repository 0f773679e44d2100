/* threads = 0: the processors that this process may use. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* sched_setaffinity */
#endif
#include <sched.h>

#include "core/context.h"
#include "core/processors.h"
#include "fixture.h"

static void check_workers(size_t most)
{
    ffebm_context *context = NULL;
    ffebm_context_config config;

    ck_assert_uint_ge(ffebmi_processors(), 1);
    ck_assert_uint_le(ffebmi_processors(), most);
    ffebm_context_config_init(&config, sizeof config);
    config.threads = 0;
    ck_assert_int_eq(ffebm_context_create(&context, &config), FFEBM_OK);
    ck_assert_uint_eq(context->executor.workers, ffebmi_processors());
    ffebm_context_destroy(context);
}

START_TEST(workers_are_the_processors_that_may_be_used)
{
    cpu_set_t all, one;
    int cpu = 0;

    ck_assert_int_eq(sched_getaffinity(0, sizeof all, &all), 0);
    check_workers((size_t)CPU_COUNT(&all));
    while (!CPU_ISSET(cpu, &all))
        cpu++;
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    ck_assert_int_eq(sched_setaffinity(0, sizeof one, &one), 0);
    check_workers(1);
    ck_assert_int_eq(sched_setaffinity(0, sizeof all, &all), 0);
    check_workers((size_t)CPU_COUNT(&all));
}
END_TEST

Suite *test_processors_suite(void)
{
    Suite *suite = suite_create("processors");
    TCase *tests = tcase_create("processors");

    tcase_add_test(tests, workers_are_the_processors_that_may_be_used);
    suite_add_tcase(suite, tests);
    return suite;
}
