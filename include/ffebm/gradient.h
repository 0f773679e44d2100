/* ffebm/gradient.h - the engine: equilibria and gradients.
 *
 * An engine is the memory for computing on one model: states, tape, and one gradient laid out as the model's
 * parameters. Feedforward blocks contribute exact vector-Jacobian products (VJPs). Energy blocks contribute
 * estimates: settle freely, settle again under a small force along the error from above, read the gradient off the
 * difference (equilibrium propagation, EP: Scellier and Bengio 2017; chained through blocks: Nest and Ernoult 2024,
 * arXiv:2409.03306).
 *
 * The cotangent of an array is the derivative of the loss, or of a scalar of yours, by it. The free state of an energy
 * block is its equilibrium without force. The computing calls are gradient, evaluate, forward, vjp and settle. A
 * stage's free state is that of the last computing call that settled it freely (evaluate, or a forward in slices: of its
 * last slice), or what ffebm_engine_set_state wrote.
 *
 * Creation, ffebm_engine_configure and analysis (analysis.h) allocate; nothing else does.
 */
#ifndef FFEBM_GRADIENT_H
#define FFEBM_GRADIENT_H

#include "model.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Workspace and settings for computing on a model. */
typedef struct ffebm_engine ffebm_engine;

/** How large an engine is, and what it draws. */
typedef struct ffebm_engine_config {
    size_t size;
    size_t max_batch; /* default 128: the largest batch; memory grows with it */
    uint64_t seed;    /* default 0: of what is drawn during computing: random signs, the seeds that your blocks get */
} ffebm_engine_config;

/** Fill an engine configuration with the defaults.
 *
 *  Out: config: written up to `size`.
 *  In:  size:   sizeof *config.
 */
FFEBM_API void ffebm_engine_config_init(ffebm_engine_config *config, size_t size);

/** Create an engine.
 *
 *  Returns: FFEBM_OK:              *engine is owned; every energy block settles as the model's recipe says
 *                                  (ffebm_model_equilibrium): see ffebm_engine_configure with NULL.
 *           FFEBM_ERR_ARGUMENT:    max_batch 0.
 *           FFEBM_ERR_SHAPE:       max_batch so large that sizes overflow.
 *           FFEBM_ERR_STATE:       the model is building: ffebm_model_initialize it, or load values, first.
 *           FFEBM_ERR_UNSUPPORTED: the recipe's settings, as ffebm_engine_configure refuses them; or config has fields set
 *                                  that this library does not know.
 *           FFEBM_ERR_NOMEM:       allocates, all that computing will need.
 *  Out:     engine: NULL on failure.
 *  In/Out:  model:  kept alive; several engines may share it.
 *  In:      config: copied; NULL: defaults.
 */
FFEBM_API ffebm_status ffebm_engine_create(ffebm_engine **engine, ffebm_model *model,
                                           const ffebm_engine_config *config);

/** Destroy an engine.
 *
 *  In: engine: owned, or NULL.
 */
FFEBM_API void ffebm_engine_destroy(ffebm_engine *engine);

/* ---------------------------------------------------------------------------------------------------- settings */

/** Set how one energy block, or every one, settles and is nudged, from the next call on.
 *
 *  Returns: FFEBM_OK:              the whole configuration is replaced.
 *           FFEBM_ERR_ARGUMENT:    a value out of range, a stage that is no energy block, or LOSS with a beta at which a
 *                                  last layer without bounds would run away; the text names it.
 *           FFEBM_ERR_UNSUPPORTED: LOSS anywhere but on the last energy block, in a model without loss, with batch
 *                                  normalisation or a block of yours behind it, or on one of yours without loss_nudging;
 *                                  IMPLICIT on a block of yours without adjoint; or config has fields set that this
 *                                  library does not know.
 *           FFEBM_ERR_NOMEM:       allocates, where the estimator needs more nudged states than those before.
 *  In/Out:  engine: unchanged on failure, in every block.
 *  In:      stage:  an energy stage, or FFEBM_ALL (of none, too), which also replaces what was set for single blocks.
 *           config: copied; to change beta or sweeps during training, change yours and call again. NULL: the recipe's, as
 *                   at first, with LOSS for the last block alone, and beta cut down to what blocks of yours bear. To
 *                   change some of it, change what ffebm_engine_equilibrium gives.
 */
