/* ledger_print.h - a ledger for people and for programs. */
#ifndef EXAMPLES_LEDGER_PRINT_H
#define EXAMPLES_LEDGER_PRINT_H

#include <stdio.h>

#include <ffebm.h>

struct ledger_entry {
    size_t stage;     /* FFEBM_ALL: of the whole chain */
    const char *type; /* of the stage */
    int32_t part;     /* FFEBM_LEDGER_ */
    ffebm_ledger ledger;
};

struct ledger_table {
    const char *name; /* of the model */
    const struct ledger_entry *entries;
    size_t count;
    ffebm_ledger total;
    const ffebm_ledger_config *config;
};

/* Events by stage and part; what they cost, in either mapping, beside backpropagation; the constants with their sources. */
void ledger_print_words(FILE *file, const struct ledger_table *table);

/* The same as one JSON object, in SI units. */
void ledger_print_json(FILE *file, const struct ledger_table *table);

#endif
