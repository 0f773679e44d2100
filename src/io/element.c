#include "io/element.h"

#include <math.h>
#include <string.h>

/* The first of a dtype is the one that is written as it. */
static const ffebmi_element elements[] = {
    {"F32", 32, 0, FFEBM_FLOAT32},
    {"F64", 64, 0, FFEBM_FLOAT64},
    {"I64", 64, 1, FFEBM_INT64},
    {"F16", 16, 0, FFEBM_FLOAT32},
    {"BF16", 16, 0, FFEBM_FLOAT32},
    {"BOOL", 8, 0, FFEBM_INT64},
    {"U8", 8, 0, FFEBM_INT64},
    {"I8", 8, 1, FFEBM_INT64},
    {"I16", 16, 1, FFEBM_INT64},
    {"U16", 16, 0, FFEBM_INT64},
    {"I32", 32, 1, FFEBM_INT64},
    {"U32", 32, 0, FFEBM_INT64},
    {"U64", 64, 0, 0},
    {"C64", 64, 0, 0},
    {"F8_E5M2", 8, 0, 0},
    {"F8_E4M3", 8, 0, 0},
    {"F8_E8M0", 8, 0, 0},
    {"F6_E2M3", 6, 0, 0},
    {"F6_E3M2", 6, 0, 0},
    {"F4", 4, 0, 0},
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

/* Sign, 5 bits of exponent, 10 of fraction. */
static float half_at(const unsigned char *from)
{
    uint32_t bits = (uint32_t)ffebmi_load(from, 2), fraction = bits & 0x3ff;
    int exponent = (int)(bits >> 10 & 0x1f);
    float size = exponent == 0    ? ldexpf((float)fraction, -24)
                 : exponent == 31 ? (fraction == 0 ? INFINITY : NAN)
                                  : ldexpf((float)(fraction + 0x400), exponent - 25);

    return (bits & 0x8000) != 0 ? -size : size;
}

/* The upper half of a float. */
static float brain_at(const unsigned char *from)
{
    const unsigned char whole[4] = {0, 0, from[0], from[1]};

    return float_at(whole);
}

static int64_t integer_at(const unsigned char *from, const ffebmi_element *element)
{
    uint64_t value = ffebmi_load(from, element->bits / 8);

    if (element->is_signed && element->bits < 64 && (value >> (element->bits - 1) & 1) != 0)
        value |= UINT64_MAX << element->bits;
    return (int64_t)value;
}

typedef float (*float_fn)(const unsigned char *from);

void ffebmi_element_decode(void *to, int32_t dtype, const unsigned char *from, const ffebmi_element *element,
                           size_t count)
{
    size_t size = element->bits / 8;
    float_fn at = size == 4 ? float_at : element->name[0] == 'B' ? brain_at : half_at;

    if (dtype == FFEBM_INT64) {
        for (size_t i = 0; i < count; i++)
            ((int64_t *)to)[i] = integer_at(from + size * i, element);
    } else if (dtype == FFEBM_FLOAT32 && element->dtype == FFEBM_FLOAT32) {
        for (size_t i = 0; i < count; i++)
            ((float *)to)[i] = at(from + size * i);
    } else if (dtype == FFEBM_FLOAT32) {
        for (size_t i = 0; i < count; i++)
            ((float *)to)[i] = (float)double_at(from + size * i);
    } else if (element->dtype == FFEBM_FLOAT32) {
        for (size_t i = 0; i < count; i++)
            ((double *)to)[i] = at(from + size * i);
    } else {
        for (size_t i = 0; i < count; i++)
            ((double *)to)[i] = double_at(from + size * i);
    }
}