FFEBM_API ffebm_status ffebm_engine_configure(ffebm_engine *engine, size_t stage,
                                              const ffebm_equilibrium_config *config);

/** Read how an energy block settles and is nudged, to be changed and given back to ffebm_engine_configure.
 *
 *  Returns: FFEBM_OK.
 *  In:      engine.
 *  Out:     config: set config->size first. As it was set: AUTO is AUTO, and beta is not yet cut down to what the block
 *                   bears. ffebm_engine_inspect_phase tells what was done.
 *  In:      stage:  of an energy block.
 */
FFEBM_API ffebm_status ffebm_engine_equilibrium(const ffebm_engine *engine, ffebm_equilibrium_config *config,
                                                size_t stage);

/** Set beta alone, of one energy block or of every one, from the next call on.
 *
 *  Returns: FFEBM_OK.
 *           FFEBM_ERR_ARGUMENT: beta not positive or more than the block bears, or a stage that is no energy block.
 *  In/Out:  engine.
 *  In:      stage: an energy stage, or FFEBM_ALL.
 *           beta:  as ffebm_equilibrium_config.beta; for all, cut down to max_beta where a block of yours has one.
 */
FFEBM_API ffebm_status ffebm_engine_set_beta(ffebm_engine *engine, size_t stage, double beta);

/** Set the numbers of sweeps alone, of one energy block or of every one, from the next call on.
 *
 *  Returns: FFEBM_OK.
 *           FFEBM_ERR_ARGUMENT: a number below 1, or a stage that is no energy block.
 *  In/Out:  engine.
 *  In:      stage: an energy stage, or FFEBM_ALL.
 *           free_sweeps, nudged_sweeps: as in ffebm_equilibrium_config.
 */
FFEBM_API ffebm_status ffebm_engine_set_sweeps(ffebm_engine *engine, size_t stage, int64_t free_sweeps,
                                               int64_t nudged_sweeps);

/** Number the next computing call: what is drawn in it depends on the engine's seed and this number alone.
 *
 *  Returns: FFEBM_OK.
 *  In/Out:  engine: counts on from here, by one in every such call that succeeds; from 0 when created.
 *  In:      step:   any value. Set it to your training step, and a resumed run draws what an unbroken one would have.
 */
FFEBM_API ffebm_status ffebm_engine_set_step(ffebm_engine *engine, uint64_t step);

/** Leave out what devices draw anew in each settling, from the next call on.
 *
 *  Returns: FFEBM_OK.
 *           FFEBM_ERR_ARGUMENT: noise is not 0 or 1.
 *  In/Out:  engine: as its devices say (ffebm_device_config.noise) when created.
 *  In:      noise:  1: as the devices say. 0: none; what is fixed in a device stays: certificates then compare gradients on
 *                   the effective parameters.
 */
FFEBM_API ffebm_status ffebm_engine_set_noise(ffebm_engine *engine, int32_t noise);

/** Number the first sample of the next batches: what is drawn for a sample depends on the engine's seed, the number of the
 *  call and the sample's number alone.
 *
 *  Returns: FFEBM_OK.
 *  In/Out:  engine: 0 when created; stays until it is set anew.
 *  In:      number: any value; the samples of a batch count on from here.
 *
 *  For a batch that is cut over several calls, or over ranks (ffebm_context_config): with ffebm_engine_set_step to one step
 *  for all parts, and the place in the whole batch at which a part begins, random signs are those of the batch uncut; so are
 *  the seeds of blocks of yours, if parts begin where slices do (max_batch of the block).
 */
FFEBM_API ffebm_status ffebm_engine_set_first_sample(ffebm_engine *engine, uint64_t number);

/* clang-format off */
enum {                                /* of batch normalisation */
    FFEBM_MODE_TRAINING   = 1,        /* normalise by the batch's statistics */
    FFEBM_MODE_EVALUATION = 2         /* normalise by the running statistics */
};
/* clang-format on */

