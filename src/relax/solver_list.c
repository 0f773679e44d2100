/* The solvers. Alone in its file, so that a program may put a longer list in its place. */
#include "relax/solver.h"

const ffebmi_solver *const *ffebmi_solvers(void)
{
    static const ffebmi_solver *const list[] = {&ffebmi_solver_device, &ffebmi_solver_sweeps, &ffebmi_solver_batches,
                                                NULL};

    return list;
}
