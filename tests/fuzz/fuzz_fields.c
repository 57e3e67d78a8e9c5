/* SPDX-License-Identifier: Apache-2.0 */
/* Covers: src/probe/answer.c src/probe/range.c src/probe/redirect.c */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "answer.h"
#include "redirect.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What a server sends in its head: as lines of it, and the values of those that a check acts on, whatever they are. */
static void add_lines(struct answer *answer, const char *octets, size_t size)
{
	size_t at = 0;

	while (at < size) {
		const char *end = memchr(octets + at, '\n', size - at);
		size_t line = end ? (size_t)(end - octets) + 1 - at : size - at;

		if (!answer_add_line(answer, octets + at, line))
			assert(answer->headers_bytes > ANSWER_HEADERS_MAX);
		at += line;
	}
}

static bool is_text(const char *text, size_t room)
{
	size_t size = strnlen(text, room);

	for (size_t i = 0; i < size; i++)
		if ((unsigned char)text[i] < 0x20 || (unsigned char)text[i] >= 0x7f)
			return false;
	return size < room;
}

static void try_range(const struct answer *answer, const struct settings_monitor *monitor)
{
	const struct range_ask ask = {.size = 100, .first = 7};
	const struct range_ask tail = {.size = 100, .is_tail = true};
	const struct range_answer came = {
		.status = 206, .content_range = answer->content_range, .etag = answer->etag};
	struct range_content content;
	struct check_memory memory = {0};
	struct text why = {0};

	if (range_parse_content(answer->content_range, &content) && !content.is_unsatisfied) {
		assert(content.first <= content.last);
		assert(!content.has_total || content.last < content.total);
	}
	/* right, or it says why not */
	assert(range_judge_head(monitor, &ask, &came, &why) == (why.size == 0));
	text_clear(&why);
	assert(range_judge_head(monitor, &tail, &came, &why) == (why.size == 0));
	text_clear(&why);
	assert(range_judge_etag(monitor, &memory, &came, &why));
	assert(is_text(memory.etag, sizeof(memory.etag)));
	text_done(&why);
}

/* Wherever it says, nothing but that one host is gone to. */
static void try_redirect(const struct answer *answer, const struct settings_monitor *monitor)
{
	struct hop first;
	struct hop next;
	struct text why = {0};

	redirect_begin(monitor, &first);
	if (redirect_follow(monitor, &first, 1, answer->location, &next, &why)) {
		assert(strcmp(next.host, "dl.files.example") == 0 && next.is_own);
		assert(next.is_tls);
		assert(strncmp(next.url.bytes, "https://dl.files.example:", 25) == 0);
		hop_done(&next);
	} else {
		assert(why.size > 0);
	}
	hop_done(&first);
	text_done(&why);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct settings_header expected = {"X-Cache", "^HIT"};
	const struct settings_monitor monitor = {
		.kind = KIND_HTTPS,
		.host = "dl.files.example",
		.path = "/health",
		.port = 443,
		.redirect_host = "dl.files.example",
		.expected_headers = &expected,
		.expected_header_count = 1,
	};
	struct err err;
	struct recipe *recipe = recipe_new(&monitor, NULL, &err);
	struct answer answer;
	struct text note = {0};

	answer_init(&answer, recipe);
	answer.keeps_all = true;
	add_lines(&answer, (const char *)data, size);
	answer_print_caches(&answer, &note);
	assert(note.size == 0 || is_text(note.bytes, note.size + 1));
	try_range(&answer, &monitor);
	try_redirect(&answer, &monitor);
	text_done(&note);
	answer_done(&answer);
	recipe_drop(recipe);
	return 0;
}
