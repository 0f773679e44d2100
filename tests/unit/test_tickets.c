/* Forward and vjp: each vjp is that of the forward whose ticket it names, or refused; outputs of any number of samples. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "refusal.h"

static ffebm_tensor *v, *dx;

static ffebm_status forward(const ffebm_tensor *input)
{
    return ffebm_engine_forward(f.engine, NULL, &ticket, input);
}

static ffebm_status vjp(uint64_t of)
{
    return ffebm_engine_vjp(f.engine, dx, of, v, 0);
}

static void begin(void)
{
    v = random_batch(f.context, FFEBM_FLOAT64, 4, f.info.output_shape, 1, -1, 1, 9);
    dx = copy_of(f.context, x);
}

static void end(void)
{
    ffebm_tensor_destroy(v);
    ffebm_tensor_destroy(dx);
}

/* The newest forward alone has a vjp, as often as one likes; an older one never another's, whatever came in between. */
START_TEST(of_one_forward)
{
    ffebm_tensor *wanted[2], *other = random_input(&f, 4, 11);
    uint64_t first;
    char words[80];

    begin();
    REFUSED(vjp(0), FFEBM_ERR_ARGUMENT, "ticket 0");
    REFUSED(vjp(1), FFEBM_ERR_STATE, "ticket 1 asked for, the last forward's is 0");
    assert_ok(f.context, forward(x));
    assert_ok(f.context, vjp(ticket));
    wanted[0] = copy_of(f.context, dx);
    wanted[1] = copy_of(f.context, ffebm_engine_flat_gradient(f.engine));
    first = ticket;
    assert_ok(f.context, forward(other));
    ck_assert_uint_ne(ticket, first);
    snprintf(words, sizeof words, "ticket %" PRIu64 " asked for, the last forward's is %" PRIu64, first, ticket);
    REFUSED(vjp(first), FFEBM_ERR_STATE, words);
    assert_ok(f.context, vjp(ticket)); /* a refusal has spoilt nothing */
    ck_assert_mem_ne(ffebm_tensor_data(dx), ffebm_tensor_data(wanted[0]), 4 * 4 * sizeof(double));
    assert_ok(f.context, forward(x));
    for (int i = 0; i < 2; i++) {
        REFUSED(ffebm_engine_vjp(f.engine, dx, ticket, v, -1), FFEBM_ERR_ARGUMENT, "scale");
        assert_ok(f.context, vjp(ticket));
        ck_assert_mem_eq(ffebm_tensor_data(dx), ffebm_tensor_data(wanted[0]), 4 * 4 * sizeof(double));
        ck_assert_mem_eq(ffebm_tensor_data(ffebm_engine_flat_gradient(f.engine)), ffebm_tensor_data(wanted[1]),
                         f.info.element_count * sizeof(double));
    }
    destroy_all((ffebm_tensor *[]){wanted[0], wanted[1], other}, 3);
    end();
}
END_TEST

/* What moves the tape or the states takes the ticket away. */
START_TEST(until_the_next_call)
{
    static const int64_t shape[] = {5};
    ffebm_tensor *state = random_batch(f.context, FFEBM_FLOAT64, 4, shape, 1, 0, 1, 3);
    uint64_t none = 7;

    begin();
    assert_ok(f.context, forward(x));
    switch (_i) {
    case 0:
        assert_ok(f.context, ffebm_engine_gradient(f.engine, NULL, x, y, NULL));
        break;
    case 1:
        assert_ok(f.context, ffebm_engine_evaluate(f.engine, NULL, NULL, x, y, NULL));
        break;
    case 2:
        assert_ok(f.context, ffebm_engine_forward(f.engine, NULL, NULL, x));
        break;
    case 3:
        assert_ok(f.context, ffebm_engine_set_state(f.engine, 3, 1, state));
        break;
    case 4:
        assert_ok(f.context, ffebm_engine_set_mode(f.engine, FFEBM_MODE_EVALUATION));
        break;
    default:
        set_element(x, 0, element(x, 0) + 1e308 * 10);
        REFUSED(ffebm_engine_forward(f.engine, NULL, &none, x), FFEBM_ERR_NUMERIC, "input");
        ck_assert_uint_eq(none, 0);
        ffebm_tensor_destroy(x);
        x = random_input(&f, 4, 5);
    }
    REFUSED(vjp(ticket), FFEBM_ERR_STATE, "another call has come");
    assert_ok(f.context, ffebm_engine_set_mode(f.engine, FFEBM_MODE_TRAINING));
    ffebm_tensor_destroy(state);
    end();
}
END_TEST

