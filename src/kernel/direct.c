#include "kernel/direct.h"

#include <ffebm/core.h>

#include "kernel/unroll.h"

#if defined(__x86_64__) && defined(__GNUC__)

#include <immintrin.h>

/* The bodies of all tiles: `count` is a constant where they are inlined, so that the sums stay in registers. */
#define SUM_CHANNELS(vector, lanes, broadcast, load, fma, x, w, channels, ahead)                                       \
    for (size_t c = 0; c < (channels); c++, w += 2 * (lanes)) {                                                        \
        vector first = load(w), second = load(w + (lanes));                                                            \
                                                                                                                       \
        _mm_prefetch((const char *)(w + (ahead)), _MM_HINT_T1);                                                        \
        FFEBMI_UNROLL for (size_t p = 0; p < count; p++)                                                               \
        {                                                                                                              \
            vector value = broadcast(x[p][c]);                                                                         \
                                                                                                                       \
            sum[p][0] = fma(value, first, sum[p][0]);                                                                  \
            sum[p][1] = fma(value, second, sum[p][1]);                                                                 \
        }                                                                                                              \
    }

#define TILE_BODY(vector, lanes, zero, broadcast, load, fma)                                                           \
    vector sum[FFEBMI_DIRECT_TILE][2];                                                                                 \
                                                                                                                       \
    FFEBMI_UNROLL for (size_t p = 0; p < count; p++) sum[p][0] = sum[p][1] = zero();                                   \
    for (size_t t = 0; t < tile->taps; t++) {                                                                          \
        const float *w = tile->weights[t];                                                                             \
        const float *x[FFEBMI_DIRECT_TILE];                                                                            \
                                                                                                                       \
        FFEBMI_UNROLL for (size_t p = 0; p < count; p++) x[p] = tile->x[p] + tile->offsets[t];                         \
        SUM_CHANNELS(vector, lanes, broadcast, load, fma, x, w, tile->channels, tile->ahead)                           \
    }

#define PRODUCT_BODY(vector, lanes, zero, broadcast, load, fma)                                                        \
    vector sum[FFEBMI_DIRECT_TILE][2];                                                                                 \
    const float *w = product->weights, *x[FFEBMI_DIRECT_TILE];                                                         \
                                                                                                                       \
    FFEBMI_UNROLL for (size_t p = 0; p < count; p++)                                                                   \
    {                                                                                                                  \
        sum[p][0] = sum[p][1] = zero();                                                                                \
        x[p] = product->x + (row + p) * product->x_stride;                                                             \
    }                                                                                                                  \
    SUM_CHANNELS(vector, lanes, broadcast, load, fma, x, w, product->channels, product->ahead)

/* All rows, some at a time. */
#define PRODUCT_WALK(body, positions)                                                                                  \
    size_t groups = (product->rows + (positions)-1) / (positions), row = 0;                                            \
                                                                                                                       \
    for (; groups > 0; groups--) {                                                                                     \
        size_t count = (product->rows - row + groups - 1) / groups;                                                    \
                                                                                                                       \
        FFEBMI_COUNT_CASES(body, count, product, row)                                                                  \
        row += count;                                                                                                  \
    }

/* The same for outer products: x is broadcast, y loaded. */
#define OUTER_BODY(vector, lanes, zero, broadcast, load_low, load_high, fma)                                           \
    vector sum[FFEBMI_DIRECT_TILE][2];                                                                                 \
                                                                                                                       \
    const float *x = o->x, *y = o->y;                                                                                  \
                                                                                                                       \
    FFEBMI_UNROLL for (size_t p = 0; p < count; p++) sum[p][0] = sum[p][1] = zero();                                   \
    for (size_t k = 0; k < o->count; k++, x += o->x_stride, y += o->y_stride) {                                        \
        vector first = load_low(y), second = load_high(y + (lanes));                                                   \
                                                                                                                       \
        FFEBMI_UNROLL for (size_t p = 0; p < count; p++)                                                               \
        {                                                                                                              \
            vector value = broadcast(x[p]);                                                                            \
                                                                                                                       \
            sum[p][0] = fma(value, first, sum[p][0]);                                                                  \
            sum[p][1] = fma(value, second, sum[p][1]);                                                                 \
        }                                                                                                              \
    }

enum { SPARSE_POSITIONS = 2 }; /* beside each other: enough sums in flight */

