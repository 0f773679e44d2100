/* Is standard input a model description? Prints what is wrong with it. */
#include <ffebm.h>
#include <stdio.h>

int main(void)
{
    static char text[1 << 20];
    size_t length = fread(text, 1, sizeof text, stdin);
    ffebm_context *context = NULL;
    ffebm_model *model = NULL;
    int failed = ffebm_context_create(&context, NULL) != FFEBM_OK ||
                 ffebm_model_parse(context, &model, text, length, NULL) != FFEBM_OK ||
                 ffebm_model_initialize(model, 0) != FFEBM_OK;

    if (failed)
        fprintf(stderr, "%s\n", ffebm_context_error(context));
    ffebm_model_destroy(model);
    ffebm_context_destroy(context);
    return failed;
}
