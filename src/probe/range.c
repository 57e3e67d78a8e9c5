/* SPDX-License-Identifier: Apache-2.0 */
#include "range.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "steerd/base/memory.h"

#define DAY_S 86400

/* ---- what is asked ---- */

/* Uniform enough: a file of any size, by the 64 bits of a random number. */
static uint64_t anywhere(struct random *random, uint64_t places)
{
	return (uint64_t)((unsigned __int128)random_next(random) * places >> 64);
}

static void choose_tail(uint64_t total, struct range_ask *ask)
{
	ask->is_tail = total == 0;
	ask->first = total > ask->size ? total - ask->size : 0;
}

void range_choose(const struct settings_monitor *monitor, struct check_memory *memory,
	struct random *random, struct range_ask *ret_ask)
{
	static const struct settings_position head = {.kind = POSITION_HEAD};
	uint64_t total =
		monitor->range_total_bytes > 0 ? monitor->range_total_bytes : memory->total_bytes;
	const struct settings_position *position = monitor->position_count == 0
		? &head
		: &monitor->positions[memory->turn++ % monitor->position_count];
	struct range_ask ask = {.size = monitor->range_bytes};

	switch (position->kind) {
	case POSITION_HEAD:
		break;
	case POSITION_TAIL:
		choose_tail(total, &ask);
		break;
	case POSITION_RANDOM: /* before the size is known, the head tells it */
		if (total > ask.size)
			ask.first = anywhere(random, total - ask.size + 1);
		break;
	case POSITION_FIXED:
		ask.first = position->offset;
		break;
	}
	*ret_ask = ask;
}

void range_print(const struct range_ask *ask, struct text *ret_text)
{
	if (ask->is_tail)
		text_print(ret_text, "-%" PRIu64, ask->size);
	else
		text_print(
			ret_text, "%" PRIu64 "-%" PRIu64, ask->first, ask->first + ask->size - 1);
}

/* ---- Content-Range ---- */

static bool read_number(const char **at, uint64_t *ret_number)
{
	uint64_t number = 0;
	const char *digit = *at;

	for (; *digit >= '0' && *digit <= '9'; digit++) {
		uint64_t value = (uint64_t)(*digit - '0');

		if (number > (UINT64_MAX - value) / 10)
			return false;
		number = number * 10 + value;
	}
	if (digit == *at)
		return false;
	*at = digit;
	*ret_number = number;
	return true;
}

static bool read_mark(const char **at, char mark)
{
	if (**at != mark)
		return false;
	(*at)++;
	return true;
}

/* "0-499/1234", "0-499/" and a star, or a star and "/1234" */
bool range_parse_content(const char *text, struct range_content *ret_content)
{
	struct range_content content = {0};
	const char *at = text;

	if (strncasecmp(at, "bytes ", 6) != 0)
		return false;
	at += 6;
	content.is_unsatisfied = read_mark(&at, '*');
	if (!content.is_unsatisfied &&
		(!read_number(&at, &content.first) || !read_mark(&at, '-') ||
			!read_number(&at, &content.last)))
		return false;
	if (!read_mark(&at, '/'))
		return false;
	content.has_total = !read_mark(&at, '*');
	if (content.has_total && !read_number(&at, &content.total))
		return false;
	if (*at != '\0' || (content.is_unsatisfied && !content.has_total))
		return false;
	if (!content.is_unsatisfied &&
		(content.first > content.last ||
			(content.has_total && content.last >= content.total)))
		return false;
	*ret_content = content;
	return true;
}

/* ---- what came ---- */

static void describe_refusal(
	const struct range_ask *ask, const struct range_answer *answer, struct text *why)
{
	struct range_content content;

	text_add(why, "range ");
	range_print(ask, why);
	if (range_parse_content(answer->content_range, &content) && content.is_unsatisfied)
		text_print(why, " refused: the file has %" PRIu64 " octets", content.total);
	else
		text_add(why, " refused with status 416");
}