/** Choose how batch normalisation works, from the next call on.
 *
 *  Returns: FFEBM_OK.
 *  In/Out:  engine: in training mode when created.
 *  In:      mode: FFEBM_MODE_TRAINING or FFEBM_MODE_EVALUATION. Evaluating is always in evaluation mode.
 *
 *  In training mode the running statistics move once in every ffebm_engine_gradient or ffebm_engine_forward that
 *  succeeds, and never otherwise.
 */
FFEBM_API ffebm_status ffebm_engine_set_mode(ffebm_engine *engine, int32_t mode);

/** Let labels stand for less than certainty where gradients are computed, from the next call on.
 *
 *  Returns: FFEBM_OK:           a label c stands for (1 - smoothing) one-hot(c) + smoothing / classes (Szegedy et al.
 *                               2016, arXiv:1512.00567), with either loss.
 *           FFEBM_ERR_ARGUMENT: smoothing is not in [0, 1).
 *  In/Out:  engine:    unchanged on failure.
 *  In:      smoothing: 0 when the engine is created. Certificates and traces smooth as gradients do; ffebm_engine_evaluate
 *                      does not, and targets that are given as values stand for themselves.
 */
FFEBM_API ffebm_status ffebm_engine_set_label_smoothing(ffebm_engine *engine, double smoothing);

/* ----------------------------------------------------------------------------------------------- training */

/* clang-format off */
/** What a gradient or an evaluation found. */
typedef struct ffebm_report {
    size_t  size;
    size_t  batch;            /* samples */
    size_t  correct;          /* samples whose largest output is the label's; 0 where targets are not labels */
    size_t  correct_top5;     /* samples whose label is among the five largest */
    size_t  unconverged;      /* summed over blocks and phases, adjoints too: samples that missed their tolerance */
    size_t  nonfinite;        /* summed over blocks and phases: samples with NaN or infinity */
    size_t  region_changes;   /* summed over blocks: units that a nudge moved into or out of saturation, and pool switches
                                 that it moved */
    double  loss;             /* mean over the batch; from a gradient, with smoothed labels if so set */
    double  gradient_norm;    /* of the flat gradient; 0 from evaluate */
    int64_t sweeps;           /* most that a sample took in a phase */
} ffebm_report;
/* clang-format on */

/** Compute the loss and the gradient of all parameters for one batch.
 *
 *  Returns: FFEBM_OK:              the flat gradient is complete; in training mode running statistics have moved once.
 *           FFEBM_ERR_SHAPE:       input, target or weights do not fit, or the batch exceeds max_batch.
 *           FFEBM_ERR_DTYPE:       input or weights are not of the model's type, or target is neither that nor int64.
 *           FFEBM_ERR_ARGUMENT:    a label outside [0, classes); the text gives its place.
 *           FFEBM_ERR_STATE:       the model has no loss, or a start state is lacking.
 *           FFEBM_ERR_NUMERIC:     NaN or infinity in a state, the loss or the gradient; the text names the stage.
 *           FFEBM_ERR_USER:        a block of yours failed; the text names stage and slot, and has your message.
 *           FFEBM_ERR_CONVERGENCE: samples did not settle and require_convergence is set.
 *           FFEBM_ERR_CANCELLED:   the context's `cancel` asked to stop.
 *           FFEBM_ERR_RANK:        the call failed on another rank, or the context's `reduce` did.
 *  In/Out:  engine:  on failure its flat gradient is unspecified, and ffebm_optimizer_step refuses it.
 *  Out:     report:  NULL if not wanted; on failure as complete as the computation got.
 *  In:      input:   [batch, in...].
 *           target:  labels, int64 [batch]; or [batch, out...] of the model's type.
 *           weights: [batch], a factor for each sample's loss; NULL: ones. The loss is sum_n weights_n l_n / batch.
 *
 *  Free phases up the chain; then, down it, VJPs in feedforward blocks and nudged phases in energy blocks, each of
 *  which hands - (s_0(beta) - s_0(-beta)) / (2 beta), or its estimator's form of it, to the block below, and of its
 *  tapped layers likewise through their taps. Without energy blocks this is backpropagation. The same bits whatever the number of threads.
 */
