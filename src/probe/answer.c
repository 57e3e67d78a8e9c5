/* SPDX-License-Identifier: Apache-2.0 */
#include "answer.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "steerd/base/memory.h"

/* Fields that a check makes something of. */
static const struct {
	const char *name;
	size_t at;
	size_t size;
} kept[] = {
#define KEPT(name, field)                                                                          \
	{                                                                                          \
		name, offsetof(struct answer, field), sizeof(((struct answer *)0)->field)          \
	}
	KEPT("ETag", etag),
	KEPT("Content-Range", content_range),
	KEPT("Age", age),
	KEPT("X-Cache", cache),
	KEPT("CF-Cache-Status", cache),
	KEPT("Cache-Status", cache), /* RFC 9211 */
	KEPT("Via", via),
	KEPT("Location", location),
#undef KEPT
};

static uint64_t budget_of(const struct settings_monitor *monitor)
{
	if (monitor->range_bytes > 0)
		return monitor->range_bytes;
	return monitor->body_bytes > 0 ? monitor->body_bytes : ANSWER_BODY_MAX;
}

static bool wants_text(const struct answer *answer)
{
	const struct settings_monitor *monitor = answer->recipe->monitor;

	return monitor->range_bytes == 0 && (monitor->body || answer->recipe->body);
}

void answer_init(struct answer *answer, const struct recipe *recipe)
{
	const struct settings_monitor *monitor = recipe->monitor;

	*answer = (struct answer){.recipe = recipe, .body_max = budget_of(monitor)};
	answer->fields =
		memory_new((monitor->expected_header_count + 1) * sizeof(answer->fields[0]));
	if (monitor->range_bytes > 0 ? !monitor->range_sha256 : !monitor->body_sha256)
		return;
	answer->digest = EVP_MD_CTX_new();
	if (!answer->digest || EVP_DigestInit_ex(answer->digest, EVP_sha256(), NULL) != 1)
		abort(); /* out of memory, as base/memory.c would say */
}

void answer_done(struct answer *answer)
{
	EVP_MD_CTX_free(answer->digest);
	text_done(&answer->body);
	text_done(&answer->all);
	free(answer->fields);
}

void answer_reset(struct answer *answer)
{
	const struct recipe *recipe = answer->recipe;
	bool keeps_all = answer->keeps_all;

	answer_done(answer);
	answer_init(answer, recipe);
	answer->keeps_all = keeps_all;
}

/* ---- header fields ---- */

/* A block begins: an answer may come after others of status 1xx, whose fields are not its own. */
static void begin_block(struct answer *answer)
{
	for (size_t i = 0; i < COUNT_OF(kept); i++)
		((char *)answer)[kept[i].at] = '\0';
	for (size_t i = 0; i < answer->recipe->monitor->expected_header_count; i++)
		answer->fields[i] = (struct answer_field){FIELD_ABSENT, ""};
	answer->length[0] = '\0';
	answer->has_two_lengths = false;
	answer->is_open = true;
	text_clear(&answer->all);
}

/* From the network: what is no text is not taken for some. */
static void copy_clean(char *to, size_t room, const char *value, size_t size)
{
	size_t count = size < room ? size : room - 1;

	for (size_t i = 0; i < count; i++) {
		unsigned char octet = (unsigned char)value[i];

		to[i] = octet < 0x20 || octet >= 0x7f ? '?' : value[i];
	}
	to[count] = '\0';
}

static bool is_name(const char *name, size_t size, const char *wanted)
{
	return strlen(wanted) == size && strncasecmp(name, wanted, size) == 0;
}

/* Where a field comes more than once, one that fits is enough. */
static void expect_field(struct answer *answer, size_t which, const char *value, size_t size)
{
	static const enum answer_found of_result[] = {
		[PATTERN_MATCHES] = FIELD_FITS,
		[PATTERN_DIFFERS] = FIELD_DIFFERS,
		[PATTERN_GAVE_UP] = FIELD_TOO_DEAR,
	};
	const struct pattern *pattern = answer->recipe->headers[which];
	struct answer_field *field = &answer->fields[which];

	if (field->found == FIELD_FITS)
		return;
	field->found = pattern ? of_result[pattern_search(pattern, value, size)] : FIELD_FITS;
	if (field->found == FIELD_DIFFERS)
		copy_clean(field->differing, sizeof(field->differing), value, size);
}

