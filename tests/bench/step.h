/* One model's gradient on request, for a driver that compares programs by turns. */
#ifndef BENCH_STEP_H
#define BENCH_STEP_H

/* bench step MODEL [OPTION VALUE]...: what follows `step`. Returns an exit code. */
int step_main(int argc, char **argv);

#endif
