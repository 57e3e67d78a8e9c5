/* SPDX-License-Identifier: Apache-2.0 */
#include "dns_talk.h"

#include <ctype.h>
#include <string.h>

#include "steerd/base/bytes.h"
#include "steerd/base/memory.h"

#define HEADER_SIZE 12
#define LABEL_MAX 63
#define POINTER 0xc0 /* RFC 1035 4.1.4: the two upper bits of a label's length */
#define CLASS_IN 1
#define TYPE_A 1
#define TYPE_AAAA 28

#define FLAG_RESPONSE 0x8000
#define FLAGS_OPCODE 0x7800
#define FLAG_TRUNCATED 0x0200
#define FLAG_RECURSION_DESIRED 0x0100
#define FLAGS_RCODE 0x000f

/* ---- the question ---- */

/* One octet of a label: `\.` and `\046` are the dot that ends no label (RFC 1035 5.1).  False for half an escape. */
static bool parse_octet(const char **at, uint8_t *ret_octet)
{
	const char *text = *at;

	if (text[0] != '\\') {
		*ret_octet = (uint8_t)text[0];
		*at = text + 1;
		return true;
	}
	if (!isdigit((unsigned char)text[1])) {
		*ret_octet = (uint8_t)text[1];
		*at = text + 2;
		return text[1] != '\0';
	}
	if (!isdigit((unsigned char)text[2]) || !isdigit((unsigned char)text[3]))
		return false;

	int value = (text[1] - '0') * 100 + (text[2] - '0') * 10 + (text[3] - '0');

	*ret_octet = (uint8_t)value;
	*at = text + 4;
	return value <= UINT8_MAX;
}

/* A label at `*at`, behind the name so far, and the dot that ends it. */
static bool parse_label(const char **at, uint8_t *name, size_t *size)
{
	size_t start = (*size)++;

	while (**at && **at != '.') {
		/* room for the octet, and for the root's behind it */
		if (*size + 1 >= DNS_TALK_NAME_MAX || !parse_octet(at, &name[*size]))
			return false;
		(*size)++;
	}

	size_t length = *size - start - 1;

	if (length == 0 || length > LABEL_MAX)
		return false;
	name[start] = (uint8_t)length;
	*at += **at == '.';
	return true;
}

bool dns_talk_parse_name(const char *text, struct dns_talk_question *ret_question)
{
	uint8_t name[DNS_TALK_NAME_MAX];
	const char *at = text;
	size_t size = 0;

	if (text[0] == '\0')
		return false;
	if (strcmp(text, ".") == 0)
		at++;
	while (*at)
		if (size + 1 >= DNS_TALK_NAME_MAX || !parse_label(&at, name, &size))
			return false;
	name[size++] = 0;
	memcpy(ret_question->name, name, size);
	ret_question->name_size = size;
	return true;
}

void dns_talk_write_query(const struct dns_talk_question *question, struct text *ret_message)
{
	bytes_write_u16(ret_message, question->id);
	bytes_write_u16(ret_message, FLAG_RECURSION_DESIRED);
	bytes_write_u16(ret_message, 1);
	for (size_t i = 0; i < 3; i++)
		bytes_write_u16(ret_message, 0);
	text_add_bytes(ret_message, question->name, question->name_size);
	bytes_write_u16(ret_message, question->type);
	bytes_write_u16(ret_message, CLASS_IN);
}

/* ---- the reply ---- */

struct message {
	const uint8_t *bytes;
	size_t size;
	struct bytes_reader reader;
	const char *why; /* it is malformed; NULL: nothing wrong so far */
};

static bool is_wrong(struct message *message, const char *why)
{
	if (!message->why)
		message->why = why;
	return false;
}

/*
 * The name at `at`: how many octets stand there, with what its pointers lead to checked.  A pointer leads strictly
 * backwards, before all that was read of the name, so that there is no loop.
 */
static bool measure_name(struct message *message, size_t at, size_t *ret_size)
{
	size_t first = at; /* of this piece */
	size_t end = 0;	   /* behind the name where it stands; 0: not yet known */
	size_t length = 1; /* of the name, the root's octet with it */

	for (;;) {
		if (at >= message->size)
			return is_wrong(message, "a name is cut short");

		uint8_t head = message->bytes[at];

		if ((head & POINTER) == POINTER) {
			if (at + 1 >= message->size)
				return is_wrong(message, "a name is cut short");

			size_t to = (size_t)(head & ~POINTER) << 8 | message->bytes[at + 1];

			if (end == 0)
				end = at + 2;
			if (to >= first)
				return is_wrong(message, "a name points forwards");
			if (to < HEADER_SIZE)
				return is_wrong(message, "a name points into the header");
			first = at = to;
			continue;
		}
		if (head & POINTER)
			return is_wrong(message, "a label of no known kind");
		if (head == 0)
			break;
		length += head + 1u;
		if (length > DNS_TALK_NAME_MAX)
			return is_wrong(message, "a name is longer than 255 octets");
		at += head + 1u;
	}
	*ret_size = (end > 0 ? end : at + 1) - (size_t)(message->reader.at - message->bytes);
	return true;
}

static bool skip_name(struct message *message)
{
	size_t size;

	if (!measure_name(message, (size_t)(message->reader.at - message->bytes), &size))
		return false;
	return bytes_read_raw(&message->reader, size) || is_wrong(message, "a name is cut short");
}

