#include "core/list.h"

#include <string.h>

#include "core/context.h"

void *ffebmi_list_room(ffebm_context *context, void *list, size_t *capacity, size_t count, size_t more, size_t size)
{
    size_t longer = 2 * *capacity > count + more ? 2 * *capacity : count + more;
    void *array;

    if (list != NULL && count + more <= *capacity)
        return list;
    array = ffebmi_allocate(context, longer, size);
    if (array == NULL)
        return NULL;
    if (list != NULL)
        memcpy(array, list, count * size);
    ffebmi_release(context, list);
    *capacity = longer;
    return array;
}