static bool judge_status(
	const struct range_ask *ask, const struct range_answer *answer, struct text *why)
{
	if (answer->status == 206)
		return true;
	if (answer->status == 200)
		text_add(why, "answers 200 to a range: downloads cannot be resumed");
	else if (answer->status == 416)
		describe_refusal(ask, answer, why);
	else
		text_print(why, "status %ld, expected 206", answer->status);
	return false;
}

/* What must come, now that the file's size is known: a slice ends with the file. */
static void wanted_slice(const struct range_ask *ask, const struct range_content *content,
	uint64_t *ret_first, uint64_t *ret_last)
{
	*ret_first = ask->first;
	*ret_last = ask->first + ask->size - 1;
	if (!content->has_total)
		return;
	if (ask->is_tail)
		*ret_first = content->total > ask->size ? content->total - ask->size : 0;
	if (ask->is_tail || *ret_last >= content->total)
		*ret_last = content->total - 1;
}

static bool judge_slice(
	const struct range_ask *ask, const struct range_content *content, struct text *why)
{
	uint64_t first;
	uint64_t last;

	/* the last octets of who knows how many: their number is all that can be compared */
	if (ask->is_tail && !content->has_total) {
		if (content->last - content->first < ask->size)
			return true;
	} else {
		wanted_slice(ask, content, &first, &last);
		if (content->first == first && content->last == last)
			return true;
	}
	text_add(why, "range ");
	range_print(ask, why);
	text_print(
		why, " was asked for, %" PRIu64 "-%" PRIu64 " came", content->first, content->last);
	return false;
}

static bool judge_total(const struct settings_monitor *monitor, const struct range_content *content,
	struct text *why)
{
	if (monitor->range_total_bytes == 0 ||
		(content->has_total && content->total == monitor->range_total_bytes))
		return true;
	if (content->has_total)
		text_print(why, "the file has %" PRIu64 " octets, expected %" PRIu64,
			content->total, monitor->range_total_bytes);
	else
		text_add(why, "Content-Range does not tell the size of the file");
	return false;
}

bool range_judge_head(const struct settings_monitor *monitor, const struct range_ask *ask,
	const struct range_answer *answer, struct text *ret_why)
{
	struct range_content content;

	if (!judge_status(ask, answer, ret_why))
		return false;
	if (answer->content_range[0] == '\0') {
		text_add(ret_why, "206 without Content-Range");
		return false;
	}
	if (!range_parse_content(answer->content_range, &content) || content.is_unsatisfied) {
		text_print(ret_why, "Content-Range '%.64s' makes no sense", answer->content_range);
		return false;
	}
	/* a file of another size first: it is why the last slice is another one */
	return judge_total(monitor, &content, ret_why) && judge_slice(ask, &content, ret_why);
}

bool range_judge_body(const struct settings_monitor *monitor, const struct range_ask *ask,
	const struct range_answer *answer, struct text *ret_why)
{
	struct range_content content;
	uint64_t size = ask->size;

	if (range_parse_content(answer->content_range, &content) && !content.is_unsatisfied)
		size = content.last - content.first + 1;
	if (answer->has_more) {
		text_print(ret_why, "more than the %" PRIu64 " octets of the range came", size);
		return false;
	}
	if (answer->body_bytes != size) {
		text_print(ret_why, "%" PRIu64 " octets came, the range has %" PRIu64,
			answer->body_bytes, size);
		return false;
	}
	if (monitor->range_sha256 &&
		(!answer->sha256 || memcmp(answer->sha256, monitor->range_sha256, 32) != 0)) {
		text_add(ret_why, "SHA-256 of the range is another one");
		return false;
	}
	return true;
}

