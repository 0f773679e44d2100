/* The safetensors format: files of others, and files that lie. */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <ffebm/io.h>

#include "core/text.h"
#include "io/element.h"
#include "io/table.h"

Suite *test_safetensors_suite(void);

static ffebm_context *context;
static char path[64];

static void set_up(void)
{
    int file;

    ck_assert_int_eq(ffebm_context_create(&context, NULL), FFEBM_OK);
    strcpy(path, "/tmp/ffebm_safetensors_XXXXXX");
    file = mkstemp(path);
    ck_assert_int_ge(file, 0);
    close(file);
}

static void tear_down(void)
{
    unlink(path);
    ffebm_context_destroy(context);
}

/* A file of this header and `data_length` bytes 0, 1, 2.., with nothing behind its end that sanitizers would miss. */
static unsigned char *make(const char *json, size_t data_length, size_t *length)
{
    size_t header = strlen(json);
    unsigned char *bytes = malloc(8 + header + data_length);

    ck_assert_ptr_nonnull(bytes);
    ffebmi_store(bytes, header, 8);
    memcpy(bytes + 8, json, header);
    for (size_t i = 0; i < data_length; i++)
        bytes[8 + header + i] = (unsigned char)i;
    *length = 8 + header + data_length;
    return bytes;
}

static ffebm_status open_bytes(const unsigned char *bytes, size_t length)
{
    ffebmi_source source = ffebmi_source_memory(bytes, length);
    ffebmi_table table;
    ffebm_status status = ffebmi_table_open(context, &table, &source);

    if (status == FFEBM_OK)
        ffebmi_table_close(&table);
    return status;
}

static void put_file(const unsigned char *bytes, size_t length)
{
    FILE *file = fopen(path, "wb");

    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(bytes, 1, length, file), length);
    ck_assert_int_eq(fclose(file), 0);
}

/* ------------------------------------------------------------------------------------------------------ bad headers */

#define A(rest) "{\"a\":{" rest "}}"
#define F32 "\"dtype\":\"F32\""

