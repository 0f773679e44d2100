/* predict.h - what a trained model makes of every test sample, as a file of comma-separated values. */
#ifndef EXAMPLES_PREDICT_H
#define EXAMPLES_PREDICT_H

#include "run.h"

/* Write the file that --predict names: a header; then for each test sample its index, its label, the class whose output is
 * largest, and that class's probability. Where the loss is not cross entropy outputs are no logits, and the last column is
 * the output itself. Print how many are right, as one JSON object. Returns RUN_DONE, or RUN_FAILED with the failure filled
 * and no file written. */
int predict_run(struct run *run);

#endif
