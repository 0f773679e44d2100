/* unpack.c - gzip files and members of zip archives, each unpacked into a temporary file. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <zip.h>
#include <zlib.h>

#include "data_file.h"

enum { CHUNK = 1 << 16, BEGINNING = 1 << 13, GZIP_ONLY = 16 + MAX_WBITS };

/* A file that grows no further than it may. */
struct unpacked {
    struct data_file *file;
    data_file_limit limit;
    uint64_t most;
    int asked;
    struct failure *failure;
};

static int ask(struct unpacked *to)
{
    to->asked = 1;
    if (to->limit(&to->most, to->file, to->failure) != 0)
        return -1;
    return to->most <= DATA_FILE_MOST ? 0
                                      : data_file_refuse(to->file, 0, to->failure,
                                                         "its header says %" PRIu64 " bytes, expected at most %" PRIu64,
                                                         to->most, DATA_FILE_MOST);
}

static int put(struct unpacked *to, const void *bytes, size_t count)
{
    if (data_file_append(to->file, bytes, count, to->failure) != 0)
        return -1;
    if (!to->asked && to->file->size >= BEGINNING && ask(to) != 0)
        return -1;
    return !to->asked || to->file->size <= to->most
               ? 0
               : data_file_refuse(to->file, to->most, to->failure, "goes on where it should end");
}

/* ------------------------------------------------------------------------------------------------------------ gzip */

struct gunzip {
    const struct data_file *packed;
    struct unpacked unpacked;
    struct failure *failure;
    z_stream stream;
    uint64_t place; /* in the packed file of what is read next */
    int code;       /* of the last step; Z_STREAM_END where the file may end */
    unsigned char in[CHUNK];
    unsigned char out[CHUNK];
};

static int refill(struct gunzip *gunzip)
{
    uint64_t left = gunzip->packed->size - gunzip->place;
    unsigned count = left < CHUNK ? (unsigned)left : CHUNK;

    if (data_file_read(gunzip->packed, gunzip->in, count, gunzip->place, gunzip->failure) != 0)
        return -1;
    gunzip->place += count;
    gunzip->stream.next_in = gunzip->in;
    gunzip->stream.avail_in = count;
    return 0;
}

/* Where a gzip stream ends another may follow, or zeros, with which some tapes and programs fill up a block. */
static int next_stream(struct gunzip *gunzip)
{
    z_stream *stream = &gunzip->stream;

    for (; stream->avail_in > 0 && *stream->next_in == 0; stream->avail_in--)
        stream->next_in++;
    if (stream->avail_in > 0)
        inflateReset(stream);
    return stream->avail_in > 0;
}

/* Unpack what has been read. */
static int drain(struct gunzip *gunzip)
{
    z_stream *stream = &gunzip->stream;

    do {
        if (gunzip->code == Z_STREAM_END && !next_stream(gunzip))
            return 0;
        stream->next_out = gunzip->out;
        stream->avail_out = CHUNK;
        gunzip->code = inflate(stream, Z_NO_FLUSH);
        if (gunzip->code != Z_OK && gunzip->code != Z_STREAM_END && gunzip->code != Z_BUF_ERROR)
            return data_file_refuse(gunzip->packed, gunzip->place - stream->avail_in, gunzip->failure, "gzip: %s",
                                    stream->msg != NULL ? stream->msg : zError(gunzip->code));
        if (put(&gunzip->unpacked, gunzip->out, CHUNK - stream->avail_out) != 0)
            return -1;
    } while (stream->avail_in > 0 || (stream->avail_out == 0 && gunzip->code != Z_STREAM_END));
    return 0;
}

static int gunzip_all(struct gunzip *gunzip)
{
    while (gunzip->place < gunzip->packed->size) {
        if (refill(gunzip) != 0 || drain(gunzip) != 0)
            return -1;
    }
    if (gunzip->code != Z_STREAM_END)
        return data_file_refuse(gunzip->packed, gunzip->packed->size, gunzip->failure,
                                "the file ends inside a gzip stream");
    return 0;
}