/* The same for sums over lists, of which the longest has `longest` numbers. */
#define SPARSE_BODY(vector, lanes, zero, broadcast, load, fma)                                                         \
    vector sum[SPARSE_POSITIONS][4];                                                                                   \
    const float *values[SPARSE_POSITIONS];                                                                             \
    const uint32_t *offsets[SPARSE_POSITIONS];                                                                         \
                                                                                                                       \
    FFEBMI_UNROLL for (size_t p = 0; p < count; p++)                                                                   \
    {                                                                                                                  \
        FFEBMI_UNROLL for (size_t v = 0; v < 4; v++) sum[p][v] = zero();                                               \
        values[p] = s->values + (list + p * s->list_strides[2]) * s->room;                                             \
        offsets[p] = s->offsets + (list + p * s->list_strides[2]) * s->room;                                           \
    }                                                                                                                  \
    for (size_t e = 0; e < longest; e++)                                                                               \
        FFEBMI_UNROLL for (size_t p = 0; p < count; p++)                                                               \
        {                                                                                                              \
            vector value = broadcast(values[p][e]);                                                                    \
            const float *first = s->weights[0] + offsets[p][e], *second = s->weights[1] + offsets[p][e];               \
                                                                                                                       \
            sum[p][0] = fma(value, load(first), sum[p][0]);                                                            \
            sum[p][1] = fma(value, load(first + (lanes)), sum[p][1]);                                                  \
            sum[p][2] = fma(value, load(second), sum[p][2]);                                                           \
            sum[p][3] = fma(value, load(second + (lanes)), sum[p][3]);                                                 \
        }

/* All positions, some at a time. Lists jump about in the weights, which no processor foresees. */
#define SPARSE_WALK(body, s)                                                                                           \
    for (size_t i = 0; i < (s)->ahead; i += 16) {                                                                      \
        _mm_prefetch((const char *)((s)->weights[0] + (s)->ahead + i), _MM_HINT_T1);                                   \
        _mm_prefetch((const char *)((s)->weights[1] + (s)->ahead + i), _MM_HINT_T1);                                   \
    }                                                                                                                  \
    for (size_t i = 0; i < (s)->extents[0]; i++)                                                                       \
        for (size_t j = 0; j < (s)->extents[1]; j++) {                                                                 \
            size_t list = i * (s)->list_strides[0] + j * (s)->list_strides[1], k = 0;                                  \
            float *z = (s)->z + i * (s)->z_strides[0] + j * (s)->z_strides[1];                                         \
                                                                                                                       \
            for (; k + SPARSE_POSITIONS <= (s)->extents[2]; k += SPARSE_POSITIONS)                                     \
                body(s, list + k * (s)->list_strides[2], z + k * (s)->z_strides[2], SPARSE_POSITIONS);                 \
            for (; k < (s)->extents[2]; k++)                                                                           \
                body(s, list + k * (s)->list_strides[2], z + k * (s)->z_strides[2], 1);                                \
        }

static size_t longest_of(const ffebmi_direct_sparse *s, size_t list, size_t count)
{
    size_t longest = 0;

    for (size_t p = 0; p < count; p++)
        if (s->counts[list + p * s->list_strides[2]] > longest)
            longest = s->counts[list + p * s->list_strides[2]];
    return longest;
}

/* Zeros behind a list, so that a longer one beside it may go on. */
static void pad(float *values, uint32_t *offsets, size_t count, size_t room)
{
    for (size_t i = count; i < room; i++) {
        values[i] = 0;
        offsets[i] = 0;
    }
}

/* ---------------------------------------------------------------------------------------------------------- AVX-512 */

#define AVX512 __attribute__((target("avx512f")))

static __mmask16 low_lanes(size_t count)
{
    return (__mmask16)(count >= 16 ? 0xffff : (1u << count) - 1);
}

AVX512 static inline __attribute__((always_inline)) void avx512_put(float *z, size_t width, bool accumulate,
                                                                    const __m512 *sum)
{
    __mmask16 low = low_lanes(width), high = low_lanes(width > 16 ? width - 16 : 0);
    __m512 first = sum[0], second = sum[1];

    if (accumulate) {
        first = _mm512_add_ps(first, _mm512_maskz_loadu_ps(low, z));
        second = _mm512_add_ps(second, _mm512_maskz_loadu_ps(high, z + 16));
    }
    _mm512_mask_storeu_ps(z, low, first);
    _mm512_mask_storeu_ps(z + 16, high, second);
}

AVX512 static inline __attribute__((always_inline)) void avx512_body(const ffebmi_direct_tile *tile, size_t count)
{
    TILE_BODY(__m512, 16, _mm512_setzero_ps, _mm512_set1_ps, _mm512_loadu_ps, _mm512_fmadd_ps)
    FFEBMI_UNROLL for (size_t p = 0; p < count; p++) avx512_put(tile->z[p], tile->width, tile->accumulate, sum[p]);
}