static const struct lie {
    const char *json;
    size_t data;
    const char *says; /* part of the error text; NULL: the file is good */
} lies[] = {
    {"{}", 0, NULL},
    {"{}   ", 0, NULL},
    {"{\"__metadata__\":{}}", 0, NULL},
    {A(F32 ",\"shape\":[1],\"data_offsets\":[0,4]"), 4, NULL},
    {A("\"data_offsets\":[0,4],\"shape\":[]," F32), 4, NULL},
    {A(F32 ",\"shape\":[7,0],\"data_offsets\":[0,0]"), 0, NULL},
    {A("\"dtype\":\"F4\",\"shape\":[4],\"data_offsets\":[0,2]"), 2, NULL},
    {" \n\t{}", 0, NULL},
    {"{\"__metadata__\":null}", 0, NULL},
    {A(F32 ",\"shape\":[1],\"data_offsets\":[0,4],\"more\":1"), 4, NULL},
    {"", 0, "no JSON object"},
    {" ", 0, "no JSON object"},
    {"[]", 0, "no JSON object"},
    {"{", 0, "not JSON"},
    {"{}x", 0, "text behind its end"},
    {"{}{}", 0, "text behind its end"},
    {"{}", 1, "1 bytes of data"},
    {"{\"a\":[[[[]]]]}", 0, "levels"},
    {"{\"a\":{\"b\":{\"c\":{}}}}", 0, "levels"},
    {"{\"\xff\":1}", 0, "column 3: not UTF-8"},
    {"{\"a\\u0000b\":1}", 0, "a NUL character"},
    {"{\"a\\\\u0000b\":1}", 0, "expected an object"},
    {"{\"a\":1}", 0, "expected an object"},
    {"{\"a\":null}", 0, "expected an object"},
    {"{\"__metadata__\":1}", 0, "must be an object"},
    {"{\"__metadata__\":{\"k\":1}}", 0, "must be a text"},
    {"{\"__metadata__\":{\"k\":\"1\",\"k\":\"1\"}}", 0, "\"k\" stands there twice"},
    {"{\"__metadata__\":{},\"__metadata__\":{}}", 0, "\"__metadata__\" stands there twice"},
    {"{\"a\":{" F32 ",\"shape\":[0],\"data_offsets\":[0,0]},\"a\":{" F32 ",\"shape\":[0],\"data_offsets\":[0,0]}}", 0,
     "\"a\" stands there twice"},
    {A(F32 ",\"shape\":[1]"), 4, "\"data_offsets\" must be there"},
    {A(F32 ",\"data_offsets\":[0,4]"), 4, "\"shape\" must be there"},
    {A("\"shape\":[1],\"data_offsets\":[0,4]"), 4, "\"dtype\" must be there"},
    {A(F32 "," F32 ",\"shape\":[1],\"data_offsets\":[0,4]"), 4, "\"dtype\" stands there twice"},
    {A("\"dtype\":\"F33\",\"shape\":[1],\"data_offsets\":[0,4]"), 4, "unknown dtype \"F33\""},
    {A("\"dtype\":1,\"shape\":[1],\"data_offsets\":[0,4]"), 4, "\"dtype\" must be there"},
    {A(F32 ",\"shape\":1,\"data_offsets\":[0,4]"), 4, "\"shape\" must be there"},
    {A(F32 ",\"shape\":[-1],\"data_offsets\":[0,4]"), 4, "natural"},
    {A(F32 ",\"shape\":[0.5],\"data_offsets\":[0,4]"), 4, "natural"},
    {A(F32 ",\"shape\":[1e999],\"data_offsets\":[0,4]"), 4, "natural"},
    {A(F32 ",\"shape\":[\"1\"],\"data_offsets\":[0,4]"), 4, "natural"},
    {A(F32 ",\"shape\":[4294967296,4294967296],\"data_offsets\":[0,4]"), 4, "overflows"},
    {A(F32 ",\"shape\":[4294967296,1073741824],\"data_offsets\":[0,0]"), 0, "overflows"},
    {A(F32 ",\"shape\":[2],\"data_offsets\":[0,4]"), 4, "do not fit its 2 elements"},
    {A("\"dtype\":\"F4\",\"shape\":[3],\"data_offsets\":[0,2]"), 2, "do not fit its 3 elements"},
    {A(F32 ",\"shape\":[1],\"data_offsets\":[4,0]"), 4, "data_offsets 4, 0"},
    {A(F32 ",\"shape\":[1],\"data_offsets\":[0,4]"), 3, "truncated"},
    {A(F32 ",\"shape\":[1],\"data_offsets\":[0,4]"), 5, "5 bytes of data"},
    {A(F32 ",\"shape\":[1],\"data_offsets\":[1,5]"), 5, "begins at byte 1"},
    {A(F32 ",\"shape\":[1],\"data_offsets\":[0]"), 4, "two natural numbers"},
    {A(F32 ",\"shape\":[1],\"data_offsets\":[0,4,4]"), 4, "two natural numbers"},
    {A(F32 ",\"shape\":[1],\"data_offsets\":[-4,0]"), 4, "two natural numbers"},
    {A(F32 ",\"shape\":[1],\"data_offsets\":[9007199254740992,9007199254740996]"), 4, "data_offsets"},
    {"{\"a\":{" F32 ",\"shape\":[1],\"data_offsets\":[0,4]},\"b\":{" F32 ",\"shape\":[1],\"data_offsets\":[0,4]}}", 4,
     "begins at byte 0 of the data, expected 4"},
    {"{\"a\":{" F32 ",\"shape\":[1],\"data_offsets\":[0,4]},\"b\":{" F32 ",\"shape\":[1],\"data_offsets\":[8,12]}}", 12,
     "\"b\": begins at byte 8 of the data, expected 4"},
};

START_TEST(lie)
{
    const struct lie *file = &lies[_i];
    size_t length;
    unsigned char *bytes = make(file->json, file->data, &length);
    ffebm_status status = open_bytes(bytes, length);

    ck_assert_msg(status == (file->says == NULL ? FFEBM_OK : FFEBM_ERR_FORMAT), "%s: %s", file->json,
                  ffebm_context_error(context));
    if (file->says != NULL)
        ck_assert_msg(strstr(ffebm_context_error(context), file->says) != NULL, "%s: %s", file->json,
                      ffebm_context_error(context));
    free(bytes);
}
END_TEST

