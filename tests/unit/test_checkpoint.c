/* Checkpoints: there and back, all or nothing, whatever fails. */
#include <check.h>
#include <cjson/cJSON.h>
#include <dirent.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <ffebm/io.h>

#include "core/context.h"
#include "io/element.h"
#include "model/model.h"
#include "optimizer/optimizer.h"

Suite *test_checkpoint_suite(void);

/* An allocator that counts, and fails at one allocation or from it on. */
typedef struct heap {
    size_t live;
    size_t calls;
    size_t fail_at; /* 0: never */
    int from_then_on;
} heap;

static heap own, json;
static ffebm_context *context;
static char directory[64], path[128], other[128];

static int fails(heap *h)
{
    h->calls++;
    return h->fail_at > 0 && (h->calls == h->fail_at || (h->from_then_on && h->calls > h->fail_at));
}

static void arm(heap *h, size_t fail_at, int from_then_on)
{
    h->calls = 0;
    h->fail_at = fail_at;
    h->from_then_on = from_then_on;
}

static void *allocate(void *user, size_t bytes, size_t alignment)
{
    heap *h = user;
    void *memory = NULL;

    if (fails(h) || posix_memalign(&memory, alignment, bytes) != 0)
        return NULL;
    h->live++;
    return memory;
}

static void release(void *user, void *memory, size_t bytes, size_t alignment)
{
    (void)bytes;
    (void)alignment;
    ((heap *)user)->live--;
    free(memory);
}

static void *json_allocate(size_t bytes)
{
    void *memory = fails(&json) ? NULL : malloc(bytes);

    json.live += memory != NULL;
    return memory;
}

static void json_release(void *memory)
{
    json.live -= memory != NULL;
    free(memory);
}

static void set_up(void)
{
    ffebm_context_config config;
    cJSON_Hooks hooks = {json_allocate, json_release};

    memset(&own, 0, sizeof own);
    memset(&json, 0, sizeof json);
    cJSON_InitHooks(&hooks);
    ffebm_context_config_init(&config, sizeof config);
    config.allocate = allocate;
    config.release = release;
    config.allocator_user = &own;
    ck_assert_int_eq(ffebm_context_create(&context, &config), FFEBM_OK);
    strcpy(directory, "/tmp/ffebm_checkpoint_XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(directory));
    snprintf(path, sizeof path, "%s/a.safetensors", directory);
    snprintf(other, sizeof other, "%s/b.safetensors", directory);
}

static void tear_down(void)
{
    ffebm_context_destroy(context);
    ck_assert_uint_eq(own.live, 0);
    ck_assert_uint_eq(json.live, 0);
    cJSON_InitHooks(NULL);
    unlink(path);
    unlink(other);
    ck_assert_int_eq(rmdir(directory), 0); /* no temporary file is left */
}

#define OK(call) ck_assert_msg((call) == FFEBM_OK, "%s", ffebm_context_error(context))

/* A failure of this status, with `says` in its text. */
#define FAILS(call, expected, says)                                                                                    \
    do {                                                                                                               \
        ck_assert_int_eq(call, expected);                                                                              \
        ck_assert_msg(strstr(ffebm_context_error(context), says) != NULL, "%s", ffebm_context_error(context));         \
    } while (0)

/* ----------------------------------------------------------------------------------------------- models and files */

static const char small[] =
    "{\"dtype\":\"%s\",\"input\":[3],\"loss\":\"cross_entropy\",\"stages\":["
    "{\"feedforward\":[{\"type\":\"linear\",\"out_features\":2}]},"
    "{\"energy\":{\"type\":\"hopfield\",\"couplings\":[{\"type\":\"dense\",\"out_features\":2}]}}%s]}";
static const char longer[] = ",{\"feedforward\":[{\"type\":\"linear\",\"out_features\":2}]}";
static const char wider[] = ",{\"feedforward\":[{\"type\":\"linear\",\"out_features\":3}]}";

static ffebm_model *build(int32_t dtype, const char *more)
{
    ffebm_model *model;
    char text[600];

    snprintf(text, sizeof text, small, dtype == FFEBM_FLOAT32 ? "float32" : "float64", more);
    OK(ffebm_model_parse(context, &model, text, strlen(text), NULL));
    return model;
}

static ffebm_model *ready(int32_t dtype, const char *more, uint64_t seed)
{
    ffebm_model *model = build(dtype, more);

    OK(ffebm_model_initialize(model, seed));
    return model;
}

enum { NONE, SGD, ADAM, KINDS };

static ffebm_optimizer *optimizer_of(int kind, ffebm_model *model)
{
    ffebm_optimizer *optimizer = NULL;

    if (kind == SGD)
        OK(ffebm_optimizer_create_sgd(&optimizer, model, NULL));
    if (kind == ADAM)
        OK(ffebm_optimizer_create_adam(&optimizer, model, NULL));
    return optimizer;
}

static void *values(ffebm_model *model)
{
    return ffebm_tensor_data(ffebm_model_flat_parameters(model));
}

static size_t bytes_of(ffebm_model *model)
{
    return model->element_count * (model->dtype == FFEBM_FLOAT32 ? 4 : 8);
}

static void fill(ffebm_optimizer *optimizer, ffebm_model *model)
{
    if (optimizer == NULL)
        return;
    ffebmi_optimizer_set_steps(optimizer, 1234567890123);
    for (size_t moment = 0; moment < ffebmi_optimizer_moment_count(optimizer); moment++) {
        void *state = ffebmi_optimizer_moment(optimizer, moment);

        for (size_t i = 0; i < model->element_count; i++) {
            double value = (double)(moment + 1) / (double)(i + 3);

            if (model->dtype == FFEBM_FLOAT32)
                ((float *)state)[i] = (float)value;
            else
                ((double *)state)[i] = value;
        }
    }
}

static void assert_same(ffebm_model *a, const ffebm_optimizer *a_state, ffebm_model *b, const ffebm_optimizer *b_state)
{
    ck_assert_mem_eq(values(a), values(b), bytes_of(a));
    if (a_state == NULL)
        return;
    ck_assert_int_eq(ffebmi_optimizer_steps(a_state), ffebmi_optimizer_steps(b_state));
    for (size_t moment = 0; moment < ffebmi_optimizer_moment_count(a_state); moment++)
        ck_assert_mem_eq(ffebmi_optimizer_moment(a_state, moment), ffebmi_optimizer_moment(b_state, moment),
                         bytes_of(a));
}

/* What a checkpoint is written to; refuses from byte `limit` on. */
typedef struct buffer {
    unsigned char bytes[16384];
    size_t length;
    size_t limit;
} buffer;

static int32_t take(void *user, const void *bytes, size_t count)
{
    buffer *to = user;

    if (to->length + count > to->limit)
        return -7;
    memcpy(to->bytes + to->length, bytes, count);
    to->length += count;
    return 0;
}

static void write_to(buffer *to, ffebm_model *model, const ffebm_optimizer *optimizer, const char *note)
{
    to->length = 0;
    to->limit = sizeof to->bytes;
    OK(ffebm_checkpoint_write(model, optimizer, note, take, to));
}

static void put_file(const char *name, const void *bytes, size_t length)
{
    FILE *file = fopen(name, "wb");

    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(bytes, 1, length, file), length);
    ck_assert_int_eq(fclose(file), 0);
}