AVX512 static void avx512_tile(const ffebmi_direct_tile *tile,
                               size_t count){FFEBMI_COUNT_CASES(avx512_body, count, tile)}

AVX512 static inline
    __attribute__((always_inline)) void avx512_rows(const ffebmi_direct_product *product, size_t row, size_t count)
{
    float *z = product->z + row * product->z_stride;

    PRODUCT_BODY(__m512, 16, _mm512_setzero_ps, _mm512_set1_ps, _mm512_loadu_ps, _mm512_fmadd_ps)
    FFEBMI_UNROLL for (size_t p = 0; p < count; p++)
        avx512_put(z + p * product->z_stride, product->width, product->accumulate, sum[p]);
}

AVX512 static void avx512_product(const ffebmi_direct_product *product){PRODUCT_WALK(avx512_rows, 8)}

#define AVX512_LOW(y) _mm512_maskz_loadu_ps(low, y)
#define AVX512_HIGH(y) _mm512_maskz_loadu_ps(high, y)

AVX512 static inline __attribute__((always_inline)) void avx512_outer_body(const ffebmi_direct_outer *o, size_t count)
{
    __mmask16 low = low_lanes(o->width), high = low_lanes(o->width > 16 ? o->width - 16 : 0);
    const __m512 factor = _mm512_set1_ps(o->factor);

    OUTER_BODY(__m512, 16, _mm512_setzero_ps, _mm512_set1_ps, AVX512_LOW, AVX512_HIGH, _mm512_fmadd_ps)
    for (size_t p = 0; p < count; p++) {
        float *z = o->z + p * o->z_stride;

        _mm512_mask_storeu_ps(z, low, _mm512_fmadd_ps(sum[p][0], factor, _mm512_maskz_loadu_ps(low, z)));
        _mm512_mask_storeu_ps(z + 16, high, _mm512_fmadd_ps(sum[p][1], factor, _mm512_maskz_loadu_ps(high, z + 16)));
    }
}

AVX512 static void avx512_outer(const ffebmi_direct_outer *outer,
                                size_t count){FFEBMI_COUNT_CASES(avx512_outer_body, count, outer)}

AVX512 static inline __attribute__((always_inline)) void avx512_sparse_body(const ffebmi_direct_sparse *s, size_t list,
                                                                            float *z, size_t count)
{
    size_t longest = longest_of(s, list, count);

    SPARSE_BODY(__m512, 16, _mm512_setzero_ps, _mm512_set1_ps, _mm512_loadu_ps, _mm512_fmadd_ps)
    for (size_t p = 0; p < count && longest > 0; p++, z += s->z_strides[2])
        for (size_t v = 0; v < 4 && 16 * v < s->width; v++) {
            __mmask16 lanes = low_lanes(s->width - 16 * v);
            __m512 before = _mm512_maskz_loadu_ps(lanes, z + 16 * v);

            _mm512_mask_storeu_ps(z + 16 * v, lanes, _mm512_add_ps(sum[p][v], before));
        }
}

AVX512 static void avx512_sparse(const ffebmi_direct_sparse *sparse){SPARSE_WALK(avx512_sparse_body, sparse)}

AVX512 static size_t avx512_nonzero(size_t n, const float *x)
{
    size_t count = 0;

    for (size_t i = 0; i < n; i += 16) {
        __m512 v = _mm512_maskz_loadu_ps(low_lanes(n - i), x + i);

        count += (size_t)__builtin_popcount(_mm512_cmp_ps_mask(v, _mm512_setzero_ps(), _CMP_NEQ_UQ));
    }
    return count;
}

AVX512 static size_t avx512_compact(size_t n, const float *x, float *values, uint32_t *offsets)
{
    __m512i channel = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15), offset;
    size_t count = 0;

    for (size_t i = 0; i < n; i += 16) {
        __m512 v = _mm512_maskz_loadu_ps(low_lanes(n - i), x + i);
        __mmask16 set = _mm512_cmp_ps_mask(v, _mm512_setzero_ps(), _CMP_NEQ_UQ);

        _mm512_storeu_ps(values + count, _mm512_maskz_compress_ps(set, v));
        offset = _mm512_slli_epi32(channel, 5); /* 32 numbers a panel */
        _mm512_storeu_si512(offsets + count, _mm512_maskz_compress_epi32(set, offset));
        channel = _mm512_add_epi32(channel, _mm512_set1_epi32(16));
        count += (size_t)__builtin_popcount(set);
    }
    pad(values, offsets, count, n);
    return count;
}

/* ------------------------------------------------------------------------------------------------------------- AVX2 */

