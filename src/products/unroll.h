/* Loops over a few rows whose sums are to stay in registers: the count has to be a constant, and the loop be written out. */
#ifndef FFEBMI_PRODUCTS_UNROLL_H
#define FFEBMI_PRODUCTS_UNROLL_H

#ifdef __clang__
#define FFEBMI_UNROLL _Pragma("clang loop unroll(full)")
#else
#define FFEBMI_UNROLL _Pragma("GCC unroll 8")
#endif

/* body(.., count) with the count, 1 to 8, as a constant. */
#define FFEBMI_COUNT_CASES(body, count, ...)                                                                           \
    switch (count) {                                                                                                   \
    case 8:                                                                                                            \
        body(__VA_ARGS__, 8);                                                                                          \
        break;                                                                                                         \
    case 7:                                                                                                            \
        body(__VA_ARGS__, 7);                                                                                          \
        break;                                                                                                         \
    case 6:                                                                                                            \
        body(__VA_ARGS__, 6);                                                                                          \
        break;                                                                                                         \
    case 5:                                                                                                            \
        body(__VA_ARGS__, 5);                                                                                          \
        break;                                                                                                         \
    case 4:                                                                                                            \
        body(__VA_ARGS__, 4);                                                                                          \
        break;                                                                                                         \
    case 3:                                                                                                            \
        body(__VA_ARGS__, 3);                                                                                          \
        break;                                                                                                         \
    case 2:                                                                                                            \
        body(__VA_ARGS__, 2);                                                                                          \
        break;                                                                                                         \
    default:                                                                                                           \
        body(__VA_ARGS__, 1);                                                                                          \
    }

/* body(.., row, count) for all of `rows`, `most` or fewer at a time, in groups of about the same size: small ones cost as much. */
#define FFEBMI_GROUPS(body, rows, most, ...)                                                                           \
    size_t groups = ((rows) + (most)-1) / (most), row = 0;                                                             \
                                                                                                                       \
    for (; groups > 0; groups--) {                                                                                     \
        size_t count = ((rows)-row + groups - 1) / groups;                                                             \
                                                                                                                       \
        FFEBMI_COUNT_CASES(body, count, __VA_ARGS__, row)                                                              \
        row += count;                                                                                                  \
    }

#endif