/* libcurl takes the last of several: one that another reader of the answer would not take. */
static void take_length(struct answer *answer, const char *value, size_t size)
{
	char length[sizeof(answer->length)];

	copy_clean(length, sizeof(length), value, size);
	if (answer->length[0] != '\0' && strcmp(answer->length, length) != 0)
		answer->has_two_lengths = true;
	memcpy(answer->length, length, sizeof(length));
}

static void take_field(
	struct answer *answer, const char *name, size_t name_size, const char *value, size_t size)
{
	const struct settings_monitor *monitor = answer->recipe->monitor;

	for (size_t i = 0; i < COUNT_OF(kept); i++)
		if (is_name(name, name_size, kept[i].name))
			copy_clean((char *)answer + kept[i].at, kept[i].size, value, size);
	if (is_name(name, name_size, "Content-Length"))
		take_length(answer, value, size);
	for (size_t i = 0; i < monitor->expected_header_count; i++)
		if (is_name(name, name_size, monitor->expected_headers[i].name))
			expect_field(answer, i, value, size);
	if (!answer->keeps_all)
		return;
	text_add_bytes(&answer->all, name, name_size);
	text_add_bytes(&answer->all, "", 1);
	for (size_t i = 0; i < size; i++)
		text_add_bytes(&answer->all, value[i] == '\0' ? "?" : value + i, 1);
	text_add_bytes(&answer->all, "", 1);
}

/* "HTTP/1.1 200 OK", "HTTP/2 200": libcurl has seen to it that there is a number. */
static long status_of(const char *line, size_t size)
{
	const char *digit = memchr(line, ' ', size);
	long status = 0;

	for (int i = 1; digit && i <= 3 && digit + i < line + size; i++)
		if (digit[i] >= '0' && digit[i] <= '9')
			status = status * 10 + (digit[i] - '0');
	return status;
}

bool answer_add_line(struct answer *answer, const char *line, size_t size)
{
	const char *colon = memchr(line, ':', size);

	answer->headers_bytes += size;
	if (answer->headers_bytes > ANSWER_HEADERS_MAX)
		return false;
	if (size >= 5 && memcmp(line, "HTTP/", 5) == 0) {
		begin_block(answer);
		answer->status = status_of(line, size);
		return true;
	}
	if (line[0] == '\r' || line[0] == '\n')
		answer->is_open = false;
	if (!colon)
		return true; /* the empty line, or nonsense */

	const char *value = colon + 1;
	const char *end = line + size;

	while (value < end && (*value == ' ' || *value == '\t'))
		value++;
	while (end > value && (end[-1] == '\n' || end[-1] == '\r' || end[-1] == ' '))
		end--;
	take_field(answer, line, (size_t)(colon - line), value, (size_t)(end - value));
	return true;
}

/* ---- body ---- */

bool answer_add_body(struct answer *answer, const char *bytes, size_t size, uint64_t now_us)
{
	const struct settings_monitor *monitor = answer->recipe->monitor;
	uint64_t room = answer->body_max - answer->body_bytes;
	size_t used = size < room ? size : (size_t)room;

	if (wants_text(answer))
		text_add_bytes(&answer->body, bytes, used);
	if (answer->digest)
		EVP_DigestUpdate(answer->digest, bytes, used);
	if (monitor->range_bytes > 0)
		range_measure(&answer->meter, monitor->warm_up_bytes, used, now_us);
	answer->body_bytes += used;
	answer->has_more = used < size;
	return !answer->has_more;
}

bool answer_digest(const struct answer *answer, uint8_t ret_sha256[static 32])
{
	EVP_MD_CTX *copy;
	bool done;

	if (!answer->digest)
		return false;
	copy = EVP_MD_CTX_new();
	done = copy && EVP_MD_CTX_copy_ex(copy, answer->digest) == 1 &&
		EVP_DigestFinal_ex(copy, ret_sha256, NULL) == 1;
	EVP_MD_CTX_free(copy);
	return done;
}

void answer_print_budget(const struct answer *answer, struct text *ret_text)
{
	text_size(ret_text, answer->body_max);
}

void answer_print_caches(const struct answer *answer, struct text *ret_note)
{
	const struct {
		const char *before;
		const char *value;
		const char *behind;
	} words[] = {
		{"", answer->cache, ""}, {"age ", answer->age, " s"}, {"via ", answer->via, ""}};

	for (size_t i = 0; i < COUNT_OF(words); i++)
		if (words[i].value[0] != '\0')
			text_print(ret_note, "%s%s%s%s", ret_note->size > 0 ? ", " : "",
				words[i].before, words[i].value, words[i].behind);
}
