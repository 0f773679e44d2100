#include "handover.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "line.h"

/* The format: the header's length, a JSON header that gives each tensor its place, and the bytes. So all tensors are
 * gone through twice, once for the header and once for the bytes. */
typedef struct writer {
    FILE *header;
    FILE *body; /* NULL the first time */
    size_t offset;
} writer;

static void put_tensor(writer *w, const char *kind, const char *name, const void *data, bool labels,
                       const int64_t *shape, size_t rank)
{
    size_t bytes = labels ? sizeof(int64_t) : sizeof(float);

    for (size_t d = 0; d < rank; d++)
        bytes *= (size_t)shape[d];
    if (w->body != NULL) {
        fwrite(data, 1, bytes, w->body);
        return;
    }
    fprintf(w->header, ",\"%s%s\":{\"dtype\":\"%s\",\"shape\":[", kind, name, labels ? "I64" : "F32");
    for (size_t d = 0; d < rank; d++)
        fprintf(w->header, "%s%" PRId64, d == 0 ? "" : ",", shape[d]);
    fprintf(w->header, "],\"data_offsets\":[%zu,%zu]}", w->offset, w->offset + bytes);
    w->offset += bytes;
}

static void put_batch(writer *w, const char *name, const ffebm_tensor *tensor)
{
    size_t rank;
    const int64_t *shape = ffebm_tensor_shape(tensor, &rank);

    put_tensor(w, "", name, ffebm_tensor_const_data(tensor), ffebm_tensor_dtype(tensor) == FFEBM_INT64, shape, rank);
}

static void put_all(writer *w, const trainee *t)
{
    const float *gradient = ffebm_tensor_const_data(ffebm_engine_flat_gradient(t->engine));

    for (size_t i = 0; i < t->info.parameter_count + t->info.buffer_count; i++) {
        ffebm_parameter_info info = {.size = sizeof info};
        bool trained;

        ffebm_model_inspect_parameter(t->model, &info, i);
        trained = info.role == FFEBM_ROLE_PARAMETER;
        put_tensor(w, trained ? "param." : "buffer.", info.name, ffebm_tensor_const_data(info.value), false, info.shape,
                   info.rank);
        if (trained)
            put_tensor(w, "gradient.", info.name, gradient + info.offset, false, info.shape, info.rank);
    }
    put_batch(w, "input", t->input);
    put_batch(w, "target", t->target);
}

/* As a JSON text; descriptions are JSON themselves, and have no characters that need more. */
static void put_description(FILE *header, const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\')
            putc('\\', header);
        putc(*text == '\n' ? ' ' : *text, header);
    }
}

static bool write_file(const trainee *t, FILE *file, const char *description)
{
    char *header = NULL;
    size_t length = 0;
    writer w = {.header = open_memstream(&header, &length)};
    unsigned char count[8];

    if (w.header == NULL)
        return false;
    fputs("{\"__metadata__\":{\"model\":\"", w.header);
    put_description(w.header, description);
    fputs("\"}", w.header);
    put_all(&w, t);
    putc('}', w.header);
    if (fclose(w.header) != 0)
        return false;
    for (size_t i = 0; i < sizeof count; i++)
        count[i] = (unsigned char)((uint64_t)length >> (8 * i));
    fwrite(count, 1, sizeof count, file);
    fwrite(header, 1, length, file);
    free(header);
    w.body = file;
    put_all(&w, t);
    return ferror(file) == 0;
}

bool handover_write(const trainee *t, const char *path)
{
    const char *description;
    FILE *file = fopen(path, "wb");
    bool good = file != NULL && ffebm_model_description(t->model, &description, NULL) == FFEBM_OK &&
                write_file(t, file, description);

    if (file != NULL && fclose(file) != 0)
        good = false;
    if (!good)
        line_skip(path, strerror(errno));
    return good;
}
