/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "steerd/base/err.h"
#include "steerd/base/text.h"

/*
 * file - whole files in and out of memory.
 *
 * Files of operators are read, never mapped: a `cp` over a mapped file is a SIGBUS.
 */

/* Reads a regular file into `ret_text`, which starts empty; the caller ends it with text_done(). */
bool file_read(const char *path, size_t max_bytes, struct text *ret_text, struct err *err);

/* Puts the bytes at `path` so that a reader, or a crash at any moment, sees the old file or the new one:
 * written beside it, synchronised, renamed.  `mode` is before the umask. */
#define FILE_MODE 0640
bool file_replace(const char *path, unsigned mode, const void *bytes, size_t size, struct err *err);

/* `path` itself when it begins with '/', else DIRECTORY-OF(`base_file`)/`path`; the caller frees it. */
char *file_path_beside(const char *base_file, const char *path);

#endif
