/* ffebm/io.h - checkpoints: safetensors files that hold a model's description, its values, and an optimizer's.
 *
 * Tensors stand under their parameter's name ("stage1.0.weight"), optimizer state under "optimizer.". The description
 * stands under __metadata__.model, your own note under __metadata__.note. Any safetensors reader can read them.
 *
 * Files are untrusted: whatever their bytes are, reading one ends in a status. Opening a file reads its header and the
 * tensors asked for, no more. The JSON parser's memory is malloc's, as in ffebm_model_parse.
 */
#ifndef FFEBM_IO_H
#define FFEBM_IO_H

#include "model.h"
#include "optimizer.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Save a checkpoint to a file, so that at every moment, whatever happens, the old or the new one is there whole.
 *
 *  Returns: FFEBM_OK:           it is on the disk.
 *           FFEBM_ERR_STATE:    the model is building.
 *           FFEBM_ERR_ARGUMENT: an optimizer of another model, or a note that is not UTF-8 or too long for a header.
 *           FFEBM_ERR_NUMERIC:  NaN or infinity in a parameter or in the optimizer; the text names it. It could not be
 *                               read back, and does not take the place of what can.
 *           FFEBM_ERR_IO:       the text gives the system's reason; the file at path is as before, unless the text says
 *                               that it is written and only its directory could not be synced.
 *           FFEBM_ERR_NOMEM:    allocates.
 *  In/Out:  model:     unchanged, but its description is made if need be.
 *  In:      optimizer: of this model; NULL: left out.
 *           note:      text of yours, say JSON with the position in the epoch; NULL: none.
 *           path:      written as a temporary file beside it ("<path>.<process>-<n>.tmp"), synced, renamed. What is
 *                      there already must be a regular file; its permissions are kept.
 */
FFEBM_API ffebm_status ffebm_checkpoint_save(ffebm_model *model, const ffebm_optimizer *optimizer, const char *note,
                                             const char *path);

/** Take `count` bytes of a checkpoint, in order. Return 0, or another value to stop. */
typedef int32_t (*ffebm_write_fn)(void *user, const void *bytes, size_t count);

/** Write a checkpoint through a function of yours.
 *
 *  Returns: as ffebm_checkpoint_save; FFEBM_ERR_IO where write returned non-zero: what it took so far is of no use.
 *  In/Out:  model: as ffebm_checkpoint_save.
 *  In:      optimizer, note: as ffebm_checkpoint_save.
 *           write, user: called on the caller's thread, the header first; may not use the model's context.
 */
FFEBM_API ffebm_status ffebm_checkpoint_write(ffebm_model *model, const ffebm_optimizer *optimizer, const char *note,
                                              ffebm_write_fn write, void *user);

/** Rebuild a model from a checkpoint file, with its values.
 *
 *  Returns: FFEBM_OK:              *model is owned, and ready.
 *           FFEBM_ERR_IO:          cannot be read; the text gives the system's reason.
 *           FFEBM_ERR_FORMAT:      not a checkpoint, truncated, a tensor is missing or has a value that is not finite,
 *                                  or there is one for a stage that the model lacks; the text names it.
 *           FFEBM_ERR_SHAPE, FFEBM_ERR_DTYPE: a tensor is of another shape, or neither F32 nor F64; the text names it.
 *           FFEBM_ERR_PARSE, FFEBM_ERR_SHAPE: its description, as ffebm_model_parse.
 *           FFEBM_ERR_NOMEM:       allocates.
 *  In:      context.
 *  Out:     model: NULL on failure.
 *  In:      path.
 */
FFEBM_API ffebm_status ffebm_checkpoint_load(ffebm_context *context, ffebm_model **model, const char *path);

/** Read a checkpoint file into a model, and an optimizer, that you have built: to resume a run.
 *
 *  Returns: FFEBM_OK:         values are those of the file, converted where one is float32 and the other float64; a
 *                             model that was building is ready.
 *           FFEBM_ERR_FORMAT: as ffebm_checkpoint_load, or the file has no state for this optimizer's algorithm.
 *           FFEBM_ERR_SHAPE, FFEBM_ERR_DTYPE: a tensor does not fit the model; the text names it.
 *           FFEBM_ERR_STATE, FFEBM_ERR_SHAPE: a model that was building cannot be ready, as ffebm_model_initialize.
 *           FFEBM_ERR_ARGUMENT: the optimizer is of another model.
 *           FFEBM_ERR_IO:     cannot be read.
 *           FFEBM_ERR_NOMEM:  allocates: the values once more, while it runs.
 *  In/Out:  model, optimizer: both unchanged on failure. optimizer: NULL: the file's, if any, is ignored. Its moments
 *                   and step count are restored; learning rate and multipliers are settings, and stay as you set them.
 *  In:      path.
 *
 *  The file's description is not read: names and shapes of the parameters have to agree. Tensors under names that are
 *  none of this library's are ignored.
 */
FFEBM_API ffebm_status ffebm_checkpoint_restore(ffebm_model *model, ffebm_optimizer *optimizer, const char *path);

/** Read a checkpoint from memory into a model, and an optimizer, that you have built.
 *
 *  Returns: as ffebm_checkpoint_restore.
 *  In/Out:  model, optimizer: as ffebm_checkpoint_restore.
 *  In:      bytes, length: a whole checkpoint.
 */
FFEBM_API ffebm_status ffebm_checkpoint_read(ffebm_model *model, ffebm_optimizer *optimizer, const void *bytes,
                                             size_t length);

/** Read one text from the __metadata__ of a safetensors file: your note, or a model's description.
 *
 *  Returns: FFEBM_OK:            *length is the text's; as much as fits is in text, which ends in NUL if capacity > 0.
 *           FFEBM_ERR_NOT_FOUND: no such key.
 *           FFEBM_ERR_IO, FFEBM_ERR_FORMAT, FFEBM_ERR_NOMEM: not readable, not a safetensors file, allocates.
 *  In:      context.
 *  Out:     text, capacity: NULL and 0 to ask for the length alone. "" on failure.
 *           length: without NUL, of the whole text; 0 on failure; NULL if not wanted.
 *  In:      path.
 *           key: "note", "model", or any other.
 */
FFEBM_API ffebm_status ffebm_checkpoint_metadata(ffebm_context *context, char *text, size_t capacity, size_t *length,
                                                 const char *path, const char *key);

/** Read one tensor of a safetensors file.
 *
 *  Returns: FFEBM_OK:            *tensor is owned, of the file's shape and type.
 *           FFEBM_ERR_NOT_FOUND: no such tensor.
 *           FFEBM_ERR_DTYPE:     neither F32, F64 nor I64.
 *           FFEBM_ERR_SHAPE:     no shape of a tensor, as ffebm_tensor_create.
 *           FFEBM_ERR_IO, FFEBM_ERR_FORMAT, FFEBM_ERR_NOMEM: as ffebm_checkpoint_metadata.
 *  In:      context.
 *  Out:     tensor: NULL on failure.
 *  In:      path.
 *           name: as in the file.
 *
 *  A scalar, of shape [] in the file, becomes [1]. Values are taken as they are, NaN too.
 */
FFEBM_API ffebm_status ffebm_checkpoint_tensor(ffebm_context *context, ffebm_tensor **tensor, const char *path,
                                               const char *name);

#ifdef __cplusplus
}
#endif
#endif
