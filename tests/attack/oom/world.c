#include "world.h"

#include <string.h>

#include "failing.h"

void world_expects(world *w, bool holds, const char *what)
{
    if (!holds)
        campaign_finding(w->campaign, "%s: request %ld: %s", w->scenario, failing_requests(), what);
}

static bool once_more(const world *w)
{
    if (w->goes_on)
        failing_end();
    return w->goes_on;
}

bool world_failed(world *w, ffebm_status status)
{
    const char *text = ffebm_context_error(w->s.context);

    if (status != FFEBM_ERR_NOMEM)
        campaign_finding(w->campaign, "%s: request %ld: status %d: %s", w->scenario, failing_requests(), status, text);
    else
        world_expects(w, !w->s.context || strncmp(text, "FFEBM_ERR_NOMEM: ", 17) == 0, text);
    return once_more(w);
}

bool world_unread(world *w, const struct failure *failure)
{
    world_expects(w, failure->text[0] != '\0', "no text");
    return once_more(w);
}
