/* The tensors of a safetensors file: which there are, where, and their values. */
#ifndef FFEBMI_IO_TABLE_H
#define FFEBMI_IO_TABLE_H

#include "io/element.h"
#include "io/header.h"
#include "tensor/shape.h"

typedef struct ffebmi_entry {
    const char *name;
    const cJSON *shape;
    const ffebmi_element *element;
    uint64_t begin; /* of its bytes, in the file */
    uint64_t end;
} ffebmi_entry;

typedef struct ffebmi_table {
    ffebm_context *context;
    const ffebmi_source *source;
    cJSON *root; /* owns the entries' texts */
    const cJSON *metadata;
    size_t entry_count;
    ffebmi_entry *entries; /* in the order of their names */
} ffebmi_table;

/* Read and check the whole header. On success close the table; the source lives as long as it.
 * FFEBM_ERR_FORMAT, FFEBM_ERR_IO, FFEBM_ERR_NOMEM. */
ffebm_status ffebmi_table_open(ffebm_context *context, ffebmi_table *table, const ffebmi_source *source);
void ffebmi_table_close(ffebmi_table *table);

const ffebmi_entry *ffebmi_table_find(const ffebmi_table *table, const char *name); /* NULL: none */
const char *ffebmi_table_metadata(const ffebmi_table *table, const char *key);      /* NULL: none */

/* An entry's shape; a scalar's is [1]. FFEBM_ERR_SHAPE if it is none of a tensor of this library. */
ffebm_status ffebmi_table_shape(const ffebmi_table *table, const ffebmi_entry *entry, ffebmi_shape *shape);

/* Read an entry's numbers as `dtype`: its own, or the other float type. FFEBM_ERR_IO. */
ffebm_status ffebmi_table_values(const ffebmi_table *table, const ffebmi_entry *entry, void *to, int32_t dtype);

#endif
