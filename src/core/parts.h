/* What a build has besides the C library. FFEBM_STANDALONE leaves out what is not always there: CBLAS, instruction sets, and
 * cJSON, unless its header lies beside the sources or FFEBM_CJSON_HEADER names it. FFEBM_NO_THREADS leaves out threads, and
 * with them POSIX; what is left is ISO C, but for checkpoints. */
#ifndef FFEBMI_CORE_PARTS_H
#define FFEBMI_CORE_PARTS_H

#if !defined(FFEBM_CJSON_HEADER) && !defined(FFEBM_STANDALONE)
#define FFEBM_CJSON_HEADER <cjson/cJSON.h>
#elif !defined(FFEBM_CJSON_HEADER) && defined(__has_include)
#if __has_include("cJSON.h")
#define FFEBM_CJSON_HEADER "cJSON.h"
#endif
#endif

#ifdef FFEBM_CJSON_HEADER
#define FFEBMI_WITH_JSON /* model descriptions and checkpoints */
#endif

#ifndef FFEBM_STANDALONE
#define FFEBMI_WITH_CBLAS
#endif

#if !defined(FFEBM_STANDALONE) && defined(__x86_64__) && defined(__GNUC__)
#define FFEBMI_X86
#endif

#ifndef FFEBM_NO_THREADS
#define FFEBMI_WITH_THREADS
#elif !defined(FFEBM_STANDALONE)
#error "libffebm: FFEBM_NO_THREADS is for builds with FFEBM_STANDALONE: a CBLAS may have threads of its own"
#endif

#endif
