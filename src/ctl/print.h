/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTL_PRINT_H
#define CTL_PRINT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/*
 * print - replies (docs/control.md) for people.
 *
 * A member that a reply lacks is shown as empty: steerctl may be older or younger than steerd.
 */
void print_status(const json_t *reply, FILE *out, bool use_colour);
void print_explain(const json_t *reply, FILE *out, bool use_colour);
/* Everything else: message, warnings, lines. */
void print_outcome(const json_t *reply, FILE *out, bool use_colour);

/* "" if it is not there. */
const char *print_text(const json_t *object, const char *key);
/* 0 if it is not there. */
uint64_t print_number(const json_t *object, const char *key);

#endif
