#include <inttypes.h>
#include <stdio.h>

#include "note.h"

int note_read(ffebm_context *context, struct run_note *note, const char *path, struct failure *failure)
{
    char text[128] = "";

    if (ffebm_checkpoint_metadata(context, text, sizeof text, NULL, path, "note") != FFEBM_OK)
        return failure_set(failure, "%s", ffebm_context_error(context));
    if (sscanf(text, "{\"epoch\": %" SCNd64 ", \"seed\": %" SCNd64 "}", &note->epoch, &note->seed) != 2 ||
        note->epoch < 0 || note->seed < 0)
        return failure_set(failure, "%s: its note is %s, expected {\"epoch\": .., \"seed\": ..}", path, text);
    return 0;
}

ffebm_status note_save(ffebm_model *model, const ffebm_optimizer *optimizer, const struct run_note *note,
                       const char *path)
{
    char text[128];

    snprintf(text, sizeof text, "{\"epoch\": %" PRId64 ", \"seed\": %" PRId64 "}", note->epoch, note->seed);
    return ffebm_checkpoint_save(model, optimizer, text, path);
}
