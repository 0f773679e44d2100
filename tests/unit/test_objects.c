/* Settings that are configurations of their own: copied with the one that points to them, checked in its name, and in JSON
 * an object; with fields that depend on a type. */
#include <stdlib.h>
#include <string.h>

#include "core/context.h"
#include "json/settings.h"

#include "fixture.h"

/* ---------------------------------------------------------------------------------------------- two configurations */

enum { ROUND = 1, SQUARE = 2 };

typedef struct shape {
    size_t size;
    double radius; /* ROUND */
    double side;   /* SQUARE */
    double height;
    int32_t type;
    int32_t reserved_;
} shape;

typedef struct box {
    size_t size;
    const shape *lid;  /* NULL stays */
    const shape *body; /* NULL becomes the default */
    double weight;
} box;

#define TYPES(X) X("round", ROUND) X("square", SQUARE)
FFEBMI_CHOICES(types, TYPES);
#define FFEBMI_CONFIG shape
#define TYPE FFEBMI_CHOICE_AS("type", type, "round", ROUND, types, "which", FFEBMI_JSON(NULL, FFEBMI_JSON_REQUIRED))
#define RADIUS FFEBMI_NUMBER(radius, 3, FFEBMI_ABOVE(0), "", "of a round one")
#define SIDE FFEBMI_NUMBER(side, 2, FFEBMI_ABOVE(0), "", "of a square one")
#define HEIGHT FFEBMI_NUMBER(height, 1, FFEBMI_ABOVE(0), "", "of both")
static const ffebmi_setting round_list[] = {TYPE, RADIUS, HEIGHT}, square_list[] = {TYPE, SIDE, HEIGHT};
static const ffebmi_setting shape_list[] = {TYPE, RADIUS, SIDE, HEIGHT};
static const ffebmi_settings round_settings = FFEBMI_SETTINGS(NULL, 0, round_list);
static const ffebmi_settings square_settings = FFEBMI_SETTINGS(NULL, 0, square_list);

static const ffebmi_settings *of_type(int32_t type)
{
    return type == ROUND ? &round_settings : type == SQUARE ? &square_settings : NULL;
}

static const ffebmi_settings shape_settings = {FFEBMI_SETTINGS_IN("shape", offsetof(shape, reserved_), shape_list),
                                               .of_type = of_type, .type = offsetof(shape, type)};

#undef FFEBMI_CONFIG
#define FFEBMI_CONFIG box
static const ffebmi_setting box_list[] = {FFEBMI_OBJECT(lid, &shape_settings, FFEBMI_ABSENT, "its lid"),
                                          FFEBMI_OBJECT(body, &shape_settings, FFEBMI_DEFAULTS, "the rest"),
                                          FFEBMI_NUMBER(weight, 5, FFEBMI_ABOVE(0), "", "of the whole")};
static const ffebmi_settings box_settings = FFEBMI_SETTINGS("box", 0, box_list);

/* --------------------------------------------------------------------------------------------------------- their memory */

typedef struct ledger {
    size_t live, allocations, fail_at;
} ledger;

static void *allocate(void *user, size_t bytes, size_t alignment)
{
    ledger *l = user;
    void *memory = NULL;

    if (++l->allocations == l->fail_at || posix_memalign(&memory, alignment, bytes) != 0)
        return NULL;
    l->live++;
    return memory;
}

static void release(void *user, void *memory, size_t bytes, size_t alignment)
{
    (void)bytes, (void)alignment;
    ((ledger *)user)->live--;
    free(memory);
}

static ledger owned;
static ffebm_context *context;
static size_t at_rest;

static void setup(void)
{
    ffebm_context_config config;

    ffebm_context_config_init(&config, sizeof config);
    owned = (ledger){0};
    config.allocate = allocate;
    config.release = release;
    config.allocator_user = &owned;
    ck_assert_int_eq(ffebm_context_create(&context, &config), FFEBM_OK);
    at_rest = owned.live;
}