static void get_file(buffer *to, const char *name)
{
    FILE *file = fopen(name, "rb");

    ck_assert_ptr_nonnull(file);
    to->length = fread(to->bytes, 1, sizeof to->bytes, file);
    fclose(file);
}

static size_t files_in_directory(void)
{
    DIR *dir = opendir(directory);
    size_t count = 0;

    ck_assert_ptr_nonnull(dir);
    for (struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir))
        count += entry->d_name[0] != '.';
    closedir(dir);
    return count;
}

/* -------------------------------------------------------------------------------------------------- there and back */

START_TEST(round_trip)
{
    int32_t dtype = _i / KINDS == 0 ? FFEBM_FLOAT32 : FFEBM_FLOAT64;
    ffebm_model *saved = ready(dtype, longer, 1), *loaded, *restored = ready(dtype, longer, 2);
    ffebm_optimizer *state = optimizer_of(_i % KINDS, saved), *back = optimizer_of(_i % KINDS, restored);
    uint64_t version = restored->version;
    const char *descriptions[2];
    buffer written, file;

    fill(state, saved);
    OK(ffebm_checkpoint_save(saved, state, "note", path));
    write_to(&written, saved, state, "note");
    get_file(&file, path);
    ck_assert_uint_eq(file.length, written.length);
    ck_assert_mem_eq(file.bytes, written.bytes, written.length);
    ck_assert_uint_eq((8 + ffebmi_load(file.bytes, 8)) % 64, 0);

    OK(ffebm_checkpoint_load(context, &loaded, path));
    assert_same(saved, NULL, loaded, NULL);
    OK(ffebm_model_description(saved, &descriptions[0], NULL));
    OK(ffebm_model_description(loaded, &descriptions[1], NULL));
    ck_assert_str_eq(descriptions[0], descriptions[1]);

    OK(ffebm_checkpoint_restore(restored, back, path));
    assert_same(saved, state, restored, back);
    ck_assert_uint_ne(restored->version, version);
    OK(ffebm_model_initialize(restored, 3));
    OK(ffebm_checkpoint_read(restored, back, written.bytes, written.length));
    assert_same(saved, state, restored, back);

    ffebm_optimizer_destroy(state);
    ffebm_optimizer_destroy(back);
    ffebm_model_destroy(saved);
    ffebm_model_destroy(loaded);
    ffebm_model_destroy(restored);
}
END_TEST

