/* lines.h - a SPICE netlist as lines of words, and its elements by their names. */
#ifndef EXAMPLES_LINES_H
#define EXAMPLES_LINES_H

#include <stddef.h>

#include "../support/failure.h"

/* A line with those that continue it. */
struct netlist_line {
    size_t number; /* in the file, from 1 */
    char **words;  /* what spaces, commas left alone, divide; [count] */
    size_t count;
    int element; /* 1: of the circuit itself: no title, comment or command, and in no subcircuit */
    int taken;   /* for whoever wants to know an element again */
};

struct netlist_lines {
    char *text; /* what the words point into */
    char **words;
    struct netlist_line *lines;
    size_t count;
    struct netlist_line **elements; /* sorted by name */
    size_t element_count;
    size_t end; /* bytes of the netlist in front of its .end */
};

/* Divide a netlist. Returns 0, or -1 with the failure filled; end it with lines_free in both cases. */
int lines_read(struct netlist_lines *lines, const char *text, struct failure *failure);
void lines_free(struct netlist_lines *lines);

/* Find an element of the circuit. NULL: there is none of that name. */
struct netlist_line *lines_find(const struct netlist_lines *lines, const char *name);

/* Whether an element of the circuit is joined to a node. */
int lines_have_node(const struct netlist_lines *lines, const char *node);

/* Read a number as SPICE has it, 2.2k or 10meg. Returns 0, or -1 if it is none. */
int lines_number(const char *text, double *number);

#endif