FFEBM_API ffebm_status ffebm_engine_gradient(ffebm_engine *engine, ffebm_report *report, const ffebm_tensor *input,
                                             const ffebm_tensor *target, const ffebm_tensor *weights);

/** Compute loss and accuracy without gradient, in evaluation mode, and keep every sample's output if wanted.
 *
 *  Returns: as ffebm_engine_gradient, except that a batch above max_batch is cut into slices.
 *  In/Out:  engine: its flat gradient is left alone.
 *  Out:     report: as ffebm_engine_gradient.
 *           output: [batch, out...] of the model's type, in the order of the input; NULL if not wanted. Unspecified on
 *                   failure.
 *  In:      input, target, weights: as ffebm_engine_gradient.
 *
 *  Without targets: ffebm_engine_forward, in evaluation mode and without a ticket.
 */
FFEBM_API ffebm_status ffebm_engine_evaluate(ffebm_engine *engine, ffebm_report *report, ffebm_tensor *output,
                                             const ffebm_tensor *input, const ffebm_tensor *target,
                                             const ffebm_tensor *weights);

/** Get the gradient, contiguous, laid out as ffebm_model_flat_parameters.
 *
 *  Returns: a tensor [element_count], borrowed until the engine is destroyed; between calls yours to read and to write:
 *           sum it over batches, add noise, then step. With the context's `reduce` it is that of all ranks together. One parameter's part: ffebm_parameter_info.offset.
 *           NULL if the model has no parameters.
 *  In:      engine.
 */
FFEBM_API ffebm_tensor *ffebm_engine_flat_gradient(ffebm_engine *engine);

/* ------------------------------------------------------------ a host with its own loss, or a larger network */

/** Compute the output at the free equilibrium.
 *
 *  Returns: FFEBM_OK: in training mode running statistics have moved once.
 *           FFEBM_ERR_SHAPE: also where the batch exceeds max_batch and there is a ticket, or the engine is in training
 *                            mode; else such a batch is cut into slices.
 *           FFEBM_ERR_DTYPE, FFEBM_ERR_STATE, FFEBM_ERR_NUMERIC, FFEBM_ERR_USER, FFEBM_ERR_CONVERGENCE,
 *           FFEBM_ERR_CANCELLED, FFEBM_ERR_RANK: as ffebm_engine_gradient.
 *  In/Out:  engine: with a ticket, keeps what ffebm_engine_vjp needs.
 *  Out:     output: [batch, out...] of the model's type; NULL if not wanted. Unspecified on failure.
 *           ticket: for ffebm_engine_vjp: a number that no other forward of this engine gives, never 0; 0 on failure.
 *                   NULL: there will be none.
 *  In:      input:  [batch, in...].
 */
FFEBM_API ffebm_status ffebm_engine_forward(ffebm_engine *engine, ffebm_tensor *output, uint64_t *ticket,
                                            const ffebm_tensor *input);

/** Pull a cotangent of the output back to the parameters and the input, at the equilibrium of a forward.
 *
 *  Returns: FFEBM_OK:           the flat gradient is sum_n (do_n/dw)^T v_n: a sum over the batch, the gradient of that
 *                               scalar of yours whose derivative by the output is v.
 *           FFEBM_ERR_ARGUMENT: ticket 0, or scale negative or not finite.
 *           FFEBM_ERR_STATE:    the engine no longer has what that forward left: another computing call but vjp,
 *                               ffebm_engine_set_mode or _set_state came in between; or the parameters have changed,
 *                               by the library or by a program that wrote to them (a pass over their bits tells).
 *           Otherwise as ffebm_engine_gradient.
 *  In/Out:  engine: as ffebm_engine_gradient. Keeps the forward, also on failure.
 *  Out:     input_cotangent:  [batch, in...]; NULL if not wanted, which saves a product. Unspecified on failure.
 *  In:      ticket:           of the forward that v belongs to.
 *           output_cotangent: v, [batch, out...].
 *           scale:            0: the batch size. All nudging is linear, with the force - beta * scale * v carried down
 *                             the chain, and the result is divided by scale again: so that beta means what it means in
 *                             ffebm_engine_gradient if v is the derivative of a mean over the batch.
 *
 *  May be called again with another v. An engine remembers one forward: where several wait for their vjp, as in a network
 *  that goes through the model twice, let each have an engine of its own on the same model, and add up the gradients.
 */
