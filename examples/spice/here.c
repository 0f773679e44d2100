/* libngspice in this process. What it prints, prompts and would exit for arrives in callbacks. */
#include "simulator.h"

#include <math.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ngspice/sharedspice.h> /* its NG_BOOL is a bool */

struct here {
    struct simulator base;
    const struct circuit *circuit;
    double *values; /* as the elements are; NaN: as the netlist says */
};

/* There is one of it in a process. */
static struct {
    atomic_flag taken;
    int started;
    int lost;       /* it has asked to be unloaded: nothing can be done with it any more */
    int wrong;      /* since `said` was emptied, an error was among what it said */
    char said[512]; /* on its standard error */
} library = {.taken = ATOMIC_FLAG_INIT};

/* --------------------------------------------------------------------------------------------------------- callbacks */

/* Each line has the stream's name in front. */
static int hear(char *text, int number, void *user)
{
    static const char stream[] = "stderr ";
    size_t used = strlen(library.said);

    (void)number;
    (void)user;
    if (strncmp(text, stream, sizeof stream - 1) != 0)
        return 0;
    text += sizeof stream - 1;
    library.wrong = library.wrong || strncmp(text, "Error", 5) == 0 || strstr(text, "aborted") != NULL;
    if (strncmp(text, "Note:", 5) != 0 && strncmp(text, "Trying gmin", 11) != 0)
        snprintf(library.said + used, sizeof library.said - used, "%s%s", used > 0 ? "; " : "", text);
    return 0;
}

static int hear_status(char *text, int number, void *user)
{
    (void)text;
    (void)number;
    (void)user;
    return 0;
}

static int leave(int status, NG_BOOL immediate, NG_BOOL quit, int number, void *user)
{
    (void)status;
    (void)immediate;
    (void)quit;
    (void)number;
    (void)user;
    library.lost = 1;
    return 0;
}

static int hear_data(pvecvaluesall values, int count, int number, void *user)
{
    (void)values;
    (void)count;
    (void)number;
    (void)user;
    return 0;
}

static int hear_names(pvecinfoall names, int number, void *user)
{
    (void)names;
    (void)number;
    (void)user;
    return 0;
}

static int hear_thread(NG_BOOL ended, int number, void *user)
{
    (void)ended;
    (void)number;
    (void)user;
    return 0;
}

/* ---------------------------------------------------------------------------------------------------------- commands */

static void listen(void)
{
    library.said[0] = '\0';
    library.wrong = 0;
}

/* Whether all went well since `listen`. Returns 0, or -1 with what it said for the failure. */
static int judge(const char *what, struct failure *failure)
{
    if (library.lost)
        return failure_set(failure, "ngspice has given up in this process: %s", library.said);
    return library.wrong ? failure_set(failure, "ngspice %s: %s", what, library.said) : 0;
}

/* It wants to own its commands. */
static void command(const char *text)
{
    char words[128];

    snprintf(words, sizeof words, "%s", text);
    ngSpice_Command(words);
}

/* Without the last one the library keeps all commands there ever were. */
static void forget_results(void)
{
    command("destroy all");
    ngSpice_Command(NULL);
}

static int load(const struct circuit *circuit, struct failure *failure)
{
    size_t count = 1, length = strlen(circuit->netlist);
    char *text = malloc(length + 1), **lines;

    for (const char *at = circuit->netlist; (at = strchr(at, '\n')) != NULL; at++)
        count++;
    lines = calloc(count + 1, sizeof *lines);
    if (text == NULL || lines == NULL) {
        free(text);
        free(lines);
        return failure_set(failure, "out of memory for a netlist");
    }
    memcpy(text, circuit->netlist, length + 1);
    count = 0;
    for (char *at = text, *end; (end = strchr(at, '\n')) != NULL; at = end + 1) {
        *end = '\0';
        lines[count++] = at;
    }
    listen();
    ngSpice_Circ(lines);
    free(lines);
    free(text);
    return judge("refuses the netlist", failure);
}

/* Change the elements that are not as they should be. */
static int set_elements(struct here *here, const double *values, struct failure *failure)
{
    const struct circuit *circuit = here->circuit;

    listen();
    for (size_t i = 0; i < circuit->element_count; i++) {
        const char *name = circuit->elements[i].name;
        char text[CIRCUIT_NAME + 48];

        if (values[i] == here->values[i])
            continue;
        snprintf(text, sizeof text, "alter %s%s = %.17g", name, name[0] == 'r' ? "" : " dc", values[i]);
        command(text);
        here->values[i] = values[i];
    }
    return judge("does not set an element", failure);
}

static int measure(const struct circuit *circuit, double *measured, struct failure *failure)
{
    for (size_t i = 0; i < circuit->quantity_count; i++) {
        pvector_info vector = ngGet_Vec_Info(circuit->quantities[i]);

        if (vector == NULL || vector->v_length < 1 || vector->v_realdata == NULL)
            return failure_set(failure, "ngspice finds no operating point, or no %s at it: %s", circuit->quantities[i],
                               library.said);
        measured[i] = vector->v_realdata[0];
    }
    return 0;
}

/* ------------------------------------------------------------------------------------------------------------- slots */

static int settle(struct simulator *simulator, const double *values, double *measured, struct failure *failure)
{
    struct here *here = (struct here *)simulator;
    int code = set_elements(here, values, failure);

    if (code != 0)
        return code;
    listen();
    command("op");
    code = judge("finds no operating point", failure);
    if (code == 0)
        code = measure(here->circuit, measured, failure);
    if (!library.lost)
        forget_results();
    return code;
}

static void destroy(struct simulator *simulator)
{
    struct here *here = (struct here *)simulator;

    if (!library.lost) {
        command("remcirc");
        ngSpice_Command(NULL);
    }
    atomic_flag_clear(&library.taken);
    free(here->values);
    free(here);
}

static int start(struct failure *failure)
{
    if (!library.started && ngSpice_Init(hear, hear_status, leave, hear_data, hear_names, hear_thread, NULL) != 0)
        return failure_set(failure, "ngspice does not start: %s", library.said);
    library.started = 1;
    return library.lost ? failure_set(failure, "ngspice has given up in this process: %s", library.said) : 0;
}

int simulator_create_here(struct simulator **simulator, const struct circuit *circuit, struct failure *failure)
{
    struct here *here;

    *simulator = NULL;
    if (atomic_flag_test_and_set(&library.taken))
        return failure_set(failure, "ngspice has a circuit in this process already: let this one have a child");
    here = calloc(1, sizeof *here);
    if (here != NULL)
        here->values = malloc(circuit->element_count * sizeof *here->values);
    if (here == NULL || here->values == NULL) {
        free(here);
        atomic_flag_clear(&library.taken);
        return failure_set(failure, "out of memory for a simulator");
    }
    here->base = (struct simulator){.settle = settle, .destroy = destroy};
    here->circuit = circuit;
    for (size_t i = 0; i < circuit->element_count; i++)
        here->values[i] = NAN;
    if (start(failure) != 0 || load(circuit, failure) != 0) {
        destroy(&here->base);
        return -1;
    }
    *simulator = &here->base;
    return 0;
}
