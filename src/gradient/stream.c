#include "gradient/stream.h"

#include "core/random.h"

void ffebmi_stream_begin(ffebmi_stream *stream)
{
    stream->call = ffebmi_random_stream(stream->seed, stream->step);
    stream->draws = 0;
    stream->repetition = 0;
}

ffebm_status ffebmi_stream_end(ffebmi_stream *stream, ffebm_status status)
{
    stream->step += status == FFEBM_OK;
    return status;
}

uint64_t ffebmi_stream_draw(ffebmi_stream *stream)
{
    return ffebmi_random_stream(stream->call, stream->draws++);
}

ffebmi_occasion ffebmi_stream_occasion(const ffebmi_stream *stream)
{
    return (ffebmi_occasion){.seed = stream->seed,
                             .step = stream->step,
                             .first_sample = stream->first_sample,
                             .repetition = stream->repetition,
                             .quiet = stream->quiet};
}

double ffebmi_stream_sign(const ffebmi_stream *stream, size_t sample)
{
    return ffebm_random_uniform(stream->call, stream->first_sample + sample) < 0.5 ? -1 : 1;
}
