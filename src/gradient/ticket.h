/* Tickets: which forward a vjp belongs to, and whether the engine still has what that forward left. */
#ifndef FFEBMI_GRADIENT_TICKET_H
#define FFEBMI_GRADIENT_TICKET_H

#include "gradient/engine.h"

/* The tape and the free states are those of a forward that has just succeeded: its ticket, never 0. Whatever else moves
 * them sets engine->ticket to 0. */
uint64_t ffebmi_ticket_give(ffebm_engine *engine);

/* FFEBM_ERR_STATE unless this is the ticket of the last forward, nothing has been computed since, and the parameters have
 * the same bits. */
ffebm_status ffebmi_ticket_check(const ffebm_engine *engine, uint64_t ticket);

#endif
