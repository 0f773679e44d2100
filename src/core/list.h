/* Lists that grow: an array that moves to a longer one when it is full. */
#ifndef FFEBMI_CORE_LIST_H
#define FFEBMI_CORE_LIST_H

#include <ffebm/core.h>

/* Make room for `more` behind the `count` elements, of `size` bytes each, of a list whose array has *capacity of them.
 * Returns the array: `list`, or one at least twice as long, whose new elements are zero, and `list` is released. So adding
 * one by one takes time in proportion to what is added. NULL without memory: the list is as it was. */
void *ffebmi_list_room(ffebm_context *context, void *list, size_t *capacity, size_t count, size_t more, size_t size);

#endif
