/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROL_JSON_H
#define CONTROL_JSON_H

#include <jansson.h>
#include <stdint.h>

#include "steerd/base/err.h"
#include "steerd/base/text.h"

/*
 * json - jansson with the two habits of this project: memory is always there, and what is not known is null.
 */

/* Takes `value`; NULL (out of memory) ends the process. */
void json_put(json_t *object, const char *key, json_t *value);
void json_push(json_t *array, json_t *value);
/* NULL gives null; octets that are no UTF-8 are shown as '?'. */
void json_put_text(json_t *object, const char *key, const char *text);
void json_push_text(json_t *array, const char *text);
/* A line as printf() makes it, of at most 1,023 octets. */
void json_push_line(json_t *array, const char *fmt, ...) PRINTF_LIKE(2, 3);
void json_put_number(json_t *object, const char *key, uint64_t number);
/* 0 means that it never happened: null. */
void json_put_time(json_t *object, const char *key, uint64_t unix_s);

/* Adds the text of `json`. */
void json_write(const json_t *json, size_t flags, struct text *ret_text);

#endif
