/* ffebm/version.h - which library this is. */
#ifndef FFEBM_VERSION_H
#define FFEBM_VERSION_H

#if !defined(FFEBM_API)
#if defined(__GNUC__)
#define FFEBM_API __attribute__((visibility("default")))
#else
#define FFEBM_API
#endif
#endif

/* Version of these headers; the library's own is ffebm_version(). */
#define FFEBM_VERSION_MAJOR 0
#define FFEBM_VERSION_MINOR 1
#define FFEBM_VERSION_PATCH 0

/* The N of libffebm.so.N. Changes only when a program must be recompiled; independent of the release. */
#define FFEBM_ABI_VERSION 0

#ifdef __cplusplus
extern "C" {
#endif

/** Name the library that is linked in.
 *
 *  Returns: a static string, never NULL: the release, a space, then how it was built, for people and bug reports,
 *           as in "0.1.0 (abi 0, openblas)". Only the part before the space has a fixed form.
 */
FFEBM_API const char *ffebm_version(void);

#ifdef __cplusplus
}
#endif
#endif