/* Bounds are the program's: a checkpoint neither has them nor bows to them. */
START_TEST(bounds_stay_outside)
{
    ffebm_model *saved = ready(FFEBM_FLOAT64, longer, 1), *restored = ready(FFEBM_FLOAT64, longer, 2), *loaded;
    ffebm_optimizer *state = optimizer_of(ADAM, saved), *back = optimizer_of(ADAM, restored);
    ffebm_parameter_info info = {.size = sizeof info};
    buffer written;

    fill(state, saved);
    OK(ffebm_model_set_bounds(saved, "", -1e-9, 1e-9));
    write_to(&written, saved, state, NULL);
    OK(ffebm_model_set_bounds(restored, "", 7, 8));
    OK(ffebm_checkpoint_read(restored, back, written.bytes, written.length));
    assert_same(saved, state, restored, back);
    OK(ffebm_model_inspect_parameter(restored, &info, 0));
    ck_assert(info.lower == 7 && info.upper == 8);
    OK(ffebm_checkpoint_save(saved, NULL, NULL, path));
    OK(ffebm_checkpoint_load(context, &loaded, path));
    OK(ffebm_model_inspect_parameter(loaded, &info, 0));
    ck_assert(info.lower == -INFINITY && info.upper == INFINITY);
    ffebm_optimizer_destroy(state);
    ffebm_optimizer_destroy(back);
    ffebm_model_destroy(saved);
    ffebm_model_destroy(restored);
    ffebm_model_destroy(loaded);
}
END_TEST

START_TEST(conversion)
{
    ffebm_model *narrow = ready(FFEBM_FLOAT32, "", 1), *wide = ready(FFEBM_FLOAT64, "", 2);
    ffebm_optimizer *narrow_state = optimizer_of(ADAM, narrow), *wide_state = optimizer_of(ADAM, wide);
    float *f = values(narrow), kept = 0;
    double *d = values(wide);
    buffer file;

    fill(narrow_state, narrow);
    write_to(&file, narrow, narrow_state, NULL);
    OK(ffebm_checkpoint_read(wide, wide_state, file.bytes, file.length));
    for (size_t i = 0; i < wide->element_count; i++) {
        ck_assert(d[i] == (double)f[i]);
        ck_assert(((double *)ffebmi_optimizer_moment(wide_state, 1))[i] ==
                  (double)((float *)ffebmi_optimizer_moment(narrow_state, 1))[i]);
    }
    for (size_t i = 0; i < wide->element_count; i++)
        d[i] = 0.1 + (double)i;
    write_to(&file, wide, NULL, NULL);
    OK(ffebm_checkpoint_read(narrow, NULL, file.bytes, file.length));
    for (size_t i = 0; i < wide->element_count; i++)
        ck_assert(f[i] == (float)d[i]);

    /* What float32 cannot hold is not made infinite. */
    kept = f[0];
    d[0] = 0.5;
    d[wide->element_count - 1] = 1e300;
    write_to(&file, wide, NULL, NULL);
    FAILS(ffebm_checkpoint_read(narrow, NULL, file.bytes, file.length), FFEBM_ERR_FORMAT, "\"stage1.0.bias\"");
    ck_assert(f[0] == kept);
    ffebm_optimizer_destroy(narrow_state);
    ffebm_optimizer_destroy(wide_state);
    ffebm_model_destroy(narrow);
    ffebm_model_destroy(wide);
}
END_TEST

START_TEST(building)
{
    ffebm_model *model = ready(FFEBM_FLOAT32, "", 1), *empty = build(FFEBM_FLOAT32, ""), *more;
    buffer file;

    FAILS(ffebm_checkpoint_save(empty, NULL, NULL, path), FFEBM_ERR_STATE, "no parameter values");
    write_to(&file, model, NULL, NULL);
    file.bytes[file.length - 1] = 0xff; /* NaN */
    file.bytes[file.length - 2] = 0xff;
    FAILS(ffebm_checkpoint_read(empty, NULL, file.bytes, file.length), FFEBM_ERR_FORMAT, "\"stage1.0.bias\"");
    ck_assert_ptr_null(values(empty));
    write_to(&file, model, NULL, NULL);
    OK(ffebm_checkpoint_read(empty, NULL, file.bytes, file.length));
    assert_same(model, NULL, empty, NULL);

    more = build(FFEBM_FLOAT32, longer);
    FAILS(ffebm_checkpoint_read(more, NULL, file.bytes, file.length), FFEBM_ERR_FORMAT, "\"stage2.0.weight\"");
    ck_assert_ptr_null(values(more));
    ffebm_model_destroy(more);
    ffebm_model_destroy(empty);
    ffebm_model_destroy(model);
}
END_TEST

