/* A reference file, the model that it describes, and comparing with what it states: shared by the files of verify_reference. */
#ifndef REFERENCE_REFERENCE_H
#define REFERENCE_REFERENCE_H

#include <ffebm.h>

enum { NAME = 256 };

struct reference {
    const char *path;
    ffebm_context *context;
    ffebm_model *model;
    ffebm_engine *engine;
    ffebm_tensor *input;
    ffebm_tensor *target;
    ffebm_tensor *output;
    ffebm_tensor *input_gradient;
    int64_t input_sweeps; /* that it takes */
    ffebm_equilibrium_config equilibrium;
    double loss;
    char *names; /* of all tensors, one behind the other */
    size_t names_length;
    size_t compared;
    double worst;
};

/* Of the file: all names, what metadata says of a key (to be freed), the model and its values. */
ffebm_status reference_read_names(struct reference *r);
ffebm_status reference_metadata(struct reference *r, const char *key, char **text);
ffebm_status reference_read_model(struct reference *r);
ffebm_status reference_read_values(struct reference *r);

/* The name behind one, or behind NULL the first; NULL if there is none. */
const char *reference_next(const struct reference *r, const char *name);

/* The largest difference over the largest number; a shape that differs is as wrong as can be. */
ffebm_status reference_compare(struct reference *r, const char *name, const double *ours, size_t count, double *worst);

/* The same of a parameter's gradient, as the engine has it, and of a layer of a state. */
ffebm_status reference_compare_gradient(struct reference *r, const char *name, const char *parameter, double *worst);
ffebm_status reference_compare_state(struct reference *r, const char *name, size_t stage, size_t layer, int32_t phase,
                                     double *worst);

/* A row of what was compared. */
void reference_print(struct reference *r, const char *group, size_t tensors, double worst);

/* The energies of the free state, where the metadata states them (energies.c). */
ffebm_status reference_verify_energies(struct reference *r);

/* All that a file of a resistive network states (circuit.c). */
int reference_is_circuit(struct reference *r);
ffebm_status reference_verify_circuit(struct reference *r);

#endif
