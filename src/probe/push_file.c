/* SPDX-License-Identifier: Apache-2.0 */
#include "push_file.h"

#include <stdlib.h>
#include <string.h>

#include "steerd/base/memory.h"
#include "steerd/health/verdict.h"

/* What is wrong twenty times is wrong in one way. */
#define MISTAKES_MAX 20

struct parser {
	struct arena *arena;
	struct report *report;
	struct report_place place;
	struct push_entry *entries; /* heap */
	size_t count;
	size_t capacity;
};

bool push_file_is_whole(const char *bytes, size_t size)
{
	return size == 0 || bytes[size - 1] == '\n';
}

static bool is_blank(char octet)
{
	return octet == ' ' || octet == '\t';
}

/* The next word of a line, ended by '\0'; the rest begins at `*at`. */
static char *take_word(char **at)
{
	char *word = *at + strspn(*at, " \t");
	char *end = word + strcspn(word, " \t");

	*at = *end ? end + 1 : end;
	*end = '\0';
	return word;
}

static bool parse_state(const char *word, uint8_t *ret_state)
{
	static const char *const states[] = {
		[VERDICT_UP] = "up",
		[VERDICT_DEGRADED] = "degraded",
		[VERDICT_DOWN] = "down",
	};

	for (uint8_t state = VERDICT_UP; state < COUNT_OF(states); state++)
		if (strcmp(word, states[state]) == 0) {
			*ret_state = state;
			return true;
		}
	return false;
}

/* `line` is a copy of its own, without its end. */
static void parse_line(struct parser *parser, char *line)
{
	struct push_entry entry = {.line = parser->place.line};
	char *at = line;
	const char *address = take_word(&at);

	parser->place.column = (unsigned)(address - line) + 1;
	if (strcmp(address, "*") != 0 && !address_parse(address, &entry.address)) {
		report_error(parser->report, parser->place, "'%s' is no address, nor '*'", address);
		return;
	}

	const char *state = take_word(&at);

	parser->place.column = (unsigned)(state - line) + 1;
	if (state[0] == '\0') {
		report_error(parser->report, parser->place, "no state: up, degraded or down");
		return;
	}
	if (!parse_state(state, &entry.state)) {
		report_error(
			parser->report, parser->place, "'%s' is not up, degraded or down", state);
		return;
	}
	entry.reason = arena_text(parser->arena, at + strspn(at, " \t"));
	parser->entries = MEMORY_GROW(parser->entries, parser->count, &parser->capacity);
	parser->entries[parser->count++] = entry;
}

static void take_line(struct parser *parser, const char *bytes, size_t size)
{
	char line[PUSH_FILE_LINE_MAX + 1];

	parser->place.column = 0;
	if (size > PUSH_FILE_LINE_MAX) {
		report_error(parser->report, parser->place, "a line of more than %d octets",
			PUSH_FILE_LINE_MAX);
		return;
	}
	if (memchr(bytes, '\0', size)) {
		report_error(parser->report, parser->place, "a line with a NUL octet is no text");
		return;
	}
	if (size > 0 && bytes[size - 1] == '\r')
		size--;
	while (size > 0 && is_blank(bytes[size - 1]))
		size--;
	memcpy(line, bytes, size);
	line[size] = '\0';
	if (size > 0 && line[strspn(line, " \t")] != '#')
		parse_line(parser, line);
}

static int compare(const void *a, const void *b)
{
	const struct push_entry *left = a;
	const struct push_entry *right = b;
	int order = address_compare(&left->address, &right->address);

	if (order != 0)
		return order;
	return left->line < right->line ? -1 : left->line > right->line;
}

/* Which of two lines holds is not ours to guess. */
static void refuse_doubles(struct parser *parser)
{
	parser->place.column = 1;
	for (size_t i = 1; i < parser->count; i++) {
		const struct push_entry *first = &parser->entries[i - 1];
		const struct push_entry *second = &parser->entries[i];
		char address[ADDRESS_TEXT_SIZE] = "*";

		if (!address_is_equal(&first->address, &second->address))
			continue;
		if (first->address.family != ADDRESS_NONE)
			address_print(&first->address, address);
		parser->place.line = second->line;
		report_error(parser->report, parser->place, "'%s' again: it is in line %u already",
			address, first->line);
	}
}

static void take_lines(struct parser *parser, const char *bytes, size_t size)
{
	const char *end = bytes + size;

	while (bytes < end && parser->report->error_count < MISTAKES_MAX) {
		const char *newline = memchr(bytes, '\n', (size_t)(end - bytes));
		const char *behind = newline ? newline : end;

		parser->place.line++;
		take_line(parser, bytes, (size_t)(behind - bytes));
		bytes = newline ? newline + 1 : end;
	}
}

bool push_file_parse(const char *bytes, size_t size, const char *path, struct arena *arena,
	struct push_entries *ret_entries, struct report *report)
{
	struct parser parser = {.arena = arena, .report = report, .place = {.path = path}};
	size_t before = report->error_count;

	take_lines(&parser, bytes, size);
	if (parser.count > 0)
		qsort(parser.entries, parser.count, sizeof(parser.entries[0]), compare);
	if (report->error_count == before)
		refuse_doubles(&parser);

	struct push_entry *items = ARENA_ARRAY(arena, struct push_entry, parser.count);

	if (parser.count > 0)
		memcpy(items, parser.entries, parser.count * sizeof(items[0]));
	free(parser.entries);
	if (report->error_count > before)
		return false;
	*ret_entries = (struct push_entries){items, parser.count};
	return true;
}

static const struct push_entry *find_exact(
	const struct push_entries *entries, const struct address *address)
{
	size_t low = 0;
	size_t high = entries->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = address_compare(&entries->items[middle].address, address);

		if (order == 0)
			return &entries->items[middle];
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

const struct push_entry *push_file_find(
	const struct push_entries *entries, const struct address *address)
{
	static const struct address others = {.family = ADDRESS_NONE};
	const struct push_entry *entry = find_exact(entries, address);

	return entry ? entry : find_exact(entries, &others);
}