/* Files of other models and optimizers. */
START_TEST(mismatch)
{
    ffebm_model *model = ready(FFEBM_FLOAT32, longer, 1), *shorter = ready(FFEBM_FLOAT32, "", 2);
    ffebm_model *wide = ready(FFEBM_FLOAT32, wider, 3);
    ffebm_optimizer *adam = optimizer_of(ADAM, model), *sgd = optimizer_of(SGD, model), *foreign;
    buffer file, before;

    foreign = optimizer_of(ADAM, shorter);
    write_to(&before, model, adam, NULL);
    write_to(&file, model, NULL, NULL);
    FAILS(ffebm_checkpoint_read(shorter, NULL, file.bytes, file.length), FFEBM_ERR_FORMAT, "\"stage2.0.bias\"");
    FAILS(ffebm_checkpoint_read(wide, NULL, file.bytes, file.length), FFEBM_ERR_SHAPE, "[2, 2], expected [3, 2]");
    FAILS(ffebm_checkpoint_read(model, adam, file.bytes, file.length), FFEBM_ERR_FORMAT, "no state");
    FAILS(ffebm_checkpoint_read(model, foreign, file.bytes, file.length), FFEBM_ERR_ARGUMENT, "another model");
    FAILS(ffebm_checkpoint_write(model, foreign, NULL, take, &file), FFEBM_ERR_ARGUMENT, "another model");
    write_to(&file, model, sgd, NULL);
    FAILS(ffebm_checkpoint_read(model, adam, file.bytes, file.length), FFEBM_ERR_FORMAT, "\"sgd\", expected \"adam\"");
    write_to(&file, wide, NULL, NULL);
    FAILS(ffebm_checkpoint_read(model, NULL, file.bytes, file.length), FFEBM_ERR_SHAPE, "[3, 2], expected [2, 2]");
    write_to(&file, model, adam, NULL);
    ck_assert_mem_eq(file.bytes, before.bytes, before.length);

    /* Of a checkpoint with optimizer only the model is wanted. */
    OK(ffebm_checkpoint_read(model, NULL, file.bytes, file.length));
    ffebm_optimizer_destroy(adam);
    ffebm_optimizer_destroy(sgd);
    ffebm_optimizer_destroy(foreign);
    ffebm_model_destroy(model);
    ffebm_model_destroy(shorter);
    ffebm_model_destroy(wide);
}
END_TEST

/* A file made elsewhere, with tensors of no concern to the model, loads; its parameters may be in any order, and of any
 * float type that a wider one holds. */
START_TEST(hand_made)
{
    static const char header[] =
        "{\"stage0.1.num_batches_tracked\":{\"dtype\":\"U16\",\"shape\":[],\"data_offsets\":[0,2]},"
        "\"stage0.0.bias\":{\"dtype\":\"F64\",\"shape\":[2],\"data_offsets\":[2,18]},"
        "\"stage0.0.weight\":{\"dtype\":\"BF16\",\"shape\":[2,1],\"data_offsets\":[18,22]},"
        "\"__metadata__\":{\"model\":\"{\\\"input\\\":[1],\\\"loss\\\":\\\"none\\\",\\\"stages\\\":["
        "{\\\"feedforward\\\":[{\\\"type\\\":\\\"linear\\\",\\\"out_features\\\":2}]}]}\"}}";
    enum { LENGTH = sizeof header - 1 };
    const double bias[2] = {0.25, -3};
    const float expected[4] = {7, 8, 0.25f, -3};
    unsigned char bytes[8 + LENGTH + 22] = {0};
    ffebm_model *model;

    ffebmi_store(bytes, LENGTH, 8);
    memcpy(bytes + 8, header, LENGTH);
    ffebmi_element_encode(bytes + 8 + LENGTH + 2, bias, FFEBM_FLOAT64, 2);
    memcpy(bytes + 8 + LENGTH + 18, "\xe0\x40\x00\x41", 4); /* 7, 8 */
    put_file(path, bytes, sizeof bytes);
    OK(ffebm_checkpoint_load(context, &model, path));
    ck_assert_mem_eq(values(model), expected, sizeof expected);
    ffebm_model_destroy(model);

    memcpy(strstr((char *)bytes + 8, "F64\",\"shape\":[2]"), "I64", 3);
    put_file(path, bytes, sizeof bytes);
    FAILS(ffebm_checkpoint_load(context, &model, path), FFEBM_ERR_DTYPE, "\"stage0.0.bias\" is I64");
    ck_assert_ptr_null(model);
    memcpy(strstr((char *)bytes + 8, "\\\"loss"), "\\\"lass", 6);
    put_file(path, bytes, sizeof bytes);
    FAILS(ffebm_checkpoint_load(context, &model, path), FFEBM_ERR_PARSE, "lass");
    memcpy(strstr((char *)bytes + 8, "\"model"), "\"modem", 6);
    put_file(path, bytes, sizeof bytes);
    FAILS(ffebm_checkpoint_load(context, &model, path), FFEBM_ERR_FORMAT, "no \"model\"");
}
END_TEST