bool range_judge_etag(const struct settings_monitor *monitor, struct check_memory *memory,
	const struct range_answer *answer, struct text *ret_why)
{
	struct range_content content;
	char before[sizeof(memory->etag)];
	const char *wanted = monitor->range_etag ? monitor->range_etag : before;

	memcpy(before, memory->etag, sizeof(before));
	snprintf(memory->etag, sizeof(memory->etag), "%s", answer->etag);
	if (range_parse_content(answer->content_range, &content) && content.has_total)
		memory->total_bytes = content.total;
	/* both are cut where the memory ends */
	if (wanted[0] == '\0' || strncmp(wanted, answer->etag, sizeof(before) - 1) == 0)
		return true;
	if (answer->etag[0] == '\0')
		text_print(ret_why, "no ETag, %s %s", monitor->range_etag ? "expected" : "it was",
			wanted);
	else
		text_print(ret_why, "ETag is %s, %s %s", answer->etag,
			monitor->range_etag ? "expected" : "it was", wanted);
	return false;
}

/* ---- how fast ---- */

void range_measure(
	struct range_meter *meter, uint64_t warm_up_bytes, uint64_t more_bytes, uint64_t now_us)
{
	meter->bytes += more_bytes;
	meter->last_at_us = now_us;
	if (meter->warm_at_us == 0 && meter->bytes >= warm_up_bytes) {
		meter->warm_bytes = meter->bytes;
		meter->warm_at_us = now_us;
	}
}

uint64_t range_rate(const struct range_meter *meter)
{
	uint64_t took_us = meter->last_at_us - meter->warm_at_us;
	uint64_t bytes = meter->bytes - meter->warm_bytes;

	if (meter->warm_at_us == 0 || took_us == 0 || bytes == 0)
		return 0;
	return (uint64_t)((double)bytes * 8e6 / (double)took_us);
}

static void print_rate(uint64_t bits_s, struct text *text)
{
	static const struct {
		double one;
		const char *name;
	} units[] = {{1e9, "Gbit/s"}, {1e6, "Mbit/s"}, {1e3, "kbit/s"}, {1, "bit/s"}};
	size_t unit = 0;

	while (unit + 1 < COUNT_OF(units) && (double)bits_s < units[unit].one)
		unit++;

	double value = (double)bits_s / units[unit].one;
	bool is_whole = value >= 100 || (double)(uint64_t)value >= value;

	text_print(text, "%.*f %s", is_whole ? 0 : 1, value, units[unit].name);
}

bool range_is_slow(
	const struct settings_monitor *monitor, uint64_t rate_bits_s, struct text *ret_why)
{
	if (monitor->floor_bits_s == 0 || rate_bits_s == 0 || rate_bits_s >= monitor->floor_bits_s)
		return false;
	print_rate(rate_bits_s, ret_why);
	if (monitor->warm_up_bytes > 0) {
		text_add(ret_why, " after the first ");
		text_size(ret_why, monitor->warm_up_bytes);
	}
	text_add(ret_why, ", less than ");
	print_rate(monitor->floor_bits_s, ret_why);
	return true;
}

/* ---- how much a day ---- */

static void begin_day(struct check_memory *memory, uint64_t now_unix_s)
{
	uint64_t today = now_unix_s / DAY_S;

	if (memory->day == today)
		return;
	memory->day = today;
	memory->day_bytes = 0;
}

bool range_has_budget(const struct settings_monitor *monitor, struct check_memory *memory,
	uint64_t now_unix_s, struct text *ret_note)
{
	begin_day(memory, now_unix_s);
	if (monitor->daily_bytes == 0 ||
		memory->day_bytes + monitor->range_bytes <= monitor->daily_bytes)
		return true;
	text_add(ret_note, "budget of ");
	text_size(ret_note, monitor->daily_bytes);
	text_add(ret_note, " spent, next at 00:00 UTC");
	return false;
}

void range_spend(struct check_memory *memory, uint64_t now_unix_s, uint64_t bytes)
{
	begin_day(memory, now_unix_s);
	memory->day_bytes += bytes;
}