FFEBM_API ffebm_status ffebm_engine_vjp(ffebm_engine *engine, ffebm_tensor *input_cotangent, uint64_t ticket,
                                        const ffebm_tensor *output_cotangent, double scale);

/* ------------------------------------------------------------------------------- one energy block, by hand */

/* Which settling, or which state. */
enum {
    FFEBM_PHASE_FREE = 1,  /* without force */
    FFEBM_PHASE_NUDGED = 2 /* under a force; in reports, all nudged settlings of a call together, or the adjoint */
};

/** Settle one energy block alone.
 *
 *  Returns: FFEBM_OK:        the settled state is the stage's free state, or with a force its nudged state.
 *           FFEBM_ERR_STATE: a force, but no free state for this many samples; or tapped layers whose input is of another
 *                            number.
 *           Otherwise as ffebm_engine_forward.
 *  In/Out:  engine: other stages keep their states.
 *  In:      stage:  an energy stage.
 *           input:  x, [batch, in...] of the stage.
 *           force:  [batch, out...] of the stage, held; adds - <force, s_last> to the energy. NULL: free phase.
 *
 *  Without force: by the settings of the free phase. With one: by those of the nudged phase, always from the free
 *  state. EP by hand: settle without force, with - beta * delta and with + beta * delta (delta the derivative of the
 *  loss by s_last), and divide the first ffebm_engine_energy_gradient less the second by 2 beta. Tapped layers have the
 *  input that the last computing call or ffebm_engine_set_input gave them, at first zeros.
 */
FFEBM_API ffebm_status ffebm_engine_settle(ffebm_engine *engine, size_t stage, const ffebm_tensor *input,
                                           const ffebm_tensor *force);

/** Settle an energy block as ffebm_engine_settle does, under a force and springs to its free state: resistors at the outputs
 *  of a circuit.
 *
 *  Returns: As ffebm_engine_settle, and
 *           FFEBM_ERR_ARGUMENT:    stiffness not finite, not 0 without a force, or so far below 0 that an output of a
 *                                  resistive block has no equilibrium.
 *           FFEBM_ERR_UNSUPPORTED: stiffness is not 0, but the block heeds none: one of yours.
 *  In/Out:  engine:    as there.
 *  In:      stage, input, force: likewise.
 *           stiffness: k; the force is less k (s_last - s_last of the free state).
 *
 *  With - beta times the loss's derivative at the free state for a force, and k = beta, that is nudging by the loss mse.
 */
FFEBM_API ffebm_status ffebm_engine_settle_springs(ffebm_engine *engine, size_t stage, const ffebm_tensor *input,
                                                   const ffebm_tensor *force, double stiffness);

/** Compute the largest stable beta of a resistive block. Nudging by the loss mse with - beta takes a conductance of beta from
 *  every output; from this beta on the circuit gives the outputs too little, and there is no nudged state near the free one.
 *
 *  Returns: FFEBM_OK.
 *           FFEBM_ERR_STATE:       the stage has no free state.
 *           FFEBM_ERR_UNSUPPORTED: the block is not resistive: it has no such limit.
 *  In/Out:  engine: no state changes.
 *  Out:     beta:   the smallest eigenvalue of S, the conductance that the outputs see, in siemens: of the circuit with its
 *                   sources and the diodes that conduct held, all nodes but the outputs eliminated. The least over the samples
 *                   of the free state. With four points half of it, since they nudge by twice beta; INFINITY where the
 *                   estimator never nudges by - beta, or where diodes hold all outputs.
 *  In:      stage:  an energy stage.
 *
 *  It is for samples of weight 1. By hand it is, negated, the least stiffness of ffebm_engine_settle_springs. A nudge that
 *  switches diodes off may end the equilibrium below it: reports count such samples as unconverged. Linear nudging has no
 *  limit. docs/math.md, section 15.
 */
FFEBM_API ffebm_status ffebm_engine_stable_beta(ffebm_engine *engine, double *beta, size_t stage);

