/* ffebm.h - everything. Include this, or the parts you use; each part includes what it needs.
 *
 *   version.h      which library this is
 *   core.h         THE RULES (read them first), statuses, the context, random numbers
 *   tensor.h       arrays that go in and out
 *   block.h        what blocks of both kinds have in common
 *   feedforward.h  describe a feedforward block (digital): a row of ops
 *   energy.h       describe an energy block (analog): a deep Hopfield network
 *   device.h       energy blocks on devices that are not ideal: converters, mismatch, noise
 *   equilibrium.h  how an energy block settles and is nudged
 *   loss.h         losses
 *   model.h        chain blocks, hold their parameters; the model description (JSON)
 *   gradient.h     the engine: equilibria and gradients
 *   analysis.h     can a gradient be trusted? Certificates, traces, the depth profile
 *   ledger.h       what a gradient would cost on hardware: events, energy, latency
 *   optimizer.h    SGD, Adam, learning-rate schedules
 *   io.h           checkpoints
 *
 * Blocks describe, a model holds the parameters, an engine computes, an optimizer updates:
 *
 *   ffebm_context_create(&context, NULL);
 *   ffebm_model_parse(context, &model, json, json_length, NULL);
 *   ffebm_model_initialize(model, seed);
 *   ffebm_engine_create(&engine, model, NULL);
 *   ffebm_optimizer_create_adam(&optimizer, model, NULL);
 *   for (...) {
 *       ffebm_engine_gradient(engine, &report, x, labels, NULL);
 *       ffebm_optimizer_step(optimizer, engine);
 *   }
 */
#ifndef FFEBM_H
#define FFEBM_H

#include "ffebm/analysis.h"
#include "ffebm/block.h"
#include "ffebm/core.h"
#include "ffebm/device.h"
#include "ffebm/energy.h"
#include "ffebm/equilibrium.h"
#include "ffebm/feedforward.h"
#include "ffebm/gradient.h"
#include "ffebm/io.h"
#include "ffebm/ledger.h"
#include "ffebm/loss.h"
#include "ffebm/model.h"
#include "ffebm/optimizer.h"
#include "ffebm/settings.h"
#include "ffebm/tensor.h"
#include "ffebm/version.h"

#endif
