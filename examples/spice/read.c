/* The comments of a netlist, and the elements that they name. */
#include "circuit.h"

#include <ctype.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lines.h"

/* Operating points are as exact as numbers allow: what is trained with is a small difference of two of them. In front, so
 * that the netlist's own .options win. */
static const char options[] = ".options reltol=1e-10 abstol=1e-14 vntol=1e-12\n";

struct reader {
    struct circuit *circuit;
    struct netlist_lines lines;
    const char *name;
    size_t line; /* that is read; 0: none in particular */
    size_t element_room;
    size_t quantity_room;
    struct failure *failure;
};

#if defined(__GNUC__)
__attribute__((format(printf, 3, 4)))
#endif
/* Fail at a line; 0: none. Returns -1. */
static int
fail(struct reader *r, size_t line, const char *format, ...)
{
    char text[512], place[32] = "";
    va_list values;

    va_start(values, format);
    vsnprintf(text, sizeof text, format, values);
    va_end(values);
    if (line > 0)
        snprintf(place, sizeof place, "%zu:", line);
    return failure_set(r->failure, "%s:%s %s", r->name, place, text);
}

/* Room for one more in an array that doubles. Returns 0, or -1. */
static int grow(struct reader *r, void *array, size_t *room, size_t count, size_t size)
{
    void **memory = array, *more;

    if (count < *room)
        return 0;
    more = realloc(*memory, (*room * 2 + 16) * size);
    if (more == NULL)
        return fail(r, 0, "out of memory");
    *memory = more;
    *room = *room * 2 + 16;
    return 0;
}

/* -------------------------------------------------------------------------------------------------------- quantities */

static int is_ground(const char *node)
{
    return strcmp(node, "0") == 0 || strcasecmp(node, "gnd") == 0;
}

/* The number of a quantity to be measured, a new one where there is none of the name. Returns 0, or -1. */
static int measure(struct reader *r, const char *format, const char *what, size_t *index)
{
    struct circuit *c = r->circuit;
    char name[CIRCUIT_NAME + 8];

    snprintf(name, sizeof name, format, what);
    for (char *at = name; *at != '\0'; at++)
        *at = (char)tolower((unsigned char)*at);
    for (*index = 0; *index < c->quantity_count; ++*index)
        if (strcmp(c->quantities[*index], name) == 0)
            return 0;
    if (grow(r, &c->quantities, &r->quantity_room, c->quantity_count, sizeof *c->quantities) != 0)
        return -1;
    memcpy(c->quantities[c->quantity_count++], name, sizeof name);
    return 0;
}

static int measure_node(struct reader *r, const char *node, size_t *index)
{
    *index = CIRCUIT_GROUND;
    return is_ground(node) ? 0 : measure(r, "v(%s)", node, index);
}

/* ---------------------------------------------------------------------------------------------------------- elements */

/* The value of an element in the netlist: "1k", "dc 2", "dc=2". A source without one has 0. */
static int read_value(struct reader *r, const struct netlist_line *line, double *value)
{
    const char *word = line->count > 3 ? line->words[3] : NULL;
    int resistor = tolower((unsigned char)line->words[0][0]) == 'r';

    *value = 0;
    if (word != NULL && strncasecmp(word, "dc=", 3) == 0)
        word += 3;
    else if (word != NULL && strcasecmp(word, "dc") == 0)
        word = line->count > 4 ? line->words[4] : "";
    if ((word == NULL && resistor) || (word != NULL && lines_number(word, value) != 0) || (resistor && *value <= 0))
        return fail(r, line->number, "%s has the value \"%s\", expected %s", line->words[0], word == NULL ? "" : word,
                    resistor ? "a number above 0" : "a number");
    return 0;
}

