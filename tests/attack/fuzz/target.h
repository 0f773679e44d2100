/* What a fuzz target defines: the function that libFuzzer calls, and how many changed inputs the short version tries. */
#ifndef FFEBM_TESTS_TARGET_H
#define FFEBM_TESTS_TARGET_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

/* Enough for about a second. */
extern const size_t fuzz_mutants;

/* End the process with a sentence unless `holds`, so that libFuzzer keeps the input. */
void must(int holds, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