#define AVX2 __attribute__((target("avx2,fma")))

AVX2 static inline __attribute__((always_inline)) void avx2_put(float *z, size_t width, bool accumulate,
                                                                const __m256 *sum)
{
    float numbers[16];

    if (width == 16 && accumulate) {
        _mm256_storeu_ps(z, _mm256_add_ps(sum[0], _mm256_loadu_ps(z)));
        _mm256_storeu_ps(z + 8, _mm256_add_ps(sum[1], _mm256_loadu_ps(z + 8)));
    } else if (width == 16) {
        _mm256_storeu_ps(z, sum[0]);
        _mm256_storeu_ps(z + 8, sum[1]);
    } else {
        _mm256_storeu_ps(numbers, sum[0]);
        _mm256_storeu_ps(numbers + 8, sum[1]);
        for (size_t i = 0; i < width; i++)
            z[i] = numbers[i] + (accumulate ? z[i] : 0);
    }
}

AVX2 static inline __attribute__((always_inline)) void avx2_body(const ffebmi_direct_tile *tile, size_t count)
{
    TILE_BODY(__m256, 8, _mm256_setzero_ps, _mm256_set1_ps, _mm256_loadu_ps, _mm256_fmadd_ps)
    FFEBMI_UNROLL for (size_t p = 0; p < count; p++) avx2_put(tile->z[p], tile->width, tile->accumulate, sum[p]);
}

AVX2 static inline __attribute__((always_inline)) void avx2_rows(const ffebmi_direct_product *product, size_t row,
                                                                 size_t count)
{
    float *z = product->z + row * product->z_stride;

    PRODUCT_BODY(__m256, 8, _mm256_setzero_ps, _mm256_set1_ps, _mm256_loadu_ps, _mm256_fmadd_ps)
    FFEBMI_UNROLL for (size_t p = 0; p < count; p++)
        avx2_put(z + p * product->z_stride, product->width, product->accumulate, sum[p]);
}

/* Sixteen registers: six positions are all that stay in them beside weights and value. */
AVX2 static void avx2_tile(const ffebmi_direct_tile *tile, size_t count){FFEBMI_COUNT_CASES(avx2_body, count, tile)}

AVX2 static void avx2_product(const ffebmi_direct_product *product){PRODUCT_WALK(avx2_rows, 6)}