/** Compute the energy E of each sample, without a force's part, at a state of an energy block.
 *
 *  Returns: FFEBM_OK.
 *           FFEBM_ERR_STATE:    the stage has no such state, or not for this many samples; or as ffebm_engine_settle, of
 *                               tapped layers.
 *           FFEBM_ERR_UNSUPPORTED: a block of yours without the slot `energy`.
 *           FFEBM_ERR_SHAPE, FFEBM_ERR_DTYPE: as ffebm_engine_gradient.
 *           FFEBM_ERR_NUMERIC, FFEBM_ERR_USER: likewise, of a block of yours.
 *  In/Out:  engine:   no state changes.
 *  Out:     energies: [batch] of the model's type. Unspecified on failure.
 *  In:      stage:    an energy stage.
 *           phase:    FFEBM_PHASE_FREE, or FFEBM_PHASE_NUDGED after ffebm_engine_settle with a force.
 *           input:    x, [batch, in...] of the stage.
 */
FFEBM_API ffebm_status ffebm_engine_energy(ffebm_engine *engine, ffebm_tensor *energies, size_t stage, int32_t phase,
                                           const ffebm_tensor *input);

/** Read an input of an energy block: of layer 0 its own, x, of others what their taps gave.
 *
 *  Returns: FFEBM_OK.
 *           FFEBM_ERR_ARGUMENT: a layer without input.
 *           FFEBM_ERR_STATE:    the block has not had one yet.
 *           FFEBM_ERR_SHAPE, FFEBM_ERR_DTYPE: input does not fit.
 *  In:      engine.
 *  Out:     input: [batch, in...] of layer 0, [batch, layer...] of a tapped one, of the model's type: those that the block's
 *                  last settling began with, in a computing call (of the last slice) or by hand, or what
 *                  ffebm_engine_set_input wrote. Unchanged on failure.
 *  In:      stage, layer: as ffebm_engine_get_state.
 *
 *  With it a block deep in a model is settled by hand: forward, then this for ffebm_engine_settle and ffebm_engine_energy.
 */
FFEBM_API ffebm_status ffebm_engine_get_input(const ffebm_engine *engine, ffebm_tensor *input, size_t stage,
                                              size_t layer);

/** Write the input of a tapped layer, for an energy block by hand.
 *
 *  Returns: FFEBM_OK.
 *           FFEBM_ERR_ARGUMENT: a layer without tap; the input of layer 0 is an argument of the calls.
 *           FFEBM_ERR_SHAPE, FFEBM_ERR_DTYPE: input does not fit, or the batch exceeds max_batch.
 *  In/Out:  engine: until the next gradient, evaluate or forward. If the inputs before were of another number of samples,
 *                   those of all other layers are zero now.
 *  In:      stage, layer: as ffebm_engine_get_state.
 *           input: [batch, layer...] of the model's type; copied.
 */
FFEBM_API ffebm_status ffebm_engine_set_input(ffebm_engine *engine, size_t stage, size_t layer,
                                              const ffebm_tensor *input);

/** Compute the derivatives of E by the parameters, and by the input, at a state of an energy block.
 *
 *  Returns: FFEBM_OK:        the stage's part of the flat gradient is mean_n dE/dtheta; the rest is left alone.
 *           FFEBM_ERR_STATE: the stage has no such state; or it is no Hopfield network, and the state was written for
 *                            another number of samples than it had input.
 *           FFEBM_ERR_SHAPE, FFEBM_ERR_DTYPE: input_gradient does not fit.
 *           FFEBM_ERR_NUMERIC, FFEBM_ERR_USER: as ffebm_engine_gradient, of a block of yours; the flat gradient is as
 *                            before.
 *  In/Out:  engine:         whether ffebm_optimizer_step accepts its flat gradient does not change.
 *  Out:     input_gradient: NULL, or [batch, in...] of the model's type: dE/dx of each sample. Unspecified on failure.
 *  In:      stage:          an energy stage.
 *           phase:          as ffebm_engine_energy.
 *
 *  dE/dx of a Hopfield block is - s_0; by the input of a tapped layer, which is not given here, it is that layer, negated. Of
 *  a resistive block it is made of the currents out of its sources.
 */
