/* SPDX-License-Identifier: Apache-2.0 */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "pattern.h"

#include <pcre2.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#include "steerd/base/memory.h"

/*
 * What PCRE2 itself limits is the work at one place where a match may begin, not that of a whole search: an expression
 * that is dear at each of 65,536 places is dear 65,536 times, and one whose every step runs to the end of the body
 * (\w+@) is never seen by its limit.  So a search goes by windows of places, with time taken in between.  A window is so
 * small that the dearest one takes some ten milliseconds; one in which the limit is hit is searched again place by
 * place, with a limit that honest expressions do not meet.
 */
#define WINDOW_PLACES 256
#define WINDOW_STEPS 2000
#define PLACE_STEPS 500000
#define DEPTH_MAX 10000
#define HEAP_MAX_KIB 4096
/* of this thread's own time: a machine that is busy with others makes nobody's expression dear */
#define SEARCH_MAX_MS 50

struct pattern {
	pcre2_code *code;
	pcre2_match_context *limits;
	pcre2_match_data *found;
};

struct pattern *pattern_new(const char *expression, struct err *err)
{
	int error;
	PCRE2_SIZE at;
	pcre2_code *code = pcre2_compile((PCRE2_SPTR)expression, PCRE2_ZERO_TERMINATED,
		PCRE2_USE_OFFSET_LIMIT, &error, &at, NULL);

	if (!code) {
		PCRE2_UCHAR words[128];

		pcre2_get_error_message(error, words, sizeof(words));
		err_set(err, "regular expression '%s': %s at character %zu", expression,
			(const char *)words, (size_t)at + 1);
		return NULL;
	}

	struct pattern *pattern = memory_new(sizeof(*pattern));

	pattern->code = code;
	pattern->limits = pcre2_match_context_create(NULL);
	pattern->found = pcre2_match_data_create(1, NULL);
	if (!pattern->limits || !pattern->found)
		abort(); /* out of memory, as base/memory.c would say */
	pcre2_set_depth_limit(pattern->limits, DEPTH_MAX);
	pcre2_set_heap_limit(pattern->limits, HEAP_MAX_KIB);
	return pattern;
}

void pattern_free(struct pattern *pattern)
{
	if (!pattern)
		return;
	pcre2_match_data_free(pattern->found);
	pcre2_match_context_free(pattern->limits);
	pcre2_code_free(pattern->code);
	free(pattern);
}

static uint64_t used_ms(void)
{
	struct timespec used;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
	return (uint64_t)used.tv_sec * 1000 + (uint64_t)used.tv_nsec / 1000000;
}

struct subject {
	PCRE2_SPTR octets;
	size_t size;
	uint64_t end_ms;
};

/* A match that begins at one of `count` places from `first` on; PCRE2's result. */
static int search_places(
	const struct pattern *pattern, const struct subject *subject, size_t first, size_t count)
{
	size_t last = subject->size - first < count ? subject->size : first + count - 1;

	pcre2_set_match_limit(pattern->limits, count > 1 ? WINDOW_STEPS : PLACE_STEPS);
	pcre2_set_offset_limit(pattern->limits, last);
	return pcre2_match(pattern->code, subject->octets, subject->size, first, 0, pattern->found,
		pattern->limits);
}

/* One by one; PCRE2's result. */
static int search_window(const struct pattern *pattern, const struct subject *subject, size_t first)
{
	int result = PCRE2_ERROR_NOMATCH;

	for (size_t at = first; at < first + WINDOW_PLACES && at <= subject->size; at++) {
		result = search_places(pattern, subject, at, 1);
		if (result != PCRE2_ERROR_NOMATCH)
			break;
		if (used_ms() > subject->end_ms)
			return PCRE2_ERROR_MATCHLIMIT;
	}
	return result;
}

enum pattern_result pattern_search(const struct pattern *pattern, const void *octets, size_t size)
{
	const struct subject subject = {
		.octets = octets ? octets : (PCRE2_SPTR) "",
		.size = size,
		.end_ms = used_ms() + SEARCH_MAX_MS,
	};

	/* up to the end itself: an empty match may be there */
	for (size_t first = 0; first <= size; first += WINDOW_PLACES) {
		int result = search_places(pattern, &subject, first, WINDOW_PLACES);

		if (result == PCRE2_ERROR_MATCHLIMIT)
			result = search_window(pattern, &subject, first);
		if (result >= 0)
			return PATTERN_MATCHES;
		if (result != PCRE2_ERROR_NOMATCH || used_ms() > subject.end_ms)
			return PATTERN_GAVE_UP;
	}
	return PATTERN_DIFFERS;
}
