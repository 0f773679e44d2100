/* comma.h - a locale with a decimal comma, made for a test that shows that what it looks at does not follow it. */
#ifndef FFEBM_TESTS_SUPPORT_COMMA_H
#define FFEBM_TESTS_SUPPORT_COMMA_H

/* Go into it; and back into that of C, with nothing left behind. */
void comma_begin(void);
void comma_end(void);

#endif
