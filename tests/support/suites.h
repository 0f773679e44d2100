/* suites.h - one suite a file, collected in main.c. */
#ifndef FFEBM_TESTS_SUPPORT_SUITES_H
#define FFEBM_TESTS_SUPPORT_SUITES_H

#include <check.h>

Suite *test_damage_suite(void);
Suite *test_bad_data_suite(void);
Suite *test_foreign_suite(void);
Suite *test_variants_suite(void);
Suite *test_loader_suite(void);
Suite *test_run_suite(void);
Suite *test_constants_suite(void);

#endif
