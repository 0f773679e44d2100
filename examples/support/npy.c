#include "npy.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The preamble: magic, version, the length of the text that follows, in 2 bytes (version 1) or 4. */
enum { MAGIC = 6, MOST_PREAMBLE = 12, MOST_TEXT = 4096 };

/* Types that are taken, as the text names them after the byte order. */
static const struct {
    const char *name;
    size_t item_size;
    int32_t is_signed;
} types[] = {{"u1'", 1, 0}, {"i1'", 1, 1}, {"u2'", 2, 0}, {"i2'", 2, 1},
             {"u4'", 4, 0}, {"i4'", 4, 1}, {"u8'", 8, 0}, {"i8'", 8, 1}};

/* The header's text, read from its beginning to its end. */
struct scanner {
    const struct data_file *file;
    struct failure *failure;
    char text[MOST_TEXT + 1];
    const char *at;
    uint64_t first_byte; /* of the text in the file */
};

static int refuse(const struct scanner *scanner, const char *expected)
{
    return data_file_refuse(scanner->file, scanner->first_byte + (uint64_t)(scanner->at - scanner->text),
                            scanner->failure, "npy header: \"%.16s\", expected %s", scanner->at, expected);
}

static void skip_spaces(struct scanner *scanner)
{
    scanner->at += strspn(scanner->at, " ");
}

/* Go past a token, if it is next. */
static int take(struct scanner *scanner, const char *token)
{
    skip_spaces(scanner);
    if (strncmp(scanner->at, token, strlen(token)) != 0)
        return 0;
    scanner->at += strlen(token);
    return 1;
}

/* Go past a key and its colon, if they are next. */
static int take_key(struct scanner *scanner, const char *key)
{
    const char *start = scanner->at;

    if (take(scanner, key) && take(scanner, ":"))
        return 1;
    scanner->at = start;
    return 0;
}

static int read_type(struct scanner *scanner, struct npy *npy)
{
    const char *start = scanner->at + strspn(scanner->at, " ");

    npy->is_big_endian = take(scanner, "'>");
    if (npy->is_big_endian || take(scanner, "'<") || take(scanner, "'|")) {
        for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
            if (strncmp(scanner->at, types[i].name, strlen(types[i].name)) == 0) {
                npy->item_size = types[i].item_size;
                npy->is_signed = types[i].is_signed;
                scanner->at += strlen(types[i].name);
                return 0;
            }
        }
    }
    scanner->at = start;
    return refuse(scanner, "integers, such as '|u1' or '<i8'");
}

static int read_shape(struct scanner *scanner, struct npy *npy)
{
    if (!take(scanner, "("))
        return refuse(scanner, "a shape in parentheses");
    for (npy->rank = 0; !take(scanner, ")");) {
        char *end;

        if (npy->rank == NPY_MOST_RANK)
            return refuse(scanner, "at most two dimensions");
        if (!isdigit((unsigned char)*scanner->at))
            return refuse(scanner, "a dimension");
        npy->shape[npy->rank++] = strtoull(scanner->at, &end, 10);
        scanner->at = end + (*end == 'L'); /* as Python 2 wrote it */
        if (!take(scanner, ",") && *scanner->at != ')')
            return refuse(scanner, "a comma");
    }
    return 0;
}

static int read_order(struct scanner *scanner, int *by_columns)
{
    *by_columns = take(scanner, "True");
    return *by_columns || take(scanner, "False") ? 0 : refuse(scanner, "False, for rows one after the other");
}

/* A dictionary of three entries in any order: {'descr': '|u1', 'fortran_order': False, 'shape': (10000, 3072), } */
static int read_dictionary(struct scanner *scanner, struct npy *npy)
{
    enum { TYPE = 1, ORDER = 2, SHAPE = 4 };
    int found = 0, by_columns = 0;

    if (!take(scanner, "{"))
        return refuse(scanner, "{");
    while (!take(scanner, "}")) {
        int entry = take_key(scanner, "'descr'")           ? TYPE
                    : take_key(scanner, "'fortran_order'") ? ORDER
                    : take_key(scanner, "'shape'")         ? SHAPE
                                                           : 0;

        if (entry == 0 || (found & entry) != 0)
            return refuse(scanner, "'descr':, 'fortran_order': and 'shape':, each once");
        if ((entry == TYPE && read_type(scanner, npy) != 0) ||
            (entry == ORDER && read_order(scanner, &by_columns) != 0) ||
            (entry == SHAPE && read_shape(scanner, npy) != 0))
            return -1;
        found |= entry;
        if (!take(scanner, ",") && *scanner->at != '}')
            return refuse(scanner, "a comma");
    }
    if (found != (TYPE | ORDER | SHAPE))
        return refuse(scanner, "'descr', 'fortran_order' and 'shape' before the end");
    if (by_columns && npy->rank > 1)
        return refuse(scanner,
                      "rows one after the other: numpy.save(file, numpy.ascontiguousarray(array)) writes them so");
    scanner->at += strspn(scanner->at, " \n");
    return *scanner->at == '\0' ? 0 : refuse(scanner, "nothing but spaces and a newline");
}

