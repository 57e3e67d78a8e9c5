/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROL_COMMAND_H
#define CONTROL_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "steerd/base/err.h"

/*
 * command - what can be said to steerd: one table of commands, one of arguments.
 *
 * steerctl reads its command line by them, prints its help and its manual page from them; steerd checks requests by
 * them.  What is not in the tables cannot be said.
 */
enum command_id {
	COMMAND_STATUS,
	COMMAND_EXPLAIN,
	COMMAND_CHECK,
	COMMAND_RELOAD,
	COMMAND_DRAIN,
	COMMAND_UNDRAIN,
	COMMAND_FORCE,
	COMMAND_RELEASE,
	COMMAND_RETURN,
	COMMAND_PROBE,
	COMMAND_PUSH,
	COMMAND_METRICS,
	COMMAND_STOP,
	COMMAND_COUNT
};

enum argument_id {
	ARGUMENT_NONE, /* ends a command's list */
	ARGUMENT_SUBJECT,
	ARGUMENT_NAME,
	ARGUMENT_TYPE,
	ARGUMENT_STATE,
	ARGUMENT_HEALTH,
	ARGUMENT_CLIENT,
	ARGUMENT_REASON,
	ARGUMENT_FOR,
	ARGUMENT_MONITOR,
	ARGUMENT_FORCE,
	ARGUMENT_COUNT
};

enum argument_kind {
	ARGUMENT_TEXT,
	ARGUMENT_DURATION, /* "2h" on a command line, seconds in a request */
	ARGUMENT_FLAG,
};

struct argument {
	const char *key; /* in a request; as an option "--key" */
	enum argument_kind kind;
	bool is_option;	   /* else it stands by its position */
	uint16_t size_max; /* octets of a text */
	const char *shown; /* "SUBJECT" */
	const char *help;  /* one line */
};

extern const struct argument argument_table[ARGUMENT_COUNT];

#define COMMAND_ARGUMENTS_MAX 5

struct command {
	const char *name;
	const char *summary;  /* one line */
	const char *about;    /* a few lines, each ends with '\n' */
	const char *examples; /* command lines, each ends with '\n' */
	struct {
		enum argument_id id;
		bool is_required;
	} arguments[COMMAND_ARGUMENTS_MAX]; /* those by position first, in order */
};

extern const struct command command_table[COMMAND_COUNT];

/* COMMAND_COUNT if there is none of that name. */
enum command_id command_find(const char *name);

/* "status [SUBJECT]" */
#define COMMAND_USAGE_SIZE 128
void command_usage(enum command_id id, char ret_text[static COMMAND_USAGE_SIZE]);

/* What ARGUMENT_STATE and ARGUMENT_HEALTH may be: both ends ask here, so that a slip is told where it was typed.
 * True for every other argument. */
bool command_check_word(enum argument_id id, const char *text, struct err *err);

#define COMMAND_DURATION_MAX_S (3650 * 86400) /* ten years; for ever is said by saying nothing */
/* "90", "90s", "15min", "2h", "7d": seconds, 1 to ten years. */
bool command_parse_duration(const char *text, uint64_t *ret_seconds, struct err *err);

#endif
