#include "settings_file.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ffebm.h>

#include "json_text.h"
#include "text_file.h"

#define OPTIONS_BEGIN "\"options\": {"
#define COMMANDS_BEGIN "\"commands\": [\n"
#define COMMANDS_END "\n  ],"

/* ---------------------------------------------------------------------------------------------------------- reading */

/* Take the value at `at`, a text or a word, and the comma behind it. Returns what follows, NULL if it is neither. */
static char *read_value(char *at, char **value)
{
    size_t length;

    if (*at == '"') {
        at = json_text_read(at, value);
        return at == NULL ? NULL : at + (*at == ',');
    }
    length = strcspn(at, ",}\n");
    if (length == 0 || at[length] == '\0')
        return NULL;
    *value = at;
    if (at[length] == ',') {
        at[length] = '\0';
        return at + length + 1;
    }
    at[length] = '\0'; /* the line's end: what follows is the brace on the next */
    return at + length + 1;
}

static int add_option(struct arguments *arguments, const char *name, const char *value, struct failure *failure)
{
    if (strcmp(value, "false") == 0)
        return 0;
    return arguments_add_option(arguments, name, strcmp(value, "true") == 0 ? NULL : value, failure);
}

static int read_options(struct arguments *arguments, char *text, const char *path, struct failure *failure)
{
    char *at = strstr(text, OPTIONS_BEGIN), *name = NULL, *value;

    if (at != NULL)
        at += strlen(OPTIONS_BEGIN);
    while (at != NULL && *(at += strspn(at, " \n")) != '}') {
        at = json_text_read(at, &name);
        if (at != NULL && (*at != ':' || (at = read_value(at + 1 + strspn(at + 1, " "), &value)) == NULL))
            at = NULL;
        if (at != NULL && add_option(arguments, name, value, failure) != 0)
            return -1;
    }
    if (at != NULL)
        return 0;
    return failure_set(failure, "%s: expected \"options\", an object with one option of train a line%s%s", path,
                       name != NULL ? "; the last understood is " : "", name != NULL ? name : "");
}

/* A copy of the list, without its brackets. */
static int read_commands(char **commands, const char *text, const char *path, struct failure *failure)
{
    const char *begin = strstr(text, COMMANDS_BEGIN), *end;

    *commands = NULL;
    if (begin == NULL || (end = strstr(begin += strlen(COMMANDS_BEGIN), COMMANDS_END)) == NULL)
        return 0;
    *commands = strndup(begin, (size_t)(end - begin));
    return *commands != NULL ? 0 : failure_set(failure, "%s: out of memory", path);
}

int settings_file_read(struct arguments *arguments, char **commands, const char *path, struct failure *failure)
{
    char *text;
    size_t length;
    int result = text_file_read(path, &text, &length, failure);

    *commands = NULL;
    if (result != 0)
        return result;
    text = realloc(text, length + 1); /* shorter than what text_file_read has taken, or a byte longer */
    if (text == NULL)
        return failure_set(failure, "%s: out of memory", path);
    text[length] = '\0';
    result = read_commands(commands, text, path, failure);
    if (result == 0)
        result = read_options(arguments, text, path, failure);
    free(text);
    return result;
}

/* ---------------------------------------------------------------------------------------------------------- writing */

static void write_command(FILE *to, const struct settings_file *file)
{
    fprintf(to, "  " COMMANDS_BEGIN "%s%s    [", file->commands != NULL ? file->commands : "",
            file->commands != NULL ? ",\n" : "");
    for (char **word = file->argv; *word != NULL; word++) {
        if (word != file->argv)
            fputs(", ", to);
        json_text_write(to, *word);
    }
    fprintf(to, "]" COMMANDS_END "\n");
}

/* The best instructions that the library can use here, but for what --isa says. */
static const char *processor(void)
{
#if defined(__GNUC__) && defined(__x86_64__)
    if (__builtin_cpu_supports("avx512f"))
        return "x86-64 with AVX-512";
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        return "x86-64 with AVX2";
#endif
    return "portable";
}

static void write_library(FILE *to)
{
#if defined(__VERSION__)
    static const char compiler[] = __VERSION__;
#else
    static const char compiler[] = "unknown";
#endif

    fprintf(to, "  \"library\": {\"version\": \"%s\", \"compiler\": ", ffebm_version());
    json_text_write(to, compiler);
    fprintf(to, ", \"processor\": \"%s\"},\n", processor());
}

static void write_data(FILE *to, const struct dataset *data)
{
    fprintf(to,
            "  \"data\": {\"training_samples\": %zu, \"test_samples\": %zu, \"classes\": %" PRId64
            ", \"image\": [%zu, %zu, %zu], \"fingerprint\": \"%016" PRIx64 "\"}\n",
            data->train.count, data->test.count, data->classes, data->channels, data->height, data->width,
            (uint64_t)data->fingerprint);
}

int settings_file_write(const struct settings_file *file, const char *path, struct failure *failure)
{
    char *text = NULL;
    size_t length;
    FILE *to = open_memstream(&text, &length);
    int result;

    if (to == NULL)
        return failure_set(failure, "%s: %s", path, strerror(errno));
    fprintf(to, "{\n  " OPTIONS_BEGIN "\n    ");
    settings_write(to, file->settings, NULL, ",\n    ");
    fprintf(to, "\n  },\n");
    write_command(to, file);
    write_library(to);
    write_data(to, file->data);
    fprintf(to, "}\n");
    result = fclose(to) == 0 ? text_file_write(path, text, length, failure)
                             : failure_set(failure, "%s: out of memory", path);
    free(text);
    return result;
}
