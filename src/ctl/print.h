/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTL_PRINT_H
#define CTL_PRINT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "columns.h"
#include "steerd/base/text.h"

/*
 * print - replies (docs/control.md) for people.
 *
 * A member that a reply lacks is shown as empty: steerctl may be older or younger than steerd.
 */
void print_status(const json_t *reply, FILE *out, bool use_colour);
void print_explain(const json_t *reply, FILE *out, bool use_colour);
void print_probe(const json_t *reply, FILE *out, bool use_colour);
/* Everything else: message, warnings, lines. */
void print_outcome(const json_t *reply, FILE *out, bool use_colour);

/* Where it goes, and what time it is there. */
struct print_style {
	FILE *out;
	bool use_colour;
	uint64_t now_unix_s;
};

/* The checks of a member's addresses one by one, with their last outcomes; nothing if the reply has none. */
void print_checks(const json_t *pool, const json_t *member, const struct print_style *style);

enum colour print_state_colour(const char *state);
/* Is it there, and not null? */
bool print_has(const json_t *object, const char *key);
/* How long ago; "" if it never was. */
const char *print_span_since(const json_t *object, const char *key, uint64_t now_unix_s,
	char ret_span[static TEXT_DURATION_SIZE]);

/* "" if it is not there. */
const char *print_text(const json_t *object, const char *key);
/* 0 if it is not there. */
uint64_t print_number(const json_t *object, const char *key);

#endif
