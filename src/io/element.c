#include "io/element.h"

#include <string.h>

static const ffebmi_element elements[] = {
    {"F32", 32, FFEBM_FLOAT32},
    {"F64", 64, FFEBM_FLOAT64},
    {"I64", 64, FFEBM_INT64},
    {"BOOL", 8, 0},
    {"U8", 8, 0},
    {"I8", 8, 0},
    {"I16", 16, 0},
    {"U16", 16, 0},
    {"F16", 16, 0},
    {"BF16", 16, 0},
    {"I32", 32, 0},
    {"U32", 32, 0},
    {"U64", 64, 0},
    {"C64", 64, 0},
    {"F8_E5M2", 8, 0},
    {"F8_E4M3", 8, 0},
    {"F8_E8M0", 8, 0},
    {"F6_E2M3", 6, 0},
    {"F6_E3M2", 6, 0},
    {"F4", 4, 0},
};

enum { ELEMENTS = sizeof elements / sizeof elements[0] };

const ffebmi_element *ffebmi_element_named(const char *name)
{
    for (size_t i = 0; i < ELEMENTS; i++)
        if (strcmp(elements[i].name, name) == 0)
            return &elements[i];
    return NULL;
}

const ffebmi_element *ffebmi_element_of(int32_t dtype)
{
    for (size_t i = 0; i < ELEMENTS; i++)
        if (elements[i].dtype == dtype)
            return &elements[i];
    return NULL;
}

void ffebmi_store(unsigned char *to, uint64_t value, size_t size)
{
    for (size_t i = 0; i < size; i++)
        to[i] = (unsigned char)(value >> (8 * i));
}

uint64_t ffebmi_load(const unsigned char *from, size_t size)
{
    uint64_t value = 0;

    for (size_t i = 0; i < size; i++)
        value |= (uint64_t)from[i] << (8 * i);
    return value;
}

void ffebmi_element_encode(unsigned char *to, const void *from, int32_t dtype, size_t count)
{
    if (dtype == FFEBM_FLOAT32) {
        for (size_t i = 0; i < count; i++) {
            uint32_t bits;

            memcpy(&bits, (const float *)from + i, sizeof bits);
            ffebmi_store(to + 4 * i, bits, 4);
        }
        return;
    }
    for (size_t i = 0; i < count; i++) {
        uint64_t bits;

        memcpy(&bits, (const char *)from + 8 * i, sizeof bits);
        ffebmi_store(to + 8 * i, bits, 8);
    }
}

static float float_at(const unsigned char *from)
{
    uint32_t bits = (uint32_t)ffebmi_load(from, 4);
    float value;

    memcpy(&value, &bits, sizeof value);
    return value;
}

static double double_at(const unsigned char *from)
{
    uint64_t bits = ffebmi_load(from, 8);
    double value;

    memcpy(&value, &bits, sizeof value);
    return value;
}

void ffebmi_element_decode(void *to, int32_t to_dtype, const unsigned char *from, int32_t from_dtype, size_t count)
{
    if (to_dtype == FFEBM_INT64) {
        for (size_t i = 0; i < count; i++)
            ((int64_t *)to)[i] = (int64_t)ffebmi_load(from + 8 * i, 8);
    } else if (to_dtype == FFEBM_FLOAT32 && from_dtype == FFEBM_FLOAT32) {
        for (size_t i = 0; i < count; i++)
            ((float *)to)[i] = float_at(from + 4 * i);
    } else if (to_dtype == FFEBM_FLOAT32) {
        for (size_t i = 0; i < count; i++)
            ((float *)to)[i] = (float)double_at(from + 8 * i);
    } else if (from_dtype == FFEBM_FLOAT32) {
        for (size_t i = 0; i < count; i++)
            ((double *)to)[i] = float_at(from + 4 * i);
    } else {
        for (size_t i = 0; i < count; i++)
            ((double *)to)[i] = double_at(from + 8 * i);
    }
}