/* Add an element that a number drives; its line has been found, or made up. */
static int add_element(struct reader *r, const struct netlist_line *line, enum circuit_group group, double factor)
{
    struct circuit *c = r->circuit;
    struct circuit_element e = {.group = group, .number = c->counts[group], .factor = factor};

    if (line->count < 3 || strlen(line->words[0]) >= CIRCUIT_NAME || strlen(line->words[1]) >= CIRCUIT_NAME ||
        strlen(line->words[2]) >= CIRCUIT_NAME)
        return fail(r, line->number, "\"%.64s\": expected a name and two nodes, each shorter than %d characters",
                    line->words[0], CIRCUIT_NAME);
    for (size_t i = 0; line->words[0][i] != '\0'; i++)
        e.name[i] = (char)tolower((unsigned char)line->words[0][i]);
    if (read_value(r, line, &e.value) != 0 || measure_node(r, line->words[1], &e.nodes[0]) != 0 ||
        measure_node(r, line->words[2], &e.nodes[1]) != 0 ||
        (e.name[0] == 'v' && measure(r, "%s#branch", e.name, &e.current) != 0) ||
        grow(r, &c->elements, &r->element_room, c->element_count, sizeof e) != 0)
        return -1;
    c->elements[c->element_count++] = e;
    return 0;
}

static int drive_element(struct reader *r, const char *name, enum circuit_group group, double factor)
{
    struct netlist_line *line = lines_find(&r->lines, name);

    if (strchr("rivRIV", name[0]) == NULL)
        return fail(r, r->line, "%s cannot be driven, expected a resistor (R..) or a source (V.., I..)", name);
    if (line == NULL)
        return fail(r, r->line, "there is no %s in the circuit", name);
    if (line->taken)
        return fail(r, r->line, "%s is driven twice", name);
    line->taken = 1;
    return add_element(r, line, group, factor);
}

/* The source of a force on an output. */
static int force_node(struct reader *r, const char *node, enum circuit_group group, double factor)
{
    char name[CIRCUIT_NAME], ground[] = "0", *words[] = {name, ground, (char *)node};
    struct netlist_line line = {.number = r->line, .words = words, .count = 3};

    if (is_ground(node) || !lines_have_node(&r->lines, node))
        return fail(r, r->line, "there is no node %s in the circuit", node);
    snprintf(name, sizeof name, "iffebm%zu", r->circuit->element_count);
    if (lines_find(&r->lines, name) != NULL)
        return fail(r, r->line, "%s is taken, and would be the source of the force on %s", name, node);
    return add_element(r, &line, group, factor);
}

/* ---------------------------------------------------------------------------------------------------------- comments */

/* NAME or NAME*FACTOR, and so on behind commas. */
static int read_entry(struct reader *r, char *entry, enum circuit_group group)
{
    int (*take)(struct reader *, const char *, enum circuit_group, double) =
        group == CIRCUIT_OUTPUT ? force_node : drive_element;
    char *rest = entry;

    while (rest != NULL) {
        char *name = rest, *comma = strchr(rest, ','), *star;
        double factor = 1;

        rest = comma == NULL ? NULL : comma + 1;
        if (comma != NULL)
            *comma = '\0';
        star = strchr(name, '*');
        if (star != NULL)
            *star++ = '\0';
        if (name[0] == '\0' || (star != NULL && (lines_number(star, &factor) != 0 || factor == 0)))
            return fail(r, r->line, "\"%s\" times \"%s\", expected a name and a number that is not 0", name,
                        star == NULL ? "1" : star);
        if (take(r, name, group, factor) != 0)
            return -1;
    }
    r->circuit->counts[group]++;
    return 0;
}

static int read_entries(struct reader *r, struct netlist_line *line, size_t first, enum circuit_group group)
{
    for (size_t i = first; i < line->count; i++)
        if (read_entry(r, line->words[i], group) != 0)
            return -1;
    return 0;
}

static int read_input(struct reader *r, struct netlist_line *line)
{
    return read_entries(r, line, 3, CIRCUIT_INPUT);
}

static int read_output(struct reader *r, struct netlist_line *line)
{
    return read_entries(r, line, 3, CIRCUIT_OUTPUT);
}

/* NAME or POSITION.NAME */
static int is_name(const char *word)
{
    const char *point = strchr(word, '.'), *name = point == NULL ? word : point + 1;

    if (point != NULL && (point == word || point - word > 4 || strspn(word, "0123456789") != (size_t)(point - word)))
        return 0;
    for (const char *at = name; *at != '\0'; at++)
        if (!isalnum((unsigned char)*at) && *at != '_')
            return 0;
    return *name != '\0' && strlen(name) < 24;
}