START_TEST(note)
{
    static const char hostile[] = "{\"a\": \"\\\"}\n\t\x01\x7f/ \xc3\xbc \xf0\x9f\x98\x80 \\u0000 %s";
    ffebm_model *model = ready(FFEBM_FLOAT32, "", 1);
    char text[sizeof hostile];
    size_t length;

    OK(ffebm_checkpoint_save(model, NULL, hostile, path));
    OK(ffebm_checkpoint_metadata(context, NULL, 0, &length, path, "note"));
    ck_assert_uint_eq(length, sizeof hostile - 1);
    OK(ffebm_checkpoint_metadata(context, text, sizeof text, &length, path, "note"));
    ck_assert_str_eq(text, hostile);
    FAILS(ffebm_checkpoint_save(model, NULL, "ab\xff", path), FFEBM_ERR_ARGUMENT, "UTF-8 at byte 2");
    OK(ffebm_checkpoint_metadata(context, text, sizeof text, &length, path, "note"));
    ck_assert_str_eq(text, hostile);
    OK(ffebm_checkpoint_save(model, NULL, NULL, path));
    FAILS(ffebm_checkpoint_metadata(context, text, sizeof text, &length, path, "note"), FFEBM_ERR_NOT_FOUND, "note");
    ffebm_model_destroy(model);
}
END_TEST

/* What can be described can be written in full, saved and loaded; one op more is refused. */
START_TEST(largest)
{
    enum { OPS = 8191, CAPACITY = OPS * 64 };
    char *text = malloc(CAPACITY);
    ffebm_model *model, *loaded;
    ffebm_optimizer *optimizer;

    for (int more = 1; more >= 0; more--) {
        char *end = text + sprintf(text, "{\"input\": [1, 1, 1], \"loss\": \"none\", \"stages\": [{\"feedforward\": [");

        for (int i = 0; i < OPS + more; i++)
            end += sprintf(end, "%s{\"type\": \"batchnorm2d\"}", i == 0 ? "" : ", ");
        end += sprintf(end, "]}]}");
        if (more > 0)
            FAILS(ffebm_model_parse(context, &model, text, (size_t)(end - text), NULL), FFEBM_ERR_PARSE, "8193 stages");
        else
            OK(ffebm_model_parse(context, &model, text, (size_t)(end - text), NULL));
    }
    OK(ffebm_model_initialize(model, 1));
    OK(ffebm_optimizer_create_adam(&optimizer, model, NULL));
    OK(ffebm_checkpoint_save(model, optimizer, NULL, path));
    OK(ffebm_checkpoint_load(context, &loaded, path));
    OK(ffebm_checkpoint_restore(model, optimizer, path));
    ffebm_optimizer_destroy(optimizer);
    ffebm_model_destroy(model);
    ffebm_model_destroy(loaded);
    free(text);
}
END_TEST

START_TEST(arguments)
{
    ffebm_model *model = ready(FFEBM_FLOAT32, "", 1), *none;

    ck_assert_int_eq(ffebm_checkpoint_save(NULL, NULL, NULL, path), FFEBM_ERR_ARGUMENT);
    ck_assert_int_eq(ffebm_checkpoint_save(model, NULL, NULL, NULL), FFEBM_ERR_ARGUMENT);
    ck_assert_int_eq(ffebm_checkpoint_write(NULL, NULL, NULL, take, NULL), FFEBM_ERR_ARGUMENT);
    ck_assert_int_eq(ffebm_checkpoint_write(model, NULL, NULL, NULL, NULL), FFEBM_ERR_ARGUMENT);
    ck_assert_int_eq(ffebm_checkpoint_load(NULL, &none, path), FFEBM_ERR_ARGUMENT);
    ck_assert_ptr_null(none);
    ck_assert_int_eq(ffebm_checkpoint_load(context, NULL, path), FFEBM_ERR_ARGUMENT);
    ck_assert_int_eq(ffebm_checkpoint_load(context, &none, NULL), FFEBM_ERR_ARGUMENT);
    ck_assert_int_eq(ffebm_checkpoint_restore(NULL, NULL, path), FFEBM_ERR_ARGUMENT);
    ck_assert_int_eq(ffebm_checkpoint_restore(model, NULL, NULL), FFEBM_ERR_ARGUMENT);
    ck_assert_int_eq(ffebm_checkpoint_read(NULL, NULL, "", 0), FFEBM_ERR_ARGUMENT);
    ck_assert_int_eq(ffebm_checkpoint_read(model, NULL, NULL, 0), FFEBM_ERR_ARGUMENT);
    FAILS(ffebm_checkpoint_load(context, &none, path), FFEBM_ERR_IO, "No such file");
    ffebm_model_destroy(model);
}
END_TEST