static int unpack_gzip(struct data_file *file, const struct data_file *packed, data_file_limit limit,
                       struct failure *failure)
{
    struct gunzip *gunzip = calloc(1, sizeof *gunzip);
    int result;

    if (gunzip == NULL || inflateInit2(&gunzip->stream, GZIP_ONLY) != Z_OK) {
        free(gunzip);
        return failure_set(failure, "%s: out of memory to unpack it", packed->name);
    }
    gunzip->packed = packed;
    gunzip->unpacked = (struct unpacked){.file = file, .limit = limit, .failure = failure};
    gunzip->failure = failure;
    result = gunzip_all(gunzip);
    inflateEnd(&gunzip->stream);
    free(gunzip);
    return result;
}

static int is_packed(const struct data_file *file)
{
    unsigned char magic[2];
    struct failure ignored;

    return file->size >= sizeof magic && data_file_read(file, magic, sizeof magic, 0, &ignored) == 0 &&
           magic[0] == 0x1f && magic[1] == 0x8b;
}

int data_file_open_gzip(struct data_file *file, const char *path, data_file_limit limit, struct failure *failure)
{
    struct data_file packed;
    char name[DATA_FILE_NAME];
    int result;

    if (data_file_open(&packed, path, failure) != 0)
        return -1;
    if (!is_packed(&packed)) {
        *file = packed;
        return 0;
    }
    snprintf(name, sizeof name, "%.4000s, unpacked", path);
    result = data_file_create(file, name, failure);
    if (result == 0 && (result = unpack_gzip(file, &packed, limit, failure)) != 0)
        data_file_close(file);
    data_file_close(&packed);
    return result;
}

/* ------------------------------------------------------------------------------------------------------------- zip */

static int copy_member(struct unpacked *to, zip_file_t *member)
{
    char bytes[CHUNK];
    zip_int64_t count;

    while ((count = zip_fread(member, bytes, sizeof bytes)) > 0) {
        if (put(to, bytes, (size_t)count) != 0)
            return -1;
    }
    return count == 0 ? 0 : data_file_refuse(to->file, to->file->size, to->failure, "%s", zip_file_strerror(member));
}

static int unpack_member(struct unpacked *to, zip_t *archive, const char *path, const char *name)
{
    char full_name[DATA_FILE_NAME];
    zip_file_t *member = zip_fopen(archive, name, 0);
    int result;

    if (member == NULL)
        return failure_set(to->failure, "%s: member %s: %s", path, name, zip_strerror(archive));
    snprintf(full_name, sizeof full_name, "%.4000s: member %.60s", path, name);
    result = data_file_create(to->file, full_name, to->failure);
    if (result == 0 && (result = copy_member(to, member)) != 0)
        data_file_close(to->file);
    zip_fclose(member);
    return result;
}

/* The list of an archive's members stands at its end. */
static int refuse_archive(const struct data_file *packed, int code, struct failure *failure)
{
    zip_error_t error;

    zip_error_init_with_code(&error, code);
    data_file_refuse(packed, packed->size, failure, "the list of members that should end here: %s",
                     zip_error_strerror(&error));
    zip_error_fini(&error);
    return -1;
}

int data_file_open_member(struct data_file *file, const char *archive, const char *member, data_file_limit limit,
                          struct failure *failure)
{
    struct unpacked to = {.file = file, .limit = limit, .failure = failure};
    struct data_file packed;
    zip_t *zip;
    int code = 0, result;

    if (data_file_open(&packed, archive, failure) != 0)
        return -1;
    data_file_close(&packed);
    zip = zip_open(archive, ZIP_RDONLY | ZIP_CHECKCONS, &code);
    if (zip == NULL)
        return refuse_archive(&packed, code, failure);
    result = unpack_member(&to, zip, archive, member);
    zip_discard(zip);
    return result;
}