/* A program has written to the parameters, wherever and however little; put back, they are the same again. */
START_TEST(writes_are_seen)
{
    ffebm_tensor *flat = ffebm_model_flat_parameters(f.model), *before = copy_of(f.context, flat);
    unsigned char *bytes = ffebm_tensor_data(flat);
    size_t count = f.info.element_count * sizeof(double);

    begin();
    assert_ok(f.context, forward(x));
    for (size_t i = 0; i < count; i += 5) {
        bytes[i] ^= (unsigned char)(1 << i % 8);
        REFUSED(vjp(ticket), FFEBM_ERR_STATE, "written to");
        bytes[i] ^= (unsigned char)(1 << i % 8);
    }
    for (size_t i = 0; i < f.info.element_count; i++) /* every sign */
        bytes[i * sizeof(double) + sizeof(double) - 1] ^= 0x80;
    REFUSED(vjp(ticket), FFEBM_ERR_STATE, "written to");
    memcpy(bytes, ffebm_tensor_data(before), count);
    assert_ok(f.context, vjp(ticket));
    ffebm_tensor_destroy(before);
    end();
}
END_TEST

/* Engines on one model remember a forward each: that is how two wait for their vjps. */
START_TEST(an_engine_for_each)
{
    ffebm_engine *engines[2] = {f.engine, NULL};
    ffebm_tensor *inputs[2] = {x, random_input(&f, 4, 11)}, *wanted[2];
    uint64_t tickets[2];

    begin();
    assert_ok(f.context, ffebm_engine_create(&engines[1], f.model, NULL));
    for (int i = 0; i < 2; i++) {
        assert_ok(f.context, forward(inputs[i]));
        assert_ok(f.context, vjp(ticket));
        wanted[i] = copy_of(f.context, dx);
    }
    for (int i = 0; i < 2; i++)
        assert_ok(f.context, ffebm_engine_forward(engines[i], NULL, &tickets[i], inputs[i]));
    for (int i = 2; i-- > 0;) {
        assert_ok(f.context, ffebm_engine_vjp(engines[i], dx, tickets[i], v, 0));
        ck_assert_mem_eq(ffebm_tensor_data(dx), ffebm_tensor_data(wanted[i]), 4 * 4 * sizeof(double));
        ffebm_tensor_destroy(wanted[i]);
    }
    ffebm_engine_destroy(engines[1]);
    ffebm_tensor_destroy(inputs[1]);
    end();
}
END_TEST

/* Without a ticket, in evaluation mode: in slices, with the bits of each sample's slice; evaluate gives the same. */
START_TEST(outputs_of_any_number)
{
    enum { MANY = 7 };
    ffebm_engine_config config;
    ffebm_engine *small = NULL;
    ffebm_tensor *input = random_input(&f, MANY, 12), *labels = random_labels(&f, MANY, 13), *outputs[3];
    ffebm_report report = {.size = sizeof report};

    for (int i = 0; i < 3; i++)
        outputs[i] = random_batch(f.context, FFEBM_FLOAT64, MANY, f.info.output_shape, 1, 0, 0, 0);
    ffebm_engine_config_init(&config, sizeof config);
    config.max_batch = 3;
    assert_ok(f.context, ffebm_engine_create(&small, f.model, &config));
    REFUSED(ffebm_engine_forward(small, outputs[0], NULL, input), FFEBM_ERR_SHAPE, "max_batch 3"); /* training mode */
    assert_ok(f.context, ffebm_engine_set_mode(small, FFEBM_MODE_EVALUATION));
    REFUSED(ffebm_engine_forward(small, outputs[0], &ticket, input), FFEBM_ERR_SHAPE, "max_batch 3");
    REFUSED(ffebm_engine_forward(small, x, NULL, input), FFEBM_ERR_SHAPE, "output");
    REFUSED(ffebm_engine_evaluate(small, &report, x, input, labels, NULL), FFEBM_ERR_SHAPE, "output");
    assert_ok(f.context, ffebm_engine_forward(small, outputs[0], NULL, input));
    assert_ok(f.context, ffebm_engine_evaluate(small, &report, outputs[1], input, labels, NULL));
    ck_assert_uint_eq(report.batch, MANY);
    ck_assert_mem_eq(ffebm_tensor_data(outputs[0]), ffebm_tensor_data(outputs[1]), MANY * 3 * sizeof(double));
    assert_ok(f.context, ffebm_engine_forward(f.engine, outputs[2], NULL, input)); /* in one */
    ck_assert_double_lt(relative_error(outputs[0], outputs[2]), 1e-12);
    destroy_all((ffebm_tensor *[]){input, labels, outputs[0], outputs[1], outputs[2]}, 5);
    ffebm_engine_destroy(small);
}
END_TEST

Suite *test_tickets_suite(void)
{
    TCase *tests;
    Suite *suite = refusal_suite("tickets", &tests);

    tcase_add_test(tests, of_one_forward);
    tcase_add_loop_test(tests, until_the_next_call, 0, 6);
    tcase_add_test(tests, writes_are_seen);
    tcase_add_test(tests, an_engine_for_each);
    tcase_add_test(tests, outputs_of_any_number);
    return suite;
}
