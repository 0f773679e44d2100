/* Elements of a tensor in a safetensors file: their types, and their bytes, little-endian whatever the machine is. */
#ifndef FFEBMI_IO_ELEMENT_H
#define FFEBMI_IO_ELEMENT_H

#include <ffebm/tensor.h>

#include "core/strict.h"

typedef struct ffebmi_element {
    const char *name; /* "F32" */
    uint32_t bits;
    int32_t is_signed; /* of an integer */
    int32_t dtype;     /* of this library's, the one that holds each of its values; 0: none does */
} ffebmi_element;

/* The type of this name, or NULL if the format has none. */
const ffebmi_element *ffebmi_element_named(const char *name);

/* The type that FFEBM_FLOAT32, FFEBM_FLOAT64 or FFEBM_INT64 is written as. */
const ffebmi_element *ffebmi_element_of(int32_t dtype);

/* The bytes of `count` numbers. */
void ffebmi_element_encode(unsigned char *to, const void *from, int32_t dtype, size_t count);

/* `count` numbers from their bytes, as the type's own dtype; of a float type also as the other. */
void ffebmi_element_decode(void *to, int32_t dtype, const unsigned char *from, const ffebmi_element *element,
                           size_t count);

/* An unsigned number of `size` <= 8 bytes. */
void ffebmi_store(unsigned char *to, uint64_t value, size_t size);
uint64_t ffebmi_load(const unsigned char *from, size_t size);

#endif