/* ---------------------------------------------------------------------------------------------------------- damage */

static ffebm_status read_exactly(ffebm_model *model, const unsigned char *bytes, size_t length)
{
    unsigned char *copy = malloc(length > 0 ? length : 1); /* so that sanitizers see its end */
    ffebm_status status;

    ck_assert_ptr_nonnull(copy);
    memcpy(copy, bytes, length);
    status = ffebm_checkpoint_read(model, NULL, copy, length);
    free(copy);
    return status;
}

START_TEST(truncation)
{
    ffebm_model *model = ready(FFEBM_FLOAT32, "", 1), *target = ready(FFEBM_FLOAT32, "", 2), *loaded;
    float before[64];
    buffer file;

    memcpy(before, values(target), bytes_of(target));
    write_to(&file, model, NULL, "note");
    for (size_t cut = 0; cut < file.length; cut++) {
        ck_assert_int_eq(read_exactly(target, file.bytes, cut), FFEBM_ERR_FORMAT);
        put_file(path, file.bytes, cut);
        ck_assert_int_eq(ffebm_checkpoint_load(context, &loaded, path), FFEBM_ERR_FORMAT);
        ck_assert_ptr_null(loaded);
    }
    ck_assert_mem_eq(values(target), before, bytes_of(target));
    file.bytes[file.length] = 0;
    ck_assert_int_eq(read_exactly(target, file.bytes, file.length + 1), FFEBM_ERR_FORMAT);
    ffebm_model_destroy(model);
    ffebm_model_destroy(target);
}
END_TEST

START_TEST(flipped_bytes)
{
    static const unsigned char masks[] = {0x01, 0x02, 0x20, 0x80, 0xff};
    ffebm_model *model = ready(FFEBM_FLOAT32, "", 1), *target = ready(FFEBM_FLOAT32, "", 2);
    ffebm_optimizer *state = optimizer_of(ADAM, model), *back = optimizer_of(ADAM, target);
    unsigned char mask = masks[_i];
    float before[64];
    buffer file;

    fill(state, model);
    fill(back, target);
    memcpy(before, values(target), bytes_of(target));
    write_to(&file, model, state, "note");
    for (size_t i = 0; i < 8 + ffebmi_load(file.bytes, 8); i++) {
        ffebm_model *loaded;
        ffebm_status status;

        file.bytes[i] ^= mask;
        status = ffebm_checkpoint_read(target, back, file.bytes, file.length);
        if (status == FFEBM_OK)
            memcpy(values(target), before, bytes_of(target));
        else
            ck_assert_msg(status == FFEBM_ERR_FORMAT || status == FFEBM_ERR_SHAPE || status == FFEBM_ERR_DTYPE, "%s",
                          ffebm_context_error(context));
        ck_assert_mem_eq(values(target), before, bytes_of(target));
        put_file(path, file.bytes, file.length);
        status = ffebm_checkpoint_load(context, &loaded, path);
        ck_assert_msg(status == FFEBM_OK || status == FFEBM_ERR_FORMAT || status == FFEBM_ERR_SHAPE ||
                          status == FFEBM_ERR_DTYPE || status == FFEBM_ERR_PARSE || status == FFEBM_ERR_UNSUPPORTED,
                      "%s", ffebm_context_error(context));
        ck_assert((loaded != NULL) == (status == FFEBM_OK));
        ffebm_model_destroy(loaded);
        file.bytes[i] ^= mask;
    }
    ffebm_optimizer_destroy(state);
    ffebm_optimizer_destroy(back);
    ffebm_model_destroy(model);
    ffebm_model_destroy(target);
}
END_TEST

/* A diverged model takes the place of no good checkpoint, and a diverged file that of no good model. */
START_TEST(not_finite)
{
    static const double bad[] = {NAN, INFINITY, -INFINITY};
    ffebm_model *model = ready(FFEBM_FLOAT64, "", 1), *target = ready(FFEBM_FLOAT64, "", 2);
    ffebm_optimizer *state = optimizer_of(ADAM, model);
    double *value = values(model), *slot = ffebmi_optimizer_moment(state, 1), kept = value[7], before[64];
    buffer file;

    memcpy(before, values(target), bytes_of(target));
    OK(ffebm_checkpoint_save(model, state, NULL, path));
    value[7] = bad[_i];
    FAILS(ffebm_checkpoint_save(model, state, NULL, path), FFEBM_ERR_NUMERIC, "\"stage0.0.bias\"");
    value[7] = kept;
    slot[7] = bad[_i];
    FAILS(ffebm_checkpoint_save(model, state, NULL, path), FFEBM_ERR_NUMERIC, "\"optimizer.v.stage0.0.bias\"");
    OK(ffebm_checkpoint_save(model, NULL, NULL, path));
    write_to(&file, model, NULL, NULL);
    ffebmi_element_encode(file.bytes + file.length - 8, &bad[_i], FFEBM_FLOAT64, 1);
    FAILS(ffebm_checkpoint_read(target, NULL, file.bytes, file.length), FFEBM_ERR_FORMAT, "\"stage1.0.bias\"");
    ck_assert_mem_eq(values(target), before, bytes_of(target));
    ffebm_optimizer_destroy(state);
    ffebm_model_destroy(model);
    ffebm_model_destroy(target);
}
END_TEST