/* NAME or NAME[2,3] */
static int read_shape(struct reader *r, struct circuit_parameter *p, char *word)
{
    char *at = strchr(word, '['), *end = at;

    if (at != NULL)
        *at++ = '\0';
    if (strlen(word) >= CIRCUIT_NAME || !is_name(word))
        return fail(r, r->line, "\"%s\", expected a parameter's name: letters, digits and _, or as 2.name", word);
    snprintf(p->name, sizeof p->name, "%s", word);
    for (p->rank = 0; at != NULL; at = *end == ']' && end[1] == '\0' ? NULL : end + 1) {
        if (p->rank == CIRCUIT_MAX_RANK || (p->shape[p->rank++] = strtoll(at, &end, 10)) < 1 ||
            (*end != ',' && strcmp(end, "]") != 0))
            return fail(r, r->line, "parameter %s has the shape [%s, expected as in [3] or [2,3]", word, at);
    }
    return 0;
}

static int read_bound(struct reader *r, struct circuit_parameter *p, const char *word)
{
    double *bound = strncasecmp(word, "min=", 4) == 0   ? &p->lower
                    : strncasecmp(word, "max=", 4) == 0 ? &p->upper
                                                        : NULL;

    if (bound == NULL || lines_number(word + 4, bound) != 0)
        return fail(r, r->line, "parameter %s: \"%s\", expected min= or max= and a number", p->name, word);
    return 0;
}

/* The parameter of a name: that of the line before, or a new one. */
static struct circuit_parameter *open_parameter(struct reader *r, char *word)
{
    struct circuit *c = r->circuit;
    struct circuit_parameter new = {.lower = -INFINITY, .upper = INFINITY};

    if (read_shape(r, &new, word) != 0)
        return NULL;
    for (size_t i = 0; i < c->parameter_count; i++)
        if (strcmp(c->parameters[i].name, new.name) == 0) {
            if (i + 1 == c->parameter_count && new.rank == 0)
                return &c->parameters[i];
            fail(r, r->line, "parameter %s is there already", new.name);
            return NULL;
        }
    if (c->parameter_count == CIRCUIT_PARAMETERS) {
        fail(r, r->line, "parameter %s is one more than the %d that there may be", new.name, CIRCUIT_PARAMETERS);
        return NULL;
    }
    c->parameters[c->parameter_count] = new;
    return &c->parameters[c->parameter_count++];
}

static int read_parameter(struct reader *r, struct netlist_line *line)
{
    struct circuit_parameter *p;
    size_t first = 4, before = r->circuit->counts[CIRCUIT_PARAMETER];

    if (line->count < 4)
        return fail(r, r->line, "a parameter without a name");
    if ((p = open_parameter(r, line->words[3])) == NULL)
        return -1;
    for (; first < line->count && strchr(line->words[first], '=') != NULL; first++)
        if (read_bound(r, p, line->words[first]) != 0)
            return -1;
    if (read_entries(r, line, first, CIRCUIT_PARAMETER) != 0)
        return -1;
    p->count += r->circuit->counts[CIRCUIT_PARAMETER] - before;
    return 0;
}

static int read_unit(struct reader *r, struct netlist_line *line)
{
    if (line->count != 4 || lines_number(line->words[3], &r->circuit->unit) != 0 || !(r->circuit->unit > 0))
        return fail(r, r->line, "unit \"%s\", expected a number above 0", line->count > 3 ? line->words[3] : "");
    return 0;
}

static const struct {
    const char *word;
    int (*read)(struct reader *r, struct netlist_line *line);
} comments[] = {{"input", read_input}, {"output", read_output}, {"parameter", read_parameter}, {"unit", read_unit}};

static int read_comment(struct reader *r, struct netlist_line *line)
{
    r->line = line->number;
    for (size_t i = 0; line->count > 2 && i < sizeof comments / sizeof comments[0]; i++)
        if (strcasecmp(line->words[2], comments[i].word) == 0)
            return comments[i].read(r, line);
    return fail(r, r->line, "\"ffebm %s\", expected input, output, parameter or unit",
                line->count > 2 ? line->words[2] : "");
}