FFEBM_API ffebm_status ffebm_engine_energy_gradient(ffebm_engine *engine, ffebm_tensor *input_gradient, size_t stage,
                                                    int32_t phase);

/** Read one layer of a state of an energy block.
 *
 *  Returns: FFEBM_OK.
 *           FFEBM_ERR_STATE: the stage has no such state.
 *           FFEBM_ERR_SHAPE, FFEBM_ERR_DTYPE: state does not fit.
 *  In:      engine.
 *  Out:     state: [batch, layer...] of the model's type. Unspecified on failure.
 *  In:      stage, layer: an energy stage, and one of its layer_count layers.
 *           phase: as ffebm_engine_energy.
 */
FFEBM_API ffebm_status ffebm_engine_get_state(const ffebm_engine *engine, ffebm_tensor *state, size_t stage,
                                              size_t layer, int32_t phase);

/** Write one layer of the free state of an energy block: a start state, or a state to take an energy at.
 *
 *  Returns: FFEBM_OK:        if the stage had no free state of this batch, its other layers are zero now. A nudged state
 *                            that it had is forgotten.
 *           FFEBM_ERR_SHAPE, FFEBM_ERR_DTYPE: state does not fit, or the batch exceeds max_batch.
 *  In/Out:  engine.
 *  In:      stage, layer: as ffebm_engine_get_state.
 *           state: [batch, layer...] of the model's type; copied.
 *
 *  A free phase starts from it if the stage is configured with FFEBM_START_STATE.
 */
FFEBM_API ffebm_status ffebm_engine_set_state(ffebm_engine *engine, size_t stage, size_t layer,
                                              const ffebm_tensor *state);

/* --------------------------------------------------------------------------------------------- what happened */

/* clang-format off */
/** How an energy block settled in one phase. */
typedef struct ffebm_phase_report {
    size_t  size;
    size_t  samples;          /* samples that were settled; 0: the phase did not take place */
    size_t  unconverged;      /* of them, how many missed the tolerance; 0 where it is 0 */
    size_t  nonfinite;        /* of them, how many ended in NaN or infinity */
    size_t  region_changes;   /* units, over samples and nudgings, that are saturated in one of nudged and free state only,
                                 or at different bounds, and pool switches that differ (in gradient and vjp): where there
                                 are any, EP is not exact; 0 of an adjoint, which changes no region */
    int64_t sweeps_min;       /* the fewest that a sample took */
    int64_t sweeps_max;       /* the most */
    double  sweeps_mean;      /* on average */
    double  residual_max;     /* largest |s_new - s| / max(|s|, 1e-6) of a layer in a sample's last free sweep; in a nudged
                                 phase |s_new - s| / |s_new - s_free| */
    double  seconds;          /* of the wall clock */
    double  joules;           /* as blocks of yours have told them */
    int64_t retries;          /* that a block of yours has asked for in settle */
    double  relaxation_max;   /* how far the sweep went that went furthest; 1: plain; 0: the block settles by its own means */
} ffebm_phase_report;
/* clang-format on */

/** Report how an energy block settled in the last computing call that settled it, also in one that failed.
 *
 *  Returns: FFEBM_OK.
 *  In:      engine.
 *  Out:     report: set report->size first.
 *  In:      stage:  an energy stage, or FFEBM_ALL for all together.
 *           phase:  FFEBM_PHASE_FREE or FFEBM_PHASE_NUDGED.
 */
FFEBM_API ffebm_status ffebm_engine_inspect_phase(const ffebm_engine *engine, ffebm_phase_report *report, size_t stage,
                                                  int32_t phase);

/** Say in words which energy blocks did not settle in the last call, by how much, and what to do about it.
 *
 *  Returns: FFEBM_OK: *length is the text's; as much as fits is in text, which ends in NUL if capacity > 0. A line a block
 *                     and phase, without a newline at the end; "" where all have settled.
 *  In:      engine.
 *  Out:     text, capacity: NULL and 0 to ask for the length alone.
 *           length:         without NUL, of the whole text; NULL if not wanted.
 */
FFEBM_API ffebm_status ffebm_engine_unsettled(const ffebm_engine *engine, char *text, size_t capacity, size_t *length);

#ifdef __cplusplus
}
#endif
#endif