/* Read the preamble, then the text. */
static int read_text(struct scanner *scanner, struct npy *npy)
{
    static const unsigned char magic[MAGIC] = {0x93, 'N', 'U', 'M', 'P', 'Y'};
    unsigned char bytes[MOST_PREAMBLE];
    const struct data_file *file = scanner->file;
    size_t preamble = 10, length;

    if (data_file_read(file, bytes, preamble, 0, scanner->failure) != 0)
        return -1;
    if (memcmp(bytes, magic, MAGIC) != 0)
        return data_file_refuse(file, 0, scanner->failure, "not a npy array: it does not begin with \\x93NUMPY");
    if (bytes[6] < 1 || bytes[6] > 3 || bytes[7] != 0)
        return data_file_refuse(file, 6, scanner->failure, "npy version %d.%d, expected 1.0, 2.0 or 3.0", bytes[6],
                                bytes[7]);
    length = bytes[8] | (size_t)bytes[9] << 8;
    if (bytes[6] > 1) {
        preamble = 12;
        if (data_file_read(file, bytes + 10, 2, 10, scanner->failure) != 0)
            return -1;
        length |= (size_t)bytes[10] << 16 | (size_t)bytes[11] << 24;
    }
    if (length > MOST_TEXT)
        return data_file_refuse(file, 8, scanner->failure, "npy header of %zu bytes, expected at most %d", length,
                                MOST_TEXT);
    scanner->first_byte = preamble;
    npy->first_byte = preamble + length;
    return data_file_read(file, scanner->text, length, preamble, scanner->failure);
}

/* The product of dimensions and item size, without overflow, must be what is there. */
static int check_size(const struct npy *npy, const struct data_file *file, struct failure *failure)
{
    const uint64_t bytes = file->size - npy->first_byte;
    uint64_t most = bytes / npy->item_size, expected = npy->item_size;

    for (size_t i = 0; i < npy->rank; i++) {
        if (npy->shape[i] != 0 && most / npy->shape[i] == 0)
            return data_file_refuse(file, file->size, failure,
                                    "the file ends, expected as many elements as its header says");
        most = npy->shape[i] != 0 ? most / npy->shape[i] : most;
        expected *= npy->shape[i];
    }
    if (expected != bytes)
        return data_file_refuse(file, npy->first_byte + expected, failure,
                                "%" PRIu64 " bytes more than the header says", bytes - expected);
    return 0;
}

static int read_header(struct npy *npy, const struct data_file *file, struct failure *failure)
{
    struct scanner scanner = {.file = file, .failure = failure};

    scanner.at = scanner.text;
    return read_text(&scanner, npy) == 0 ? read_dictionary(&scanner, npy) : -1;
}

int npy_open(struct npy *npy, const struct data_file *file, struct failure *failure)
{
    return read_header(npy, file, failure) == 0 ? check_size(npy, file, failure) : -1;
}

int npy_limit(uint64_t *most, const struct data_file *beginning, struct failure *failure)
{
    uint64_t bytes;
    struct npy npy;

    if (read_header(&npy, beginning, failure) != 0)
        return -1;
    bytes = npy.item_size;
    for (size_t i = 0; i < npy.rank; i++)
        bytes = npy.shape[i] != 0 && bytes > DATA_FILE_MOST / npy.shape[i] ? DATA_FILE_MOST : bytes * npy.shape[i];
    *most = npy.first_byte + bytes;
    return 0;
}

int64_t npy_integer(const struct npy *npy, const unsigned char *bytes)
{
    const size_t bits = 8 * npy->item_size;
    uint64_t value = 0;

    for (size_t i = 0; i < npy->item_size; i++)
        value = value << 8 | bytes[npy->is_big_endian ? i : npy->item_size - 1 - i];
    if (npy->is_signed && bits < 64 && (value >> (bits - 1) & 1) != 0)
        value |= UINT64_MAX << bits;
    return (int64_t)value;
}

void npy_describe(const struct npy *npy, char words[NPY_WORDS])
{
    int used = snprintf(words, NPY_WORDS, "%s%zu [", npy->is_signed ? "int" : "uint", 8 * npy->item_size);

    for (size_t i = 0; i < npy->rank; i++)
        used += snprintf(words + used, NPY_WORDS - (size_t)used, "%s%" PRIu64, i == 0 ? "" : ", ", npy->shape[i]);
    snprintf(words + used, NPY_WORDS - (size_t)used, "]");
}
