/* SPDX-License-Identifier: Apache-2.0 */
/* Covers: src/probe/dns_talk.c */

/* What a name server says to a dns monitor.  The first octet chooses the type, the next two are the id of the question. */

#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "../../src/probe/dns_talk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A name that is taken is written as one that is no longer than names are, and ends where it says. */
static void try_name(const uint8_t *data, size_t size)
{
	struct dns_talk_question question = {.type = 1};
	struct text text = {0};
	struct text query = {0};

	text_add_bytes(&text, data, size);
	text_add_bytes(&text, "", 1);
	if (dns_talk_parse_name(text.bytes, &question)) {
		assert(question.name_size >= 1 && question.name_size <= DNS_TALK_NAME_MAX);
		assert(question.name[question.name_size - 1] == 0);
		dns_talk_write_query(&question, &query);
		assert(query.size == 12 + question.name_size + 4);
	}
	text_done(&text);
	text_done(&query);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint16_t types[] = {1, 28, 16, 5};
	static const struct address expected = {.family = ADDRESS_IPV4, .bytes = {192, 0, 2, 1}};
	struct dns_talk_question question;
	struct dns_talk_reply reply;
	struct text words = {0};

	if (size < 3)
		return 0;
	try_name(data, size);
	assert(dns_talk_parse_name("www.files.example", &question));
	question.type = types[data[0] % 4];
	question.id = (uint16_t)(data[1] << 8 | data[2]);
	question.expected = &expected;
	question.expected_count = 1;

	/* the id of the question is the first thing in the message as well */
	enum dns_talk_sense sense = dns_talk_read(&question, data + 1, size - 1, &reply);

	switch (sense) {
	case DNS_TALK_UNRELATED:
		break;
	case DNS_TALK_MALFORMED:
		assert(reply.why && reply.record_count == 0);
		break;
	case DNS_TALK_TRUNCATED:
		assert(reply.rcode == 0);
		break;
	case DNS_TALK_RCODE:
		assert(reply.rcode > 0 && reply.rcode < 16);
		dns_talk_print_rcode(reply.rcode, &words);
		assert(words.size > 0);
		break;
	case DNS_TALK_ANSWER:
		assert(!reply.why && reply.address_count <= reply.record_count);
		assert(reply.address_count <= DNS_TALK_ADDRESSES_MAX);
		assert(!reply.is_expected || question.type == 1);
		break;
	}
	text_done(&words);
	return 0;
}
