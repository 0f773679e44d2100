#include "files.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zip.h>
#include <zlib.h>

char directory[64];
struct dataset data;
struct failure failure;

void files_begin(void)
{
    strcpy(directory, "/tmp/ffebm-files-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(directory));
    failure.text[0] = '\0';
}

void files_end(void)
{
    DIR *opened = opendir(directory);
    char path[DATA_FILE_NAME];

    dataset_free(&data);
    for (struct dirent *entry; (entry = readdir(opened)) != NULL;) {
        file_path(path, entry->d_name);
        if (entry->d_name[0] != '.')
            unlink(path);
    }
    closedir(opened);
    rmdir(directory);
}

void file_path(char path[DATA_FILE_NAME], const char *name)
{
    ck_assert_int_eq(data_file_path(path, directory, name, &failure), 0);
}

struct bytes file_read(const char *name)
{
    char path[DATA_FILE_NAME];
    struct data_file file;
    struct bytes bytes;

    file_path(path, name);
    ck_assert_int_eq(data_file_open(&file, path, &failure), 0);
    bytes.size = file.size;
    bytes.data = malloc(file.size + 1);
    ck_assert_int_eq(data_file_read(&file, bytes.data, bytes.size, 0, &failure), 0);
    data_file_close(&file);
    return bytes;
}

void file_write(const char *name, const void *bytes, size_t size)
{
    char path[DATA_FILE_NAME];
    FILE *file;

    file_path(path, name);
    file = fopen(path, "wb");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(bytes, 1, size, file), size);
    ck_assert_int_eq(fclose(file), 0);
}

void file_write_gzip(const char *name, const void *bytes, size_t size)
{
    char path[DATA_FILE_NAME];
    gzFile file;

    file_path(path, name);
    file = gzopen(path, "wb");
    ck_assert_ptr_nonnull(file);
    ck_assert_int_eq(gzwrite(file, bytes, (unsigned)size), (int)size);
    ck_assert_int_eq(gzclose(file), Z_OK);
}

void file_write_zip(const char *name, const struct member members[3], int stored)
{
    char path[DATA_FILE_NAME];
    zip_t *archive;

    file_path(path, name);
    archive = zip_open(path, ZIP_CREATE | ZIP_TRUNCATE, NULL);
    ck_assert_ptr_nonnull(archive);
    for (int i = 0; i < 3; i++) {
        zip_source_t *source;
        zip_int64_t index;

        if (members[i].name == NULL)
            continue;
        source = zip_source_buffer(archive, members[i].content.data, members[i].content.size, 0);
        index = zip_file_add(archive, members[i].name, source, 0);
        ck_assert_int_ge(index, 0);
        zip_set_file_compression(archive, (zip_uint64_t)index, stored ? ZIP_CM_STORE : ZIP_CM_DEFLATE, 0);
    }
    ck_assert_int_eq(zip_close(archive), 0);
}

/* Version 1.0: the text is padded with spaces so that the elements begin at a multiple of 64. */
struct bytes npy(const char *dictionary, const void *elements, size_t size)
{
    const size_t length = strlen(dictionary), first = (10 + length + 1 + 63) / 64 * 64;
    struct bytes bytes = {malloc(first + size), first + size};

    memset(bytes.data, ' ', first);
    memcpy(bytes.data, "\x93NUMPY\x01\x00", 8);
    bytes.data[8] = (unsigned char)((first - 10) % 256);
    bytes.data[9] = (unsigned char)((first - 10) / 256);
    memcpy(bytes.data + 10, dictionary, length);
    bytes.data[first - 1] = '\n';
    memcpy(bytes.data + first, elements, size);
    return bytes;
}
