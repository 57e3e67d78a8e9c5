/* SPDX-License-Identifier: Apache-2.0 */
/* Covers: src/dns/query.c */

/* The query reader, fed with what strangers send: whatever it accepts keeps the promises of query.h. */

#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "steerd/dns/query.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct query query;

	memset(&query, 0xa5, sizeof(query));

	enum query_verdict verdict = query_read(data, size, &query);

	if (verdict == QUERY_SILENCE)
		return 0;
	assert(size >= DNS_HEADER_SIZE && !(query.flags & DNS_FLAG_QR));
	assert(query.udp_size >= DNS_UDP_MIN);
	assert(verdict != QUERY_OK || (query.has_question && size <= DNS_QUERY_MAX));
	assert(verdict != QUERY_COOKIE || (!query.has_question && query.wishes & QUERY_HAS_COOKIE));
	if (query.wishes & QUERY_HAS_COOKIE) {
		assert(query.has_edns && query.cookie > data &&
			query.cookie + query.cookie_size <= data + size);
		assert(query.cookie_size == 8 ||
			(query.cookie_size >= 16 && query.cookie_size <= 40));
	}
	if (query.has_question) {
		assert(DNS_HEADER_SIZE + (size_t)query.question_size <= size);
		assert(name_size(query.name.wire) == query.name.size);
		assert(query.name.size + 4 == query.question_size);
	}
	if (query.ecs.is_present) {
		struct prefix prefix = prefix_of(&query.ecs.source.address, query.ecs.source.bits);

		assert(query.has_edns);
		assert(query.ecs.family != 0 || query.ecs.source.bits == 0);
		assert(query.ecs.family == 0 ||
			address_is_equal(&prefix.address, &query.ecs.source.address));
	}
	return 0;
}
