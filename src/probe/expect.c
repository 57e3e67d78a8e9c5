/* SPDX-License-Identifier: Apache-2.0 */
#include "expect.h"

#include <string.h>

/* Texts of the configuration are shown so far. */
#define SHOWN 64

bool expect_status(const struct settings_monitor *monitor, long status, struct text *ret_why)
{
	for (size_t i = 0; i < monitor->status_count; i++)
		if (status >= monitor->status[i].first && status <= monitor->status[i].last)
			return true;
	if (monitor->status_count == 0)
		return true; /* none was asked for */

	text_print(ret_why, "status %ld, expected ", status);
	for (size_t i = 0; i < monitor->status_count; i++) {
		text_print(ret_why, "%s%u", i > 0 ? ", " : "", monitor->status[i].first);
		if (monitor->status[i].last != monitor->status[i].first)
			text_print(ret_why, "-%u", monitor->status[i].last);
	}
	return false;
}

bool expect_fields(const struct answer *answer, struct text *ret_why)
{
	const struct settings_monitor *monitor = answer->recipe->monitor;

	for (size_t i = 0; i < monitor->expected_header_count; i++) {
		const struct settings_header *header = &monitor->expected_headers[i];

		switch (answer->fields[i].found) {
		case FIELD_FITS:
			continue;
		case FIELD_ABSENT:
			text_print(ret_why, "no header field %s", header->name);
			return false;
		case FIELD_DIFFERS:
			text_print(ret_why, "%s is '%s', which does not match '%.*s'", header->name,
				answer->fields[i].differing, SHOWN, header->value);
			return false;
		case FIELD_TOO_DEAR:
			text_print(ret_why,
				"regular expression '%.*s' takes too long on %s: given up", SHOWN,
				header->value, header->name);
			return false;
		}
	}
	return true;
}

/* "body does not", or of how much it is known */
static void add_subject(const struct answer *answer, struct text *why)
{
	if (!answer->has_more) {
		text_add(why, "body does not");
	} else {
		text_add(why, "first ");
		answer_print_budget(answer, why);
		text_add(why, " of body do not");
	}
}

static bool holds(const struct answer *answer, const char *wanted)
{
	size_t size = strlen(wanted);

	return size == 0 ||
		(answer->body.size > 0 &&
			memmem(answer->body.bytes, answer->body.size, wanted, size) != NULL);
}

static bool judge_pattern(const struct answer *answer, struct text *why)
{
	const char *expression = answer->recipe->monitor->body_regex;

	switch (pattern_search(answer->recipe->body, answer->body.bytes, answer->body.size)) {
	case PATTERN_MATCHES:
		return true;
	case PATTERN_DIFFERS:
		add_subject(answer, why);
		text_print(why, " match '%.*s'", SHOWN, expression);
		return false;
	case PATTERN_GAVE_UP:
		text_print(why, "regular expression '%.*s' takes too long on this body: given up",
			SHOWN, expression);
		return false;
	}
	return false;
}

static void print_digest(const uint8_t sha256[static 32], struct text *text)
{
	for (size_t i = 0; i < 8; i++)
		text_print(text, "%02x", sha256[i]);
	text_add(text, "...");
}

static bool judge_digest(const struct answer *answer, struct text *why)
{
	const uint8_t *wanted = answer->recipe->monitor->body_sha256;
	uint8_t sha256[32];

	if (answer->has_more) {
		text_add(why, "body is longer than ");
		answer_print_budget(answer, why);
		text_add(why, ": its SHA-256 cannot be told");
		return false;
	}
	if (answer_digest(answer, sha256) && memcmp(sha256, wanted, sizeof(sha256)) == 0)
		return true;
	text_add(why, "SHA-256 of the body is ");
	print_digest(sha256, why);
	text_add(why, ", expected ");
	print_digest(wanted, why);
	return false;
}

bool expect_body(const struct answer *answer, struct text *ret_why)
{
	const struct settings_monitor *monitor = answer->recipe->monitor;

	if (monitor->body && !holds(answer, monitor->body)) {
		add_subject(answer, ret_why);
		text_print(ret_why, " hold '%.*s'", SHOWN, monitor->body);
		return false;
	}
	if (answer->recipe->body && !judge_pattern(answer, ret_why))
		return false;
	return !monitor->body_sha256 || judge_digest(answer, ret_why);
}
