#include "refusal.h"

#include <string.h>

fixture f;
ffebm_optimizer *optimizer;
ffebm_tensor *x, *y, *expected;

static void *gradient_data(void)
{
    return ffebm_tensor_data(ffebm_engine_flat_gradient(f.engine));
}

static void setup(void)
{
    f = fixture_of(CHAIN("cross_entropy"), 0, 1, 3);
    assert_ok(f.context, ffebm_optimizer_create_sgd(&optimizer, f.model, NULL));
    x = random_input(&f, 4, 5);
    y = random_labels(&f, 4, 6);
    assert_ok(f.context, ffebm_engine_gradient(f.engine, NULL, x, y, NULL));
    expected = copy_of(f.context, ffebm_engine_flat_gradient(f.engine));
}

/* Whatever was refused: the same batch gives the same bits. */
static void teardown(void)
{
    assert_ok(f.context, ffebm_engine_gradient(f.engine, NULL, x, y, NULL));
    ck_assert(memcmp(gradient_data(), ffebm_tensor_data(expected), ffebm_tensor_count(expected) * 8) == 0);
    assert_ok(f.context, ffebm_optimizer_step(optimizer, f.engine));
    ffebm_tensor_destroy(x);
    ffebm_tensor_destroy(y);
    ffebm_tensor_destroy(expected);
    ffebm_optimizer_destroy(optimizer);
    fixture_end(&f);
}

void refused_with(const char *call, ffebm_status found, ffebm_status status, const char *words)
{
    const char *text = ffebm_context_error(f.context), *name = ffebm_status_text(status);
    size_t length = (size_t)(strchr(name, ':') - name) + 2;

    ck_assert_msg(found == status, "%s: %s (%s), expected %s", call, ffebm_status_text(found), text, name);
    ck_assert_msg(strncmp(text, name, length) == 0 && strlen(text) > length, "%s: \"%s\" is not of %s", call, text,
                  name);
    ck_assert_msg(strstr(text, words) != NULL, "%s: \"%s\" lacks \"%s\"", call, text, words);
}

Suite *refusal_suite(const char *name, TCase **tests)
{
    Suite *suite = suite_create(name);

    *tests = tcase_create(name);
    tcase_set_timeout(*tests, 60);
    tcase_add_checked_fixture(*tests, setup, teardown);
    suite_add_tcase(suite, *tests);
    return suite;
}
