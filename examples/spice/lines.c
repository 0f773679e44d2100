#include "lines.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* How many of the words behind an element's name are nodes, by the letter that the name begins with. A subcircuit's are all
 * but the last of those without "=". */
static const struct {
    const char *letters;
    size_t nodes;
} joined[] = {{"bcdfhilrvw", 2}, {"jqz", 3}, {"egmst", 4}};

static size_t node_count(const struct netlist_line *line)
{
    size_t count = 1;

    for (size_t i = 0; i < sizeof joined / sizeof joined[0]; i++)
        if (strchr(joined[i].letters, tolower((unsigned char)line->words[0][0])) != NULL)
            return joined[i].nodes < line->count ? joined[i].nodes : line->count - 1;
    while (count < line->count && strchr(line->words[count], '=') == NULL)
        count++;
    return count >= 2 ? count - 2 : 0;
}

/* --------------------------------------------------------------------------------------------------------- dividing */

static int begins(const char *word, const char *command)
{
    return strncasecmp(word, command, strlen(command)) == 0;
}

/* Cut one line of the text into words, behind those that there are. Returns how many, and where the next line begins. */
static size_t cut(char **words, char **at)
{
    char *end = *at + strcspn(*at, "\n"), *next = *end == '\0' ? end : end + 1;
    size_t count = 0;

    *end = '\0';
    for (char *word = *at; *(word += strspn(word, " \t\r")) != '\0'; count++) {
        words[count] = word;
        word += strcspn(word, " \t\r");
        if (*word != '\0')
            *word++ = '\0';
    }
    *at = next;
    return count;
}

/* Whether a line goes on with one before it. Behind a comment it stays a line of its own. */
static int continues(const struct netlist_line *line, const struct netlist_line *before)
{
    return line->words[0][0] == '+' && before->words[0][0] != '*';
}

static void join(struct netlist_line *to, const struct netlist_line *line)
{
    to->count += line->count - (line->words[0][1] == '\0');
    if (line->words[0][1] == '\0')
        memmove(line->words, line->words + 1, (line->count - 1) * sizeof *line->words);
    else
        line->words[0]++;
}

/* Divide the text up to its .end. Words of a line lie side by side, those of a continuation behind them. */
static void divide(struct netlist_lines *l)
{
    char *at = l->text, **words = l->words;
    size_t number = 0;

    for (int ended = 0; *at != '\0' && !ended;) {
        struct netlist_line line = {.number = ++number, .words = words};

        l->end = (size_t)(at - l->text);
        line.count = cut(words, &at);
        ended = number > 1 && line.count == 1 && strcasecmp(words[0], ".end") == 0;
        if (!ended)
            l->end = (size_t)(at - l->text);
        if (line.count == 0 || ended)
            continue;
        if (l->count > 0 && continues(&line, &l->lines[l->count - 1])) {
            join(&l->lines[l->count - 1], &line);
            words = l->lines[l->count - 1].words + l->lines[l->count - 1].count;
        } else {
            l->lines[l->count++] = line;
            words += line.count;
        }
    }
}

static int by_name(const void *a, const void *b)
{
    const struct netlist_line *const *x = a, *const *y = b;

    return strcasecmp((*x)->words[0], (*y)->words[0]);
}

static void index_elements(struct netlist_lines *l)
{
    int inside = 0; /* of how many subcircuits */

    for (size_t i = 0; i < l->count; i++) {
        struct netlist_line *line = &l->lines[i];

        inside += begins(line->words[0], ".subckt");
        line->element = inside == 0 && line->number > 1 && isalpha((unsigned char)line->words[0][0]);
        inside -= begins(line->words[0], ".ends");
        if (line->element)
            l->elements[l->element_count++] = line;
    }
    qsort(l->elements, l->element_count, sizeof *l->elements, by_name);
}

int lines_read(struct netlist_lines *lines, const char *text, struct failure *failure)
{
    size_t length = strlen(text), most = 1;

    for (const char *at = text; (at = strchr(at, '\n')) != NULL; at++)
        most++;
    *lines = (struct netlist_lines){.text = malloc(length + 1),
                                    .words = calloc(length / 2 + 1, sizeof *lines->words),
                                    .lines = calloc(most, sizeof *lines->lines),
                                    .elements = calloc(most, sizeof *lines->elements)};
    if (lines->text == NULL || lines->words == NULL || lines->lines == NULL || lines->elements == NULL)
        return failure_set(failure, "out of memory for a netlist of %zu bytes", length);
    memcpy(lines->text, text, length + 1);
    divide(lines);
    index_elements(lines);
    return 0;
}

void lines_free(struct netlist_lines *lines)
{
    free(lines->text);
    free(lines->words);
    free(lines->lines);
    free(lines->elements);
    *lines = (struct netlist_lines){0};
}

/* ---------------------------------------------------------------------------------------------------------- finding */

struct netlist_line *lines_find(const struct netlist_lines *lines, const char *name)
{
    char *words[] = {(char *)name};
    struct netlist_line wanted = {.words = words};
    struct netlist_line *key = &wanted, **found;

    found = bsearch(&key, lines->elements, lines->element_count, sizeof *lines->elements, by_name);
    return found == NULL ? NULL : *found;
}

int lines_have_node(const struct netlist_lines *lines, const char *node)
{
    for (size_t i = 0; i < lines->element_count; i++)
        for (size_t n = node_count(lines->elements[i]); n > 0; n--)
            if (strcasecmp(lines->elements[i]->words[n], node) == 0)
                return 1;
    return 0;
}

int lines_number(const char *text, double *number)
{
    static const struct {
        const char *suffix;
        double scale;
    } suffixes[] = {{"meg", 1e6}, {"mil", 25.4e-6}, {"t", 1e12}, {"g", 1e9},   {"k", 1e3},
                    {"m", 1e-3},  {"u", 1e-6},      {"n", 1e-9}, {"p", 1e-12}, {"f", 1e-15}};
    char *end;

    *number = strtod(text, &end);
    if (end == text)
        return -1;
    for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++)
        if (begins(end, suffixes[i].suffix)) {
            *number *= suffixes[i].scale;
            break;
        }
    while (isalpha((unsigned char)*end)) /* SPICE takes units, and whatever else follows, for decoration */
        end++;
    return *end == '\0' ? 0 : -1;
}
