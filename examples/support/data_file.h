/* data_file.h - a file whose bytes are read at any place, from any thread.
 *
 * What is packed cannot be read like that, so it is unpacked once, when it is opened, into a temporary file without a name:
 * in $TMPDIR, else /var/tmp, else /tmp. It is gone when the program ends, however it ends.
 */
#ifndef EXAMPLES_DATA_FILE_H
#define EXAMPLES_DATA_FILE_H

#include <stddef.h>
#include <stdint.h>

#include "failure.h"

enum { DATA_FILE_NAME = 4096 };

/* A file, unpacked, may be no larger, whatever it says. */
static const uint64_t DATA_FILE_MOST = (uint64_t)1 << 34;

struct data_file {
    char name[DATA_FILE_NAME]; /* for messages: the path, and what of it is meant */
    uint64_t size;
    int descriptor;
};

/* How many bytes a file may unpack to. Asked once, when its beginning is there, which has its header: what goes on for longer
 * is refused before it fills the disk. Returns 0, or -1 with the failure filled. */
typedef int (*data_file_limit)(uint64_t *most, const struct data_file *beginning, struct failure *failure);

/* Every function returns 0, or -1 with the failure filled; what could not be opened needs no closing. */
int data_file_open(struct data_file *file, const char *path, struct failure *failure);

/* Open a file that may be packed with gzip, whatever its name is; unpack a member of a zip archive. */
int data_file_open_gzip(struct data_file *file, const char *path, data_file_limit limit, struct failure *failure);
int data_file_open_member(struct data_file *file, const char *archive, const char *member, data_file_limit limit,
                          struct failure *failure);

/* Open a new temporary file, to be written from its beginning to its end. */
int data_file_create(struct data_file *file, const char *name, struct failure *failure);
int data_file_append(struct data_file *file, const void *bytes, size_t count, struct failure *failure);

/* Read exactly `count` bytes. */
int data_file_read(const struct data_file *file, void *bytes, size_t count, uint64_t offset, struct failure *failure);

void data_file_close(struct data_file *file);

/* Is there a regular file of that path? Programs that unpack into folders name these as the file. */
int data_file_exists(const char *path);

/* Write "directory/name". */
int data_file_path(char path[DATA_FILE_NAME], const char *directory, const char *name, struct failure *failure);

#if defined(__GNUC__)
__attribute__((format(printf, 4, 5)))
#endif
/* Say what is wrong with the file at a byte of it. Returns -1 always. */
int data_file_refuse(const struct data_file *file, uint64_t offset, struct failure *failure, const char *format, ...);

#endif
