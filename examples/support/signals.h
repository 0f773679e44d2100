/* signals.h - SIGINT and SIGTERM as a wish that the program looks at between two steps. */
#ifndef EXAMPLES_SIGNALS_H
#define EXAMPLES_SIGNALS_H

/* Note these signals from now on instead of dying of them, and answer the first at once with a text on stderr, borrowed. The
 * second of a kind has its usual effect again, for whoever does not want to wait. */
void signals_catch(const char *answer);

/* Get the signal that has come, or 0. */
int signals_caught(void);

/* Name it, as in "SIGINT". */
const char *signals_name(int number);

#endif