static void teardown(void)
{
    ck_assert_uint_eq(owned.live, at_rest);
    ffebm_context_destroy(context);
}

static shape shape_of(int32_t type)
{
    shape s;

    ffebmi_settings_init_type(&shape_settings, &s, sizeof s, type);
    return s;
}

/* ------------------------------------------------------------------------------------------------------------- tests */

START_TEST(a_type_has_its_defaults)
{
    shape round = shape_of(ROUND), square = shape_of(SQUARE), none = shape_of(9);

    ck_assert(round.type == ROUND && round.radius == 3 && round.side == 0 && round.height == 1);
    ck_assert(square.type == SQUARE && square.radius == 0 && square.side == 2 && square.height == 1);
    ck_assert(none.type == 9 && none.radius == 0 && none.side == 0 && none.height == 0 && none.size == sizeof none);
}
END_TEST

/* The caller may change and lose what it gave. */
START_TEST(are_copied)
{
    shape lid = shape_of(SQUARE);
    box from = {.size = sizeof from, .lid = &lid, .weight = 1}, to;

    lid.side = 7;
    assert_ok(context, ffebmi_settings_read(context, &box_settings, &to, &from));
    lid.side = 8;
    ck_assert(to.lid != &lid && to.lid->side == 7 && to.lid->type == SQUARE && to.lid->radius == 0);
    ck_assert(to.body != NULL && to.body->type == ROUND && to.body->radius == 3 && to.weight == 1);
    ffebmi_settings_release(context, &box_settings, &to);
    ck_assert(to.lid == NULL && to.body == NULL);
    ffebmi_settings_release(context, &box_settings, &to);
    assert_ok(context, ffebmi_settings_read(context, &box_settings, &to, NULL));
    ck_assert(to.lid == NULL && to.body != NULL && to.weight == 5);
    ffebmi_settings_release(context, &box_settings, &to);
}
END_TEST

static const struct {
    int32_t type;
    double radius, side;
    int32_t reserved;
    const char *said;
} bad[] = {
    {ROUND, -1, 0, 0, "box body: radius is -1, expected more than 0"},
    {SQUARE, 0, 0, 0, "box body: side is 0, expected more than 0"},
    {ROUND, 1, 2, 0, "box body does not read side, which is 2"},
    {SQUARE, 1, 2, 0, "box body does not read radius, which is 1"},
    {9, 1, 2, 0, "box body: type is 9, expected one of round (1), square (2)"},
    {ROUND, 1, 0, 3, "box body: reserved_ is 3, expected 0"},
};

/* The text says where; nothing is written, nothing kept: the lid was copied before. */
START_TEST(are_checked_in_their_place)
{
    shape lid = shape_of(ROUND), body = shape_of(bad[_i].type);
    box from = {.size = sizeof from, .lid = &lid, .body = &body, .weight = 1}, to = {.weight = 77};

    body.height = 1;
    body.radius = bad[_i].radius;
    body.side = bad[_i].side;
    body.reserved_ = bad[_i].reserved;
    ck_assert_int_eq(ffebmi_settings_read(context, &box_settings, &to, &from), FFEBM_ERR_ARGUMENT);
    ck_assert_msg(strstr(ffebm_context_error(context), bad[_i].said) != NULL, "%s", ffebm_context_error(context));
    ck_assert(to.weight == 77 && to.lid == NULL && from.lid == &lid && from.body == &body);
}
END_TEST

START_TEST(of_a_newer_program_are_refused)
{
    struct {
        shape shape;
        double more;
    } newer = {.shape = shape_of(ROUND), .more = 1};
    box from = {.size = sizeof from, .lid = &newer.shape, .weight = 1}, to;

    newer.shape.size = sizeof newer;
    ck_assert_int_eq(ffebmi_settings_read(context, &box_settings, &to, &from), FFEBM_ERR_UNSUPPORTED);
    ck_assert(strstr(ffebm_context_error(context), "box lid: byte") != NULL);
}
END_TEST

