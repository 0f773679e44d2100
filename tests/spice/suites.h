/* suites.h - one suite a file, collected in main.c. */
#ifndef FFEBM_TESTS_SPICE_SUITES_H
#define FFEBM_TESTS_SPICE_SUITES_H

#include <check.h>

extern const char *spice_program; /* whose --serve is a simulator's process */

Suite *test_netlist_suite(void);
Suite *test_slots_suite(void);
Suite *test_child_suite(void);

#endif
