#include "gradient/ticket.h"

#include <inttypes.h>
#include <string.h>

#include "core/context.h"

/* A host may write to parameters without the library knowing. So their bits are summed up: in one pass, word by word in
 * lanes side by side. Each step is a permutation of its lane, so that one word that has changed is always seen. */
static uint64_t stirred(uint64_t lane, uint64_t word)
{
    lane = (lane ^ word) * UINT64_C(0x9E3779B97F4A7C15);
    return lane ^ lane >> 29;
}

static uint64_t fingerprint(const ffebm_engine *engine)
{
    enum { LANES = 4 };
    const char *bytes = engine->model->values;
    size_t count = engine->model->element_count * engine->arrays->element, at = 0;
    uint64_t lanes[LANES] = {1, 2, 3, 4}, words[LANES], sum = 0;

    for (; at + sizeof words <= count; at += sizeof words) {
        memcpy(words, bytes + at, sizeof words);
        for (size_t i = 0; i < LANES; i++)
            lanes[i] = stirred(lanes[i], words[i]);
    }
    memset(words, 0, sizeof words);
    memcpy(words, bytes + at, count - at);
    for (size_t i = 0; i < LANES; i++)
        sum = stirred(sum, stirred(lanes[i], words[i]));
    return sum;
}

uint64_t ffebmi_ticket_give(ffebm_engine *engine)
{
    engine->ticket = ++engine->tickets;
    engine->version = engine->model->version;
    engine->fingerprint = fingerprint(engine);
    return engine->ticket;
}

ffebm_status ffebmi_ticket_check(const ffebm_engine *engine, uint64_t ticket)
{
    ffebm_context *context = engine->context;

    FFEBMI_CHECK_ARGUMENT(context, ticket != 0, "vjp: ticket 0, expected that of a forward");
    FFEBMI_CHECK(context, ticket == engine->tickets, FFEBM_ERR_STATE,
                 "vjp: ticket %" PRIu64 " asked for, the last forward's is %" PRIu64, ticket, engine->tickets);
    FFEBMI_CHECK(context, ticket == engine->ticket, FFEBM_ERR_STATE,
                 "vjp: ticket %" PRIu64 " asked for, but another call has come since that forward", ticket);
    FFEBMI_CHECK(context, engine->version == engine->model->version, FFEBM_ERR_STATE,
                 "vjp: the library has updated the parameters since the forward with ticket %" PRIu64, ticket);
    FFEBMI_CHECK(context, engine->fingerprint == fingerprint(engine), FFEBM_ERR_STATE,
                 "vjp: the parameters have been written to since the forward with ticket %" PRIu64, ticket);
    return FFEBM_OK;
}