/* --------------------------------------------------------------------------------------------------- failing writes */

START_TEST(failing_callback)
{
    ffebm_model *model = ready(FFEBM_FLOAT32, "", 1), *target = ready(FFEBM_FLOAT32, "", 2);
    buffer whole, part;

    write_to(&whole, model, NULL, NULL);
    for (size_t limit = 0; limit < whole.length; limit++) {
        part.length = 0;
        part.limit = limit;
        FAILS(ffebm_checkpoint_write(model, NULL, NULL, take, &part), FFEBM_ERR_IO, "returned -7");
        ck_assert_uint_le(part.length, limit);
        ck_assert_int_eq(read_exactly(target, part.bytes, part.length), FFEBM_ERR_FORMAT);
    }
    ffebm_model_destroy(model);
    ffebm_model_destroy(target);
}
END_TEST

static void assert_file_is(const buffer *expected)
{
    buffer file;

    get_file(&file, path);
    ck_assert_uint_eq(file.length, expected->length);
    ck_assert_mem_eq(file.bytes, expected->bytes, expected->length);
}

START_TEST(atomic_save)
{
    ffebm_model *model = ready(FFEBM_FLOAT32, "", 1);
    struct rlimit limit, small_limit;
    struct stat facts;
    buffer old;

    OK(ffebm_checkpoint_save(model, NULL, "old", path));
    get_file(&old, path);
    ck_assert_int_eq(chmod(path, 0640), 0);

    /* The disk is full at byte k. */
    signal(SIGXFSZ, SIG_IGN);
    ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &limit), 0);
    for (rlim_t k = 0; k < old.length; k += 97) {
        ffebm_status status;

        small_limit = limit;
        small_limit.rlim_cur = k;
        ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &small_limit), 0);
        status = ffebm_checkpoint_save(model, NULL, "new", path);
        ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
        FAILS(status, FFEBM_ERR_IO, "File too large");
        assert_file_is(&old);
        ck_assert_uint_eq(files_in_directory(), 1);
    }
    signal(SIGXFSZ, SIG_DFL);

    OK(ffebm_checkpoint_save(model, NULL, "newer", path));
    ck_assert_int_eq(stat(path, &facts), 0);
    ck_assert_uint_eq(facts.st_mode & 0777, 0640);
    ck_assert_uint_eq(files_in_directory(), 1);
    ffebm_model_destroy(model);
}
END_TEST

/* No temporary file can be made: the directory is not there, or (but for root) read-only. */
START_TEST(no_temporary)
{
    ffebm_model *model = ready(FFEBM_FLOAT32, "", 1);
    char name[512];
    buffer old;

    OK(ffebm_checkpoint_save(model, NULL, "old", path));
    get_file(&old, path);
    snprintf(name, sizeof name, "%s/none/a", directory);
    FAILS(ffebm_checkpoint_save(model, NULL, NULL, name), FFEBM_ERR_IO, "No such file");
    FAILS(ffebm_checkpoint_save(model, NULL, NULL, directory), FFEBM_ERR_IO, "regular");
    FAILS(ffebm_checkpoint_save(model, NULL, NULL, "/dev/null"), FFEBM_ERR_IO, "regular");
    if (geteuid() != 0) {
        ck_assert_int_eq(chmod(directory, 0500), 0);
        FAILS(ffebm_checkpoint_save(model, NULL, "new", path), FFEBM_ERR_IO, "ermission denied");
        ck_assert_int_eq(chmod(directory, 0700), 0);
    }
    assert_file_is(&old);
    ck_assert_uint_eq(files_in_directory(), 1);
    ffebm_model_destroy(model);
}
END_TEST

/* -------------------------------------------------------------------------------------------------- failing memory */

typedef struct scene {
    ffebm_model *model;
    ffebm_model *target;
    ffebm_model *building;
    ffebm_optimizer *state;
    ffebm_optimizer *back;
    ffebm_tensor *tensor;
    ffebm_model *loaded;
} scene;

