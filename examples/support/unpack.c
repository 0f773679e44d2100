/* unpack.c - gzip files and members of zip archives, each unpacked into a temporary file. */
#include <stdio.h>
#include <stdlib.h>
#include <zip.h>
#include <zlib.h>

#include "data_file.h"

enum { CHUNK = 1 << 16, GZIP_ONLY = 16 + MAX_WBITS };

struct gunzip {
    const struct data_file *packed;
    struct data_file *unpacked;
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

/* Unpack what has been read. Where a gzip stream ends another may follow, and nothing else. */
static int drain(struct gunzip *gunzip)
{
    z_stream *stream = &gunzip->stream;

    do {
        if (gunzip->code == Z_STREAM_END)
            inflateReset(stream);
        stream->next_out = gunzip->out;
        stream->avail_out = CHUNK;
        gunzip->code = inflate(stream, Z_NO_FLUSH);
        if (gunzip->code != Z_OK && gunzip->code != Z_STREAM_END && gunzip->code != Z_BUF_ERROR)
            return data_file_refuse(gunzip->packed, gunzip->place - stream->avail_in, gunzip->failure, "gzip: %s",
                                    stream->msg != NULL ? stream->msg : zError(gunzip->code));
        if (data_file_append(gunzip->unpacked, gunzip->out, CHUNK - stream->avail_out, gunzip->failure) != 0)
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

static int unpack_gzip(struct data_file *unpacked, const struct data_file *packed, struct failure *failure)
{
    struct gunzip *gunzip = calloc(1, sizeof *gunzip);
    int result;

    if (gunzip == NULL || inflateInit2(&gunzip->stream, GZIP_ONLY) != Z_OK) {
        free(gunzip);
        return failure_set(failure, "%s: out of memory to unpack it", packed->name);
    }
    gunzip->packed = packed;
    gunzip->unpacked = unpacked;
    gunzip->failure = failure;
    result = gunzip_all(gunzip);
    inflateEnd(&gunzip->stream);
    free(gunzip);
    return result;
}

int data_file_open_gzip(struct data_file *file, const char *path, struct failure *failure)
{
    struct data_file packed;
    char name[DATA_FILE_NAME];
    int result;

    if (data_file_open(&packed, path, failure) != 0)
        return -1;
    snprintf(name, sizeof name, "%.4000s, unpacked", path);
    result = data_file_create(file, name, failure);
    if (result == 0 && (result = unpack_gzip(file, &packed, failure)) != 0)
        data_file_close(file);
    data_file_close(&packed);
    return result;
}

static int copy_member(struct data_file *file, zip_file_t *member, struct failure *failure)
{
    char bytes[CHUNK];
    zip_int64_t count;

    while ((count = zip_fread(member, bytes, sizeof bytes)) > 0) {
        if (data_file_append(file, bytes, (size_t)count, failure) != 0)
            return -1;
    }
    return count == 0 ? 0 : data_file_refuse(file, file->size, failure, "%s", zip_file_strerror(member));
}

static int unpack_member(struct data_file *file, zip_t *archive, const char *path, const char *name,
                         struct failure *failure)
{
    char full_name[DATA_FILE_NAME];
    zip_file_t *member = zip_fopen(archive, name, 0);
    int result;

    if (member == NULL)
        return failure_set(failure, "%s: member %s: %s", path, name, zip_strerror(archive));
    snprintf(full_name, sizeof full_name, "%.4000s: member %.60s", path, name);
    result = data_file_create(file, full_name, failure);
    if (result == 0 && (result = copy_member(file, member, failure)) != 0)
        data_file_close(file);
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

int data_file_open_member(struct data_file *file, const char *archive, const char *member, struct failure *failure)
{
    struct data_file packed;
    zip_t *zip;
    int code = 0, result;

    if (data_file_open(&packed, archive, failure) != 0)
        return -1;
    data_file_close(&packed);
    zip = zip_open(archive, ZIP_RDONLY | ZIP_CHECKCONS, &code);
    if (zip == NULL)
        return refuse_archive(&packed, code, failure);
    result = unpack_member(file, zip, archive, member, failure);
    zip_discard(zip);
    return result;
}