START_TEST(header_length)
{
    static const uint64_t lengths[] = {3, 100000000, 100000001, 1ULL << 32, 1ULL << 63, UINT64_MAX, UINT64_MAX - 7};
    size_t length;
    unsigned char *bytes = make("{}", 0, &length);

    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        ffebmi_store(bytes, lengths[i], 8);
        ck_assert_int_eq(open_bytes(bytes, length), FFEBM_ERR_FORMAT);
    }
    for (size_t short_of = 0; short_of < 8; short_of++) {
        unsigned char *start = malloc(short_of + 1);

        memcpy(start, bytes, short_of);
        ck_assert_int_eq(open_bytes(start, short_of), FFEBM_ERR_FORMAT);
        free(start);
    }
    free(bytes);
}
END_TEST

/* Deeper than any stack. */
START_TEST(depth)
{
    enum { DEEP = 100000 };
    char *json = malloc(DEEP + 6);
    unsigned char *bytes;
    size_t length;

    strcpy(json, "{\"a\":");
    memset(json + 5, '[', DEEP);
    json[5 + DEEP] = '\0';
    bytes = make(json, 0, &length);
    ck_assert_int_eq(open_bytes(bytes, length), FFEBM_ERR_FORMAT);
    free(bytes);
    free(json);
}
END_TEST

/* -------------------------------------------------------------------------------------------------- a foreign file */

static const char foreign[] = "{\"w\":{\"dtype\":\"F64\",\"shape\":[2],\"data_offsets\":[5,21]},"
                              "\"scalar\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[1,5]},"
                              "\"odd\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]},"
                              "\"labels\":{\"dtype\":\"I64\",\"shape\":[1,1],\"data_offsets\":[21,29]},"
                              "\"eighth\":{\"dtype\":\"F8_E4M3\",\"shape\":[2],\"data_offsets\":[29,31]},"
                              "\"none\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[31,31]},"
                              "\"many\":{\"dtype\":\"F32\",\"shape\":[1,1,1,1,1,1,1,1,1],\"data_offsets\":[31,35]},"
                              "\"a \\\"\\n\\u00e9\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[35,39]},"
                              "\"__metadata__\":{\"note\":\"gr\xc3\xbc\xc3\x9f\\u20ac\",\"empty\":\"\"}}  \n";

static ffebm_tensor *get(const char *name)
{
    ffebm_tensor *tensor;

    ck_assert_msg(ffebm_checkpoint_tensor(context, &tensor, path, name) == FFEBM_OK, "%s",
                  ffebm_context_error(context));
    return tensor;
}

START_TEST(foreign_tensors)
{
    const double w[2] = {1.5, -2e-300};
    const float scalar = 0.1f;
    ffebm_tensor *tensor;
    size_t length, rank;
    unsigned char *bytes = make(foreign, 39, &length), *data = bytes + length - 39;

    ffebmi_element_encode(data + 5, w, FFEBM_FLOAT64, 2);
    ffebmi_element_encode(data + 1, &scalar, FFEBM_FLOAT32, 1);
    ffebmi_store(data + 21, (uint64_t)-7, 8);
    put_file(bytes, length);
    free(bytes);

    tensor = get("w");
    ck_assert_int_eq(ffebm_tensor_dtype(tensor), FFEBM_FLOAT64);
    ck_assert_uint_eq(ffebm_tensor_count(tensor), 2);
    ck_assert_mem_eq(ffebm_tensor_data(tensor), w, sizeof w);
    ffebm_tensor_destroy(tensor);
    tensor = get("scalar");
    ck_assert_int_eq(ffebm_tensor_shape(tensor, &rank)[0], 1);
    ck_assert_uint_eq(rank, 1);
    ck_assert_mem_eq(ffebm_tensor_data(tensor), &scalar, sizeof scalar);
    ffebm_tensor_destroy(tensor);
    tensor = get("labels");
    ck_assert_int_eq(ffebm_tensor_dtype(tensor), FFEBM_INT64);
    ck_assert_int_eq(*(const int64_t *)ffebm_tensor_const_data(tensor), -7);
    ffebm_tensor_destroy(tensor);
    ffebm_tensor_destroy(get("a \"\n\xc3\xa9"));

    ck_assert_int_eq(ffebm_checkpoint_tensor(context, &tensor, path, "eighth"), FFEBM_ERR_DTYPE);
    ck_assert_ptr_null(tensor);
    ck_assert_int_eq(ffebm_checkpoint_tensor(context, &tensor, path, "none"), FFEBM_ERR_SHAPE);
    ck_assert_int_eq(ffebm_checkpoint_tensor(context, &tensor, path, "many"), FFEBM_ERR_SHAPE);
    ck_assert_int_eq(ffebm_checkpoint_tensor(context, &tensor, path, "W"), FFEBM_ERR_NOT_FOUND);
    ck_assert_int_eq(ffebm_checkpoint_tensor(context, &tensor, path, "__metadata__"), FFEBM_ERR_NOT_FOUND);
    ck_assert_int_eq(ffebm_checkpoint_tensor(context, &tensor, "/nowhere/at/all", "w"), FFEBM_ERR_IO);
    ck_assert_int_eq(ffebm_checkpoint_tensor(context, &tensor, "/tmp", "w"), FFEBM_ERR_IO);
    ck_assert_int_eq(ffebm_checkpoint_tensor(context, &tensor, path, NULL), FFEBM_ERR_ARGUMENT);
    ck_assert_int_eq(ffebm_checkpoint_tensor(context, NULL, path, "w"), FFEBM_ERR_ARGUMENT);
    ck_assert_int_eq(ffebm_checkpoint_tensor(NULL, &tensor, path, "w"), FFEBM_ERR_ARGUMENT);
}
END_TEST

