#include "constants.h"

#include <stdlib.h>
#include <string.h>

#include "json_text.h"
#include "text_file.h"

enum { VALUE = 64 };

static const char blank[] = " \t\r\n";

/* The file while it is read: texts are decoded in place, and nothing moves. */
struct reading {
    ffebm_context *context;
    void *config;
    int32_t kind;
    const char *path;
    char *text;
    char *at;
};

static int refuse(const struct reading *r, const char *at, const char *what, struct failure *failure)
{
    size_t line = 1;

    for (const char *c = r->text; c < at; c++)
        line += *c == '\n';
    return failure_set(failure, "%s: line %zu: %s", r->path, line, what);
}

static char skip(struct reading *r)
{
    r->at += strspn(r->at, blank);
    return *r->at;
}

/* A text, or a word up to what ends it. */
static int read_value(struct reading *r, char value[VALUE], struct failure *failure)
{
    char *text = r->at;
    size_t length;

    if (*r->at == '"') {
        char *end = json_text_read(r->at, &text);

        if (end == NULL || strlen(text) >= VALUE)
            return refuse(r, r->at, "expected a text that ends", failure);
        r->at = end;
        length = strlen(text);
    } else {
        length = strcspn(r->at, ",} \t\r\n");
        r->at += length;
    }
    if (length == 0 || length >= VALUE)
        return refuse(r, r->at, "expected a number, a text, true or false", failure);
    memcpy(value, text, length);
    value[length] = '\0';
    return 0;
}

static int read_member(struct reading *r, struct failure *failure)
{
    char *key, *begin = r->at, *end = json_text_read(r->at, &key), value[VALUE];

    if (end == NULL)
        return refuse(r, begin, "expected a key in quotes", failure);
    r->at = end;
    if (skip(r) != ':')
        return refuse(r, r->at, "expected a colon behind the key", failure);
    r->at++;
    skip(r);
    if (read_value(r, value, failure) != 0)
        return -1;
    if (ffebm_setting_write(r->context, r->config, r->kind, key, value) != FFEBM_OK)
        return refuse(r, begin, ffebm_context_error(r->context), failure);
    return 0;
}

static int read_object(struct reading *r, struct failure *failure)
{
    if (skip(r) != '{')
        return refuse(r, r->at, "expected an object {\"key\": number, ..}", failure);
    r->at++;
    if (skip(r) == '}')
        r->at++;
    else
        do {
            skip(r);
            if (read_member(r, failure) != 0)
                return -1;
            if (skip(r) != ',' && *r->at != '}')
                return refuse(r, r->at, "expected a comma, or the object's end", failure);
        } while (*r->at++ == ',');
    return skip(r) == '\0' ? 0 : refuse(r, r->at, "expected nothing behind the object", failure);
}

int constants_read(ffebm_context *context, void *config, int32_t kind, const char *path, struct failure *failure)
{
    struct reading r = {.context = context, .config = config, .kind = kind, .path = path};
    size_t length;
    char *ended;
    int result;

    if (text_file_read(path, &r.text, &length, failure) != 0)
        return -1;
    ended = realloc(r.text, length + 1);
    if (ended == NULL) {
        free(r.text);
        return failure_set(failure, "%s: out of memory", path);
    }
    r.text = r.at = ended;
    ended[length] = '\0';
    result = read_object(&r, failure);
    free(ended);
    return result;
}

void constants_write(FILE *file, int32_t kind, const void *config, const char *between)
{
    ffebm_setting_info info = {.size = sizeof info};
    char value[VALUE];

    for (size_t i = 0; ffebm_setting_inspect(&info, kind, i) == FFEBM_OK; i++) {
        if (ffebm_setting_read(NULL, value, sizeof value, NULL, kind, info.key, config) != FFEBM_OK)
            continue;
        fprintf(file, "%s\"%s\": ", i == 0 ? "" : between, info.key);
        if (info.type == FFEBM_SETTING_CHOICE || strcmp(value, "inf") == 0)
            json_text_write(file, value);
        else
            fputs(value, file);
    }
}