static ffebm_status play_save(scene *s)
{
    return ffebm_checkpoint_save(s->model, s->state, "note", other);
}

static ffebm_status play_load(scene *s)
{
    ffebm_status status = ffebm_checkpoint_load(context, &s->loaded, path);

    ck_assert((s->loaded != NULL) == (status == FFEBM_OK));
    return status;
}

static ffebm_status play_restore(scene *s)
{
    return ffebm_checkpoint_restore(s->target, s->back, path);
}

static ffebm_status play_ready(scene *s)
{
    ffebm_status status = ffebm_checkpoint_restore(s->building, NULL, path);

    ck_assert((values(s->building) != NULL) == (status == FFEBM_OK));
    return status;
}

static ffebm_status play_metadata(scene *s)
{
    char text[8];

    (void)s;
    return ffebm_checkpoint_metadata(context, text, sizeof text, NULL, path, "note");
}

static ffebm_status play_tensor(scene *s)
{
    ffebm_status status = ffebm_checkpoint_tensor(context, &s->tensor, path, "stage0.0.weight");

    ck_assert((s->tensor != NULL) == (status == FFEBM_OK));
    return status;
}

static ffebm_status (*const plays[])(scene *) = {play_save,  play_load,     play_restore,
                                                 play_ready, play_metadata, play_tensor};
enum { PLAYS = sizeof plays / sizeof plays[0] };

/* Each play with the k-th allocation failing, alone or with all after it: the context's, or the parser's. */
START_TEST(failing_memory)
{
    heap *h = _i % 2 == 0 ? &own : &json;
    int from_then_on = _i / 2 % 2;
    scene s = {.model = ready(FFEBM_FLOAT32, "", 1), .target = ready(FFEBM_FLOAT32, "", 2)};
    size_t own_live, json_live, failures = 0;
    float before[64];
    ffebm_status status = FFEBM_ERR_NOMEM;

    s.building = build(FFEBM_FLOAT32, "");
    s.state = optimizer_of(ADAM, s.model);
    s.back = optimizer_of(ADAM, s.target);
    fill(s.state, s.model);
    OK(ffebm_checkpoint_save(s.model, s.state, "note", path));
    memcpy(before, values(s.target), bytes_of(s.target));
    ffebmi_release(context, s.model->description);
    s.model->description = NULL;
    own_live = own.live;
    json_live = json.live;

    for (size_t k = 1; status != FFEBM_OK; k++) {
        arm(h, k, from_then_on);
        status = plays[_i / 4](&s);
        arm(h, 0, 0);
        if (status == FFEBM_OK)
            break;
        failures++;
        ck_assert_msg(status == FFEBM_ERR_NOMEM ||
                          (h == &json && (status == FFEBM_ERR_FORMAT || status == FFEBM_ERR_PARSE)),
                      "%s", ffebm_context_error(context));
        ck_assert_uint_eq(own.live, own_live + (s.model->description != NULL));
        ck_assert_uint_eq(json.live, json_live);
        ck_assert_mem_eq(values(s.target), before, bytes_of(s.target));
        ck_assert_int_eq(ffebmi_optimizer_steps(s.back), 0);
        ck_assert_int_ne(access(other, F_OK), 0);
        ffebmi_release(context, s.model->description);
        s.model->description = NULL;
    }
    ck_assert_uint_gt(failures, 0);
    ck_assert_uint_eq(json.live, json_live);
    ffebm_tensor_destroy(s.tensor);
    ffebm_optimizer_destroy(s.state);
    ffebm_optimizer_destroy(s.back);
    ffebm_model_destroy(s.loaded);
    ffebm_model_destroy(s.model);
    ffebm_model_destroy(s.target);
    ffebm_model_destroy(s.building);
}
END_TEST

Suite *test_checkpoint_suite(void)
{
    Suite *suite = suite_create("checkpoint");
    TCase *tcase = tcase_create("checkpoint");

    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, round_trip, 0, 2 * KINDS);
    tcase_add_test(tcase, bounds_stay_outside);
    tcase_add_test(tcase, conversion);
    tcase_add_test(tcase, building);
    tcase_add_test(tcase, mismatch);
    tcase_add_test(tcase, hand_made);
    tcase_add_test(tcase, note);
    tcase_add_test(tcase, arguments);
    tcase_add_test(tcase, largest);
    tcase_add_test(tcase, truncation);
    tcase_add_loop_test(tcase, flipped_bytes, 0, 5);
    tcase_add_loop_test(tcase, not_finite, 0, 3);
    tcase_add_test(tcase, failing_callback);
    tcase_add_test(tcase, atomic_save);
    tcase_add_test(tcase, no_temporary);
    tcase_add_loop_test(tcase, failing_memory, 0, 4 * PLAYS);
    suite_add_tcase(suite, tcase);
    return suite;
}