/* Each type of the format whose values a tensor can hold, from its bytes. */
static const struct {
    const char *name;
    const char *bytes;
    int32_t dtype;
    double value;
} types[] = {
    {"F16", "\x00\x3c", FFEBM_FLOAT32, 1},
    {"F16", "\xff\xfb", FFEBM_FLOAT32, -65504},
    {"F16", "\x01\x00", FFEBM_FLOAT32, 0x1p-24},
    {"F16", "\x00\x84", FFEBM_FLOAT32, -0x1p-14},
    {"F16", "\x00\x7c", FFEBM_FLOAT32, INFINITY},
    {"BF16", "\x80\x3f", FFEBM_FLOAT32, 1},
    {"BF16", "\x7f\xff", FFEBM_FLOAT32, -0x1.fep127},
    {"BF16", "\x01\x00", FFEBM_FLOAT32, 0x1p-133},
    {"BOOL", "\1", FFEBM_INT64, 1},
    {"U8", "\xff", FFEBM_INT64, 255},
    {"I8", "\xff", FFEBM_INT64, -1},
    {"U16", "\x00\xff", FFEBM_INT64, 0xff00},
    {"I16", "\x00\xff", FFEBM_INT64, -256},
    {"U32", "\xff\xff\xff\xff", FFEBM_INT64, 4294967295.0},
    {"I32", "\xfe\xff\xff\xff", FFEBM_INT64, -2},
    {"I64", "\xfd\xff\xff\xff\xff\xff\xff\xff", FFEBM_INT64, -3},
};

START_TEST(foreign_type)
{
    size_t size = ffebmi_element_named(types[_i].name)->bits / 8, length;
    ffebm_tensor *tensor;
    unsigned char *bytes;
    char json[96];
    double value;

    snprintf(json, sizeof json, A("\"dtype\":\"%s\",\"shape\":[1],\"data_offsets\":[0,%zu]"), types[_i].name, size);
    bytes = make(json, size, &length);
    memcpy(bytes + length - size, types[_i].bytes, size);
    put_file(bytes, length);
    free(bytes);
    tensor = get("a");
    ck_assert_int_eq(ffebm_tensor_dtype(tensor), types[_i].dtype);
    value = types[_i].dtype == FFEBM_INT64 ? (double)*(const int64_t *)ffebm_tensor_const_data(tensor)
                                           : (double)*(const float *)ffebm_tensor_const_data(tensor);
    ck_assert_msg(value == types[_i].value, "%s: %a", types[_i].name, value);
    ffebm_tensor_destroy(tensor);
}
END_TEST