/* Lanes below `count`; of what is beyond nothing is read. */
AVX2 static inline __m256i avx2_lanes(size_t count)
{
    return _mm256_cmpgt_epi32(_mm256_set1_epi32((int)count), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}

#define AVX2_LOW(y) _mm256_maskload_ps(y, low)
#define AVX2_HIGH(y) _mm256_maskload_ps(y, high)

/* A whole panel: loads and stores through a mask cost more than all the rest. */
AVX2 static inline __attribute__((always_inline)) void avx2_outer_whole(const ffebmi_direct_outer *o, size_t count)
{
    const __m256 factor = _mm256_set1_ps(o->factor);

    OUTER_BODY(__m256, 8, _mm256_setzero_ps, _mm256_set1_ps, _mm256_loadu_ps, _mm256_loadu_ps, _mm256_fmadd_ps)
    for (size_t p = 0; p < count; p++) {
        float *z = o->z + p * o->z_stride;

        _mm256_storeu_ps(z, _mm256_fmadd_ps(sum[p][0], factor, _mm256_loadu_ps(z)));
        _mm256_storeu_ps(z + 8, _mm256_fmadd_ps(sum[p][1], factor, _mm256_loadu_ps(z + 8)));
    }
}

AVX2 static inline __attribute__((always_inline)) void avx2_outer_body(const ffebmi_direct_outer *o, size_t count)
{
    __m256i low = avx2_lanes(o->width), high = avx2_lanes(o->width > 8 ? o->width - 8 : 0);
    const __m256 factor = _mm256_set1_ps(o->factor);

    OUTER_BODY(__m256, 8, _mm256_setzero_ps, _mm256_set1_ps, AVX2_LOW, AVX2_HIGH, _mm256_fmadd_ps)
    for (size_t p = 0; p < count; p++) {
        float *z = o->z + p * o->z_stride;

        _mm256_maskstore_ps(z, low, _mm256_fmadd_ps(sum[p][0], factor, AVX2_LOW(z)));
        _mm256_maskstore_ps(z + 8, high, _mm256_fmadd_ps(sum[p][1], factor, AVX2_HIGH(z + 8)));
    }
}

AVX2 static void avx2_outer(const ffebmi_direct_outer *outer, size_t count)
{
    if (outer->width == 16) {
        FFEBMI_COUNT_CASES(avx2_outer_whole, count, outer)
    } else {
        FFEBMI_COUNT_CASES(avx2_outer_body, count, outer)
    }
}

AVX2 static inline __attribute__((always_inline)) void avx2_sparse_body(const ffebmi_direct_sparse *s, size_t list,
                                                                        float *z, size_t count)
{
    size_t longest = longest_of(s, list, count);

    SPARSE_BODY(__m256, 8, _mm256_setzero_ps, _mm256_set1_ps, _mm256_loadu_ps, _mm256_fmadd_ps)
    for (size_t p = 0; p < count && longest > 0; p++, z += s->z_strides[2])
        for (size_t v = 0; v < 4 && 8 * v < s->width; v++) {
            __m256i lanes = avx2_lanes(s->width - 8 * v);
            float *to = z + 8 * v;

            if (s->width >= 8 * v + 8)
                _mm256_storeu_ps(to, _mm256_add_ps(sum[p][v], _mm256_loadu_ps(to)));
            else
                _mm256_maskstore_ps(to, lanes, _mm256_add_ps(sum[p][v], _mm256_maskload_ps(to, lanes)));
        }
}

AVX2 static void avx2_sparse(const ffebmi_direct_sparse *sparse){SPARSE_WALK(avx2_sparse_body, sparse)}

AVX2 static size_t avx2_nonzero(size_t n, const float *x)
{
    size_t count = 0;

    for (size_t i = 0; i < n; i++)
        count += x[i] != 0;
    return count;
}

AVX2 static size_t avx2_compact(size_t n, const float *x, float *values, uint32_t *offsets)
{
    size_t count = 0;

    for (size_t i = 0; i < n; i++) {
        values[count] = x[i];
        offsets[count] = (uint32_t)i * 16; /* numbers a panel */
        count += x[i] != 0;
    }
    pad(values, offsets, count, n);
    return count;
}

#define AVX2_TABLE(large, small, rounded)                                                                              \
    {                                                                                                                  \
        .panel = 16, .positions = 6, .sparse_share = 4, .tile = avx2_tile, .product = avx2_product,                    \
        .outer = avx2_outer, .sparse = avx2_sparse, .nonzero = avx2_nonzero, .compact = avx2_compact,                  \
        .tiles = {large, small}, .coarse = rounded                                                                     \
    }
#define AVX512_TABLE(large, small, rounded)                                                                            \
    {                                                                                                                  \
        .panel = 32, .positions = 8, .sparse_share = 2, .tile = avx512_tile, .product = avx512_product,                \
        .outer = avx512_outer, .sparse = avx512_sparse, .nonzero = avx512_nonzero, .compact = avx512_compact,          \
        .tiles = {large, small}, .coarse = rounded                                                                     \
    }

const ffebmi_direct ffebmi_direct_avx2 = AVX2_TABLE(&ffebmi_winograd_avx2_4x4, &ffebmi_winograd_avx2_2x2, NULL);
const ffebmi_direct ffebmi_direct_avx2_exact = AVX2_TABLE(NULL, NULL, NULL);
const ffebmi_direct ffebmi_direct_avx2_coarse =
    AVX2_TABLE(&ffebmi_winograd_avx2_4x4, &ffebmi_winograd_avx2_2x2, &ffebmi_coarse_avx2);
const ffebmi_direct ffebmi_direct_avx512 = AVX512_TABLE(&ffebmi_winograd_avx512_4x4, &ffebmi_winograd_avx512_2x2, NULL);
const ffebmi_direct ffebmi_direct_avx512_exact = AVX512_TABLE(NULL, NULL, NULL);
const ffebmi_direct ffebmi_direct_avx512_coarse =
    AVX512_TABLE(&ffebmi_winograd_avx512_4x4, &ffebmi_winograd_avx512_2x2, &ffebmi_coarse_vnni);

int32_t ffebmi_direct_isa(void)
{
    if (__builtin_cpu_supports("avx512f"))
        return FFEBM_ISA_AVX512;
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? FFEBM_ISA_AVX2 : FFEBM_ISA_PORTABLE;
}

#else

const ffebmi_direct ffebmi_direct_avx2 = {0};
const ffebmi_direct ffebmi_direct_avx512 = {0};
const ffebmi_direct ffebmi_direct_avx2_exact = {0};
const ffebmi_direct ffebmi_direct_avx512_exact = {0};
const ffebmi_direct ffebmi_direct_avx2_coarse = {0};
const ffebmi_direct ffebmi_direct_avx512_coarse = {0};

int32_t ffebmi_direct_isa(void)
{
    return FFEBM_ISA_PORTABLE;
}

#endif