static int read_line(struct reader *r, struct netlist_line *line)
{
    if (strcasecmp(line->words[0], ".control") == 0)
        return fail(r, line->number, ".control, expected a circuit alone: the block says what is analysed");
    if (line->words[0][0] == '+')
        return fail(r, line->number, "goes on with a comment: begin the line as the comment does");
    if (line->count > 1 && strcmp(line->words[0], "*") == 0 && strcasecmp(line->words[1], "ffebm") == 0)
        return read_comment(r, line);
    return 0;
}

/* ------------------------------------------------------------------------------------------------------------- whole */

/* Narrow the bounds of the parameter whose numbers begin with `first` to what its resistors can be. */
static void bound_conductances(struct reader *r, struct circuit_parameter *p, size_t first)
{
    const struct circuit *c = r->circuit;

    for (size_t i = 0; i < c->element_count; i++) {
        const struct circuit_element *e = &c->elements[i];

        if (e->group == CIRCUIT_PARAMETER && e->name[0] == 'r' && e->number - first < p->count) {
            p->lower = fmax(p->lower, e->factor > 0 ? 0 : CIRCUIT_CONDUCTANCE / e->factor);
            p->upper = fmin(p->upper, e->factor > 0 ? CIRCUIT_CONDUCTANCE / e->factor : 0);
        }
    }
}

/* Numbers and shapes agree, and nothing is missing. */
static int check(struct reader *r)
{
    struct circuit *c = r->circuit;
    size_t first = 0;

    if (c->counts[CIRCUIT_INPUT] == 0 || c->counts[CIRCUIT_OUTPUT] == 0)
        return fail(r, 0, "no comment \"* ffebm %s ..\"", c->counts[CIRCUIT_INPUT] == 0 ? "input" : "output");
    for (size_t i = 0; i < c->parameter_count; first += c->parameters[i++].count) {
        struct circuit_parameter *p = &c->parameters[i];
        size_t count = 1;

        if (p->rank == 0)
            p->shape[p->rank++] = (int64_t)p->count;
        for (size_t d = 0; d < p->rank; d++)
            count *= (size_t)p->shape[d];
        if (count != p->count || count == 0)
            return fail(r, 0, "parameter %s has %zu numbers, expected %zu, as its shape says", p->name, p->count,
                        count);
        bound_conductances(r, p, first);
        if (!(p->lower < p->upper))
            return fail(r, 0, "parameter %s: bounds [%g, %g], expected min below max", p->name, p->lower, p->upper);
    }
    return 0;
}

/* Title, options, the rest up to its end, the sources of the forces. */
static int write_netlist(struct reader *r, const char *text)
{
    struct circuit *c = r->circuit;
    size_t length = 0, title = strcspn(text, "\n") + 1;
    FILE *to = open_memstream(&c->netlist, &length);
    int bad;

    if (to == NULL)
        return fail(r, 0, "out of memory");
    fprintf(to, "%.*s\n%s", (int)title - 1, text, options);
    if (r->lines.end > title)
        fprintf(to, "%.*s", (int)(r->lines.end - title), text + title);
    fputc('\n', to);
    for (size_t i = 0; i < c->element_count; i++) {
        const struct circuit_element *e = &c->elements[i];

        if (e->group == CIRCUIT_OUTPUT) {
            const char *node = c->quantities[e->nodes[1]] + strlen("v(");

            fprintf(to, "%s 0 %.*s dc 0\n", e->name, (int)strlen(node) - 1, node);
        }
    }
    fprintf(to, ".end\n");
    bad = ferror(to);
    return (fclose(to) != 0 || bad) ? fail(r, 0, "out of memory") : 0;
}

int circuit_read(struct circuit *circuit, const char *name, const char *text, struct failure *failure)
{
    struct reader r = {.circuit = circuit, .name = name, .failure = failure};
    int code;

    *circuit = (struct circuit){.unit = 1};
    code = lines_read(&r.lines, text, failure);
    for (size_t i = 0; i < r.lines.count && code == 0; i++)
        code = read_line(&r, &r.lines.lines[i]);
    if (code == 0)
        code = check(&r);
    if (code == 0)
        code = write_netlist(&r, text);
    lines_free(&r.lines);
    return code;
}