/* Whatever is in them, and whatever room there is. */
START_TEST(foreign_names)
{
    static const char names[] = "a \"\n\xc3\xa9\0eighth\0labels\0many\0none\0odd\0scalar\0w";
    char text[sizeof names + 2];
    size_t length;
    unsigned char *bytes = make(foreign, 39, &length);

    put_file(bytes, length);
    free(bytes);
    for (size_t capacity = 0; capacity <= sizeof text; capacity++) {
        size_t used = capacity < sizeof names ? capacity : sizeof names;

        memset(text, 'x', sizeof text);
        ck_assert_int_eq(ffebm_checkpoint_tensor_names(context, text, capacity, &length, path), FFEBM_OK);
        ck_assert_uint_eq(length, sizeof names);
        if (used > 0) {
            ck_assert_mem_eq(text, names, used - 1);
            ck_assert_int_eq(text[used - 1], '\0');
        }
        for (size_t i = capacity > sizeof names ? sizeof names + 1 : used; i < sizeof text; i++)
            ck_assert_int_eq(text[i], 'x');
    }
    ck_assert_int_eq(ffebm_checkpoint_tensor_names(context, NULL, 0, NULL, path), FFEBM_OK);
    ck_assert_int_eq(ffebm_checkpoint_tensor_names(context, NULL, 1, NULL, path), FFEBM_ERR_ARGUMENT);
    ck_assert_int_eq(ffebm_checkpoint_tensor_names(NULL, text, 1, NULL, path), FFEBM_ERR_ARGUMENT);
    ck_assert_int_eq(ffebm_checkpoint_tensor_names(context, text, 1, &length, "/nowhere/at/all"), FFEBM_ERR_IO);
    ck_assert(length == 0 && text[0] == '\0');

    bytes = make("{}", 0, &length);
    put_file(bytes, length);
    free(bytes);
    text[0] = 'x';
    ck_assert_int_eq(ffebm_checkpoint_tensor_names(context, text, 1, &length, path), FFEBM_OK);
    ck_assert(length == 0 && text[0] == '\0');
}
END_TEST

START_TEST(foreign_metadata)
{
    static const char note[] = "gr\xc3\xbc\xc3\x9f\xe2\x82\xac";
    enum { LENGTH = sizeof note - 1 };
    char text[LENGTH + 4];
    size_t length;
    unsigned char *bytes = make(foreign, 39, &length);

    put_file(bytes, length);
    free(bytes);
    ck_assert_int_eq(ffebm_checkpoint_metadata(context, NULL, 0, &length, path, "note"), FFEBM_OK);
    ck_assert_uint_eq(length, LENGTH);
    for (size_t capacity = 1; capacity <= sizeof text; capacity++) {
        size_t fits = capacity > LENGTH ? LENGTH : capacity - 1;

        memset(text, 'x', sizeof text);
        ck_assert_int_eq(ffebm_checkpoint_metadata(context, text, capacity, &length, path, "note"), FFEBM_OK);
        ck_assert_uint_eq(length, LENGTH);
        ck_assert_mem_eq(text, note, fits);
        ck_assert_int_eq(text[fits], '\0');
        for (size_t i = fits + 1; i < sizeof text; i++)
            ck_assert_int_eq(text[i], 'x');
    }
    ck_assert_int_eq(ffebm_checkpoint_metadata(context, text, sizeof text, NULL, path, "empty"), FFEBM_OK);
    ck_assert_str_eq(text, "");
    ck_assert_int_eq(ffebm_checkpoint_metadata(context, text, sizeof text, &length, path, "model"),
                     FFEBM_ERR_NOT_FOUND);
    ck_assert_uint_eq(length, 0);
    ck_assert_int_eq(ffebm_checkpoint_metadata(context, text, sizeof text, NULL, path, NULL), FFEBM_ERR_ARGUMENT);
    ck_assert_int_eq(ffebm_checkpoint_metadata(context, NULL, 1, NULL, path, "note"), FFEBM_ERR_ARGUMENT);
    ck_assert_int_eq(ffebm_checkpoint_metadata(context, text, 1, NULL, NULL, "note"), FFEBM_ERR_ARGUMENT);
    ck_assert_int_eq(ffebm_checkpoint_metadata(NULL, text, 1, NULL, path, "note"), FFEBM_ERR_ARGUMENT);
}
END_TEST

/* Flip every bit of the header, and cut everywhere: any status, but no crash. */
START_TEST(foreign_damage)
{
    size_t length, good = 0;
    unsigned char *bytes = make(foreign, 39, &length);

    for (size_t i = 0; i < length - 39; i++) {
        for (int bit = 0; bit < 8; bit++) {
            ffebm_status status;

            bytes[i] ^= (unsigned char)(1 << bit);
            status = open_bytes(bytes, length);
            ck_assert_msg(status == FFEBM_OK || status == FFEBM_ERR_FORMAT, "byte %zu bit %d: %s", i, bit,
                          ffebm_context_error(context));
            good += status == FFEBM_OK;
            bytes[i] ^= (unsigned char)(1 << bit);
        }
    }
    ck_assert_uint_gt(good, 0);
    for (size_t cut = 0; cut < length; cut++) {
        unsigned char *part = malloc(cut + 1);

        memcpy(part, bytes, cut);
        part = realloc(part, cut > 0 ? cut : 1);
        ck_assert_int_eq(open_bytes(part, cut), FFEBM_ERR_FORMAT);
        free(part);
    }
    free(bytes);
}
END_TEST