/* The same question: names are the same whatever the case of their letters (RFC 1035 2.3.3). */
static bool repeats(const struct dns_talk_question *question, struct bytes_reader *reader)
{
	const uint8_t *name = bytes_read_raw(reader, question->name_size);
	uint16_t type = bytes_read_u16(reader);
	uint16_t class = bytes_read_u16(reader);

	if (!name || reader->failed || type != question->type || class != CLASS_IN)
		return false;
	for (size_t i = 0; i < question->name_size; i++)
		if (tolower(name[i]) != tolower(question->name[i]))
			return false;
	return true;
}

static void take_address(const struct dns_talk_question *question, const uint8_t *octets,
	struct dns_talk_reply *reply)
{
	struct address address = {.family = question->type == TYPE_A ? ADDRESS_IPV4 : ADDRESS_IPV6};

	memcpy(address.bytes, octets, address_size(&address));
	if (reply->address_count < DNS_TALK_ADDRESSES_MAX)
		reply->addresses[reply->address_count++] = address;
	for (size_t i = 0; i < question->expected_count; i++)
		if (address_is_equal(&address, &question->expected[i]))
			reply->is_expected = true;
}

/* How long the data of a record must be; 0: any. */
static size_t data_size(uint16_t type)
{
	if (type == TYPE_A)
		return 4;
	return type == TYPE_AAAA ? 16 : 0;
}

/* `reply` NULL: a section that does not count. */
static bool read_record(struct message *message, const struct dns_talk_question *question,
	struct dns_talk_reply *reply)
{
	struct bytes_reader *reader = &message->reader;

	if (!skip_name(message))
		return false;

	uint16_t type = bytes_read_u16(reader);
	uint16_t class = bytes_read_u16(reader);

	(void)bytes_read_u32(reader);

	size_t size = bytes_read_u16(reader);
	const uint8_t *data = bytes_read_raw(reader, size);

	if (reader->failed)
		return is_wrong(message, "a record is cut short");
	if (!reply || type != question->type || class != CLASS_IN)
		return true;
	reply->record_count++;
	if (data_size(type) == 0)
		return true;
	if (size != data_size(type))
		return is_wrong(message, "an address of the wrong length");
	take_address(question, data, reply);
	return true;
}

/* All sections, to the last octet. */
static bool read_sections(struct message *message, const struct dns_talk_question *question,
	const uint16_t counts[static 3], struct dns_talk_reply *reply)
{
	for (size_t section = 0; section < 3; section++)
		for (size_t i = 0; i < counts[section]; i++)
			if (!read_record(message, question, section == 0 ? reply : NULL))
				return false;
	return message->reader.left == 0 || is_wrong(message, "octets behind its end");
}

enum dns_talk_sense dns_talk_read(const struct dns_talk_question *question, const void *bytes,
	size_t size, struct dns_talk_reply *ret_reply)
{
	struct message message = {
		.bytes = bytes, .size = size, .reader = {.at = bytes, .left = size}};
	struct bytes_reader *reader = &message.reader;
	uint16_t id = bytes_read_u16(reader);
	uint16_t flags = bytes_read_u16(reader);
	uint16_t questions = bytes_read_u16(reader);
	uint16_t counts[3];
	struct dns_talk_reply reply = {.rcode = flags & FLAGS_RCODE};

	for (size_t i = 0; i < COUNT_OF(counts); i++)
		counts[i] = bytes_read_u16(reader);
	if (reader->failed || id != question->id || !(flags & FLAG_RESPONSE) ||
		flags & FLAGS_OPCODE)
		return DNS_TALK_UNRELATED;

	/* some say an error without repeating what was asked */
	bool is_bare = questions == 0 && reply.rcode != 0 && size == HEADER_SIZE;

	if (!is_bare && (questions != 1 || !repeats(question, reader)))
		return DNS_TALK_UNRELATED;
	*ret_reply = reply;
	if (reply.rcode != 0)
		return DNS_TALK_RCODE;
	if (flags & FLAG_TRUNCATED)
		return DNS_TALK_TRUNCATED;
	if (!read_sections(&message, question, counts, &reply)) {
		ret_reply->why = message.why;
		return DNS_TALK_MALFORMED;
	}
	*ret_reply = reply;
	return DNS_TALK_ANSWER;
}

/* ---- words ---- */

/* RFC 1035 4.1.1, RFC 2136 2.2. */
static const char *const rcodes[] = {
	[1] = "FORMERR: it does not understand the question",
	[2] = "SERVFAIL: it cannot answer",
	[3] = "NXDOMAIN: no such name",
	[4] = "NOTIMP: it does not do that",
	[5] = "REFUSED: it does not answer that for us",
	[9] = "NOTAUTH: the zone is not its own",
};

void dns_talk_print_rcode(uint8_t rcode, struct text *ret_text)
{
	if (rcode < COUNT_OF(rcodes) && rcodes[rcode])
		text_add(ret_text, rcodes[rcode]);
	else
		text_print(ret_text, "RCODE %u", rcode);
}

static const struct {
	uint16_t type;
	const char *name;
} types[] = {
	{TYPE_A, "A"},
	{2, "NS"},
	{5, "CNAME"},
	{6, "SOA"},
	{12, "PTR"},
	{15, "MX"},
	{16, "TXT"},
	{TYPE_AAAA, "AAAA"},
	{33, "SRV"},
	{35, "NAPTR"},
	{43, "DS"},
	{48, "DNSKEY"},
	{52, "TLSA"},
	{64, "SVCB"},
	{65, "HTTPS"},
	{257, "CAA"},
};

void dns_talk_print_type(uint16_t type, struct text *ret_text)
{
	for (size_t i = 0; i < COUNT_OF(types); i++)
		if (types[i].type == type) {
			text_add(ret_text, types[i].name);
			return;
		}
	text_print(ret_text, "TYPE%u", type);
}