START_TEST(need_memory)
{
    shape lid = shape_of(ROUND);
    box from = {.size = sizeof from, .lid = &lid, .weight = 1}, to;

    for (size_t i = 1; i <= 2; i++) {
        owned.fail_at = owned.allocations + i;
        ck_assert_int_eq(ffebmi_settings_read(context, &box_settings, &to, &from), FFEBM_ERR_NOMEM);
        ck_assert_uint_eq(owned.live, at_rest);
    }
}
END_TEST

/* Read a box from a text; its objects are the caller's to release, also on failure. */
static ffebm_status parse(const char *text, box *to)
{
    cJSON *json = cJSON_Parse(text);
    ffebmi_fields fields;
    ffebm_status status;

    ffebmi_settings_init(&box_settings, to, sizeof *to);
    status =
        ffebmi_settings_begin(&fields, context, json, "box", NULL, (const ffebmi_settings *[2]){&box_settings, NULL});
    if (status == FFEBM_OK)
        status = ffebmi_settings_parse(&fields, &box_settings, to);
    cJSON_Delete(json);
    return status;
}

/* As it was written, it is read again and written the same: an object at the end, with the keys of its type. */
START_TEST(are_objects_of_a_description)
{
    static const char *const texts[] = {"{\"weight\":5}",
                                        "{\"weight\":5,\"lid\":{\"type\":\"square\",\"side\":0.25,\"height\":1}}",
                                        "{\"weight\":2,\"lid\":{\"type\":\"round\",\"radius\":1,\"height\":4},"
                                        "\"body\":{\"type\":\"square\",\"side\":3,\"height\":1}}"};

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        cJSON *json = cJSON_CreateObject();
        char *text;
        box b;

        assert_ok(context, parse(texts[i], &b));
        ck_assert(ffebmi_settings_give(json, &box_settings, &b));
        text = cJSON_PrintUnformatted(json);
        ck_assert_str_eq(text, texts[i]);
        cJSON_free(text);
        cJSON_Delete(json);
        ffebmi_settings_release(context, &box_settings, &b);
    }
}
END_TEST

START_TEST(are_refused_in_a_description)
{
    static const struct {
        const char *text, *said;
    } cases[] = {
        {"{\"lid\": 3}", "box lid: expected an object"},
        {"{\"lid\": {\"height\": 1}}", "box lid: key \"type\" is missing"},
        {"{\"lid\": {\"type\": \"oval\"}}", "box lid: \"type\" is \"oval\", expected one of round, square"},
        {"{\"lid\": {\"type\": 1}}", "box lid: \"type\" must be a text"},
        {"{\"lid\": {\"type\": \"round\", \"side\": 1}}",
         "box lid: unknown key \"side\", expected one of type, radius, height"},
        {"{\"lid\": {\"type\": \"square\", \"side\": 0}}", "box lid: \"side\" is 0, expected more than 0"},
        {"{\"body\": {\"type\": \"round\"}, \"lid\": {\"type\": \"square\", \"height\": -1}}", "box lid: \"height\""},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        box b;

        ck_assert_int_eq(parse(cases[i].text, &b), FFEBM_ERR_PARSE);
        ck_assert_msg(strstr(ffebm_context_error(context), cases[i].said) != NULL, "%s: %s", cases[i].text,
                      ffebm_context_error(context));
        ffebmi_settings_release(context, &box_settings, &b);
        ck_assert_uint_eq(owned.live, at_rest);
    }
}
END_TEST

Suite *test_objects_suite(void)
{
    Suite *suite = suite_create("objects");
    TCase *tc = tcase_create("objects");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, a_type_has_its_defaults);
    tcase_add_test(tc, are_copied);
    tcase_add_loop_test(tc, are_checked_in_their_place, 0, (int)(sizeof bad / sizeof bad[0]));
    tcase_add_test(tc, of_a_newer_program_are_refused);
    tcase_add_test(tc, need_memory);
    tcase_add_test(tc, are_objects_of_a_description);
    tcase_add_test(tc, are_refused_in_a_description);
    suite_add_tcase(suite, tc);
    return suite;
}