/* ------------------------------------------------------------------------------------------------------------ parts */

START_TEST(utf8)
{
    static const struct {
        const char *text;
        size_t good;
    } cases[] = {
        {"plain", 5},
        {"\xc2\x80", 2},
        {"\xdf\xbf", 2},
        {"\xe0\xa0\x80", 3},
        {"\xed\x9f\xbf", 3},
        {"\xf0\x90\x80\x80", 4},
        {"\xf4\x8f\xbf\xbf", 4},
        {"a\x80", 1},
        {"\xc0\x80", 0},
        {"\xc1\xbf", 0},
        {"\xe0\x9f\xbf", 0},
        {"\xed\xa0\x80", 0},
        {"\xf0\x8f\xbf\xbf", 0},
        {"\xf4\x90\x80\x80", 0},
        {"\xf5\x80\x80\x80", 0},
        {"ab\xe2\x82", 2},
        {"\xe2(\xa1", 0},
    };
    char shown[32];

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        ck_assert_uint_eq(ffebmi_text_good(cases[i].text, strlen(cases[i].text)), cases[i].good);
    ck_assert_uint_eq(ffebmi_text_good("a\0b", 3), 1);
    ffebmi_text_show(shown, sizeof shown,
                     "a\x1b[2J\n\x7f"
                     "b");
    ck_assert_str_eq(shown, "a\\x1b[2J\\x0a\\x7f"
                            "b");
    ffebmi_text_show(shown, sizeof shown,
                     "\xc3\xa4\xff\xc2\x9b"
                     "c");
    ck_assert_str_eq(shown, "\xc3\xa4\\xff\\xc2\\x9b"
                            "c");
    for (size_t capacity = 1; capacity < 16; capacity++) {
        ffebmi_text_show(shown, capacity, "\xe2\x82\xac\xe2\x82\xac\x01\xe2\x82\xac");
        ck_assert_uint_lt(strlen(shown), capacity);
        ck_assert_uint_eq(ffebmi_text_good(shown, strlen(shown)), strlen(shown));
    }
}
END_TEST

START_TEST(byte_order)
{
    const double d = 1.0;
    const float f = -2.0f;
    unsigned char bytes[8];
    double back;

    ffebmi_element_encode(bytes, &d, FFEBM_FLOAT64, 1);
    ck_assert_mem_eq(bytes, "\0\0\0\0\0\0\xf0\x3f", 8);
    ffebmi_element_encode(bytes, &f, FFEBM_FLOAT32, 1);
    ck_assert_mem_eq(bytes, "\0\0\0\xc0", 4);
    ffebmi_element_decode(&back, FFEBM_FLOAT64, bytes, ffebmi_element_named("F32"), 1);
    ck_assert(back == -2.0);
    ffebmi_store(bytes, 0x0102030405060708, 8);
    ck_assert_mem_eq(bytes, "\10\7\6\5\4\3\2\1", 8);
    ck_assert(ffebmi_load(bytes, 8) == 0x0102030405060708);
}
END_TEST

Suite *test_safetensors_suite(void)
{
    Suite *suite = suite_create("safetensors");
    TCase *tcase = tcase_create("format");

    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_loop_test(tcase, lie, 0, (int)(sizeof lies / sizeof lies[0]));
    tcase_add_test(tcase, header_length);
    tcase_add_test(tcase, depth);
    tcase_add_test(tcase, foreign_tensors);
    tcase_add_loop_test(tcase, foreign_type, 0, (int)(sizeof types / sizeof types[0]));
    tcase_add_test(tcase, foreign_names);
    tcase_add_test(tcase, foreign_metadata);
    tcase_add_test(tcase, foreign_damage);
    tcase_add_test(tcase, utf8);
    tcase_add_test(tcase, byte_order);
    suite_add_tcase(suite, tcase);
    return suite;
}
