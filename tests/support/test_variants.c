/* The order of samples and the variants of images: what can come out, and that it is a function of its numbers. */
#include <string.h>

#include <ffebm.h>

#include "suites.h"
#include "support/augment.h"
#include "support/shuffle.h"

enum { HEIGHT = 5, WIDTH = 6, PLANE = HEIGHT * WIDTH, IMAGE = 2 * PLANE, SHIFT = 4, DRAWS = 4000, COUNT = 1000 };

static const struct dataset shape = {.channels = 2, .height = HEIGHT, .width = WIDTH, .sample_size = IMAGE};
static unsigned char image[IMAGE];

static void draw_image(void)
{
    for (size_t i = 0; i < IMAGE; i++)
        image[i] = (unsigned char)(4 * i + 1);
}

static int clamped(int place, int count)
{
    return place < 0 ? 0 : place < count ? place : count - 1;
}

/* Mirror left and right, then cut out of the image padded by its edge. */
static void vary(unsigned char *variant, int flip, int down, int right)
{
    for (int c = 0; c < 2; c++)
        for (int y = 0; y < HEIGHT; y++)
            for (int x = 0; x < WIDTH; x++) {
                int row = clamped(y + down, HEIGHT), column = clamped(x + right, WIDTH);

                variant[c * PLANE + y * WIDTH + x] =
                    image[c * PLANE + row * WIDTH + (flip ? WIDTH - 1 - column : column)];
            }
}

/* Which variant is this? Counts it; 0 if it is none of those that may come out. */
static int recognise(const unsigned char *variant, int shift, int counts[2][2 * SHIFT + 1][2 * SHIFT + 1])
{
    unsigned char expected[IMAGE];

    for (int flip = 0; flip < 2; flip++)
        for (int down = -shift; down <= shift; down++)
            for (int right = -shift; right <= shift; right++) {
                vary(expected, flip, down, right);
                if (memcmp(variant, expected, IMAGE) == 0) {
                    counts[flip][down + SHIFT][right + SHIFT]++;
                    return 1;
                }
            }
    return 0;
}

START_TEST(nothing_changed)
{
    unsigned char variant[IMAGE];

    draw_image();
    augment(variant, image, &shape, FFEBM_AUGMENT_NONE, 3, 4);
    ck_assert_mem_eq(variant, image, IMAGE);
}
END_TEST

START_TEST(mirrored_half_the_time)
{
    int counts[2][2 * SHIFT + 1][2 * SHIFT + 1] = {0};
    unsigned char variant[IMAGE];

    draw_image();
    for (uint64_t draw = 0; draw < DRAWS; draw++) {
        augment(variant, image, &shape, FFEBM_AUGMENT_FLIP, 3, draw);
        ck_assert(recognise(variant, 0, counts));
    }
    ck_assert_int_gt(counts[1][SHIFT][SHIFT], DRAWS / 2 - 200);
    ck_assert_int_lt(counts[1][SHIFT][SHIFT], DRAWS / 2 + 200);
}
END_TEST

/* All 162 mirrored and shifted variants come out, none far more often than others. */
START_TEST(shifted_everywhere)
{
    int counts[2][2 * SHIFT + 1][2 * SHIFT + 1] = {0};
    unsigned char variant[IMAGE];

    draw_image();
    for (uint64_t draw = 0; draw < DRAWS; draw++) {
        augment(variant, image, &shape, FFEBM_AUGMENT_FLIP_CROP, 5, draw);
        ck_assert(recognise(variant, SHIFT, counts));
    }
    for (int i = 0; i < 2 * (2 * SHIFT + 1) * (2 * SHIFT + 1); i++) {
        ck_assert_int_gt((&counts[0][0][0])[i], 0);
        ck_assert_int_lt((&counts[0][0][0])[i], 4 * DRAWS / 162);
    }
}
END_TEST

START_TEST(order_of_an_epoch)
{
    static size_t order[COUNT], again[COUNT], other[COUNT];
    int seen[COUNT] = {0};

    shuffle(order, COUNT, stream_seed(1, STREAM_SHUFFLE, 2));
    shuffle(again, COUNT, stream_seed(1, STREAM_SHUFFLE, 2));
    ck_assert_mem_eq(order, again, sizeof order);
    for (size_t i = 0; i < COUNT; i++) {
        ck_assert_uint_lt(order[i], COUNT);
        ck_assert_int_eq(seen[order[i]]++, 0);
    }
    shuffle(other, COUNT, stream_seed(1, STREAM_SHUFFLE, 3));
    ck_assert_mem_ne(order, other, sizeof order);
    shuffle(other, COUNT, stream_seed(2, STREAM_SHUFFLE, 2));
    ck_assert_mem_ne(order, other, sizeof order);
}
END_TEST

Suite *test_variants_suite(void)
{
    Suite *suite = suite_create("variants");
    TCase *tests = tcase_create("variants");

    tcase_add_test(tests, nothing_changed);
    tcase_add_test(tests, mirrored_half_the_time);
    tcase_add_test(tests, shifted_everywhere);
    tcase_add_test(tests, order_of_an_epoch);
    suite_add_tcase(suite, tests);
    return suite;
}
