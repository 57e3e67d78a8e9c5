/* SPDX-License-Identifier: Apache-2.0 */
#include "decode.h"

#include <ctype.h>
#include <string.h>

#include "steerd/dns/name.h"
#include "steerd/dns/type.h"

struct decoder {
	const uint8_t *message;
	size_t size;
	size_t at;
	struct err *err;
};

static bool number(struct decoder *decoder, unsigned octets, uint32_t *ret_value)
{
	uint32_t value = 0;

	if (decoder->size - decoder->at < octets)
		return err_set(decoder->err, "the message ends at %zu", decoder->size);
	while (octets-- > 0)
		value = value << 8 | decoder->message[decoder->at++];
	*ret_value = value;
	return true;
}

static bool number16(struct decoder *decoder, uint16_t *ret_value)
{
	uint32_t value = 0;

	if (!number(decoder, 2, &value))
		return false;
	*ret_value = (uint16_t)value;
	return true;
}

/* A name, its pointers followed: each must lead to before the part that it ends. */
static bool name(struct decoder *decoder, uint8_t out[DNS_NAME_MAX], uint16_t *ret_size)
{
	size_t part = decoder->at;
	size_t at = decoder->at;
	size_t used = 0;
	bool has_jumped = false;

	for (;;) {
		if (at >= decoder->size)
			return err_set(decoder->err, "a name runs out of the message");

		uint8_t label = decoder->message[at];

		if (label >= 0xc0) {
			if (at + 2 > decoder->size)
				return err_set(decoder->err, "half a pointer");

			size_t target = (size_t)(label & 0x3f) << 8 | decoder->message[at + 1];

			if (target < DNS_HEADER_SIZE || target >= part)
				return err_set(decoder->err, "the pointer at %zu leads to %zu", at,
					target);
			if (!has_jumped)
				decoder->at = at + 2;
			has_jumped = true;
			at = part = target;
			continue;
		}
		if (label > DNS_LABEL_MAX || at + 1 + label > decoder->size ||
			used + 1 + label > DNS_NAME_MAX)
			return err_set(decoder->err, "a bad label at %zu", at);
		memcpy(out + used, decoder->message + at, 1u + label);
		used += 1u + label;
		at += 1u + label;
		if (label == 0)
			break;
	}
	if (!has_jumped)
		decoder->at = at;
	*ret_size = (uint16_t)used;
	return true;
}

static bool is_service(uint16_t type)
{
	return type == DNS_TYPE_SVCB || type == DNS_TYPE_HTTPS;
}

static const uint16_t hint_keys[] = {4, 6};
static const uint16_t hint_sizes[] = {4, 16};

/* One parameter of SVCB or HTTPS; the end of RDATA must not come within it. */
static bool param(struct decoder *decoder, uint16_t *ret_key, struct decode_hint *ret_value)
{
	uint16_t size;

	if (!number16(decoder, ret_key) || !number16(decoder, &size))
		return false;
	if (decoder->size - decoder->at < size)
		return err_set(decoder->err, "parameter %u runs out of the RDATA", *ret_key);
	*ret_value = (struct decode_hint){decoder->message + decoder->at, size};
	decoder->at += size;
	return true;
}

/* RFC 9460 2.2: no pointer in the target, keys strictly in order, hints of whole addresses; an alias has none. */
static bool check_service(struct decoder *decoder)
{
	uint8_t target[DNS_NAME_MAX];
	uint16_t target_size;
	uint16_t priority;
	int last = -1;

	if (!number16(decoder, &priority))
		return false;

	size_t target_at = decoder->at;

	if (!name(decoder, target, &target_size))
		return false;
	if (decoder->at != target_at + target_size)
		return err_set(decoder->err, "a compressed target at %zu", target_at);
	if (priority == 0 && decoder->at != decoder->size)
		return err_set(decoder->err, "an alias with parameters at %zu", target_at);
	while (decoder->at < decoder->size) {
		struct decode_hint value;
		uint16_t key;

		if (!param(decoder, &key, &value))
			return false;
		if (key <= last)
			return err_set(decoder->err, "parameter %u behind %d", key, last);
		last = key;
		for (size_t i = 0; i < 2; i++)
			if (key == hint_keys[i] &&
				(value.size == 0 || value.size % hint_sizes[i] != 0))
				return err_set(decoder->err, "hints of %zu octets", value.size);
	}
	return true;
}

bool decode_find_hint(
	const struct decode_record *record, unsigned family, struct decode_hint *ret_hint)
{
	struct err err;
	struct decoder decoder = {record->rdata, record->rdata_size, 2, &err};

	while (record->rdata[decoder.at] != 0)
		decoder.at += record->rdata[decoder.at] + 1u;
	decoder.at++;
	while (decoder.at < decoder.size) {
		uint16_t key;

		if (!param(&decoder, &key, ret_hint))
			return false;
		if (key == hint_keys[family])
			return true;
	}
	return false;
}

/* RDATA of the types whose form is known ends where RDLENGTH says. */
static bool check_rdata(struct decoder *decoder, const struct decode_record *record)
{
	size_t end = record->rdata_at + record->rdata_size;
	struct decoder inner = {decoder->message, end, record->rdata_at, decoder->err};

	if (record->type == DNS_TYPE_A && record->rdata_size != 4)
		return err_set(decoder->err, "an A of %u octets", record->rdata_size);
	if (record->type == DNS_TYPE_AAAA && record->rdata_size != 16)
		return err_set(decoder->err, "an AAAA of %u octets", record->rdata_size);

	if (is_service(record->type))
		return check_service(&inner);

	const char *layout = type_layout(record->type);
	uint8_t ignored_name[DNS_NAME_MAX];
	uint16_t ignored_size;
	uint32_t ignored;

	if (*layout == '\0')
		return true;
	for (; *layout; layout++) {
		if (*layout == 'N' ? !name(&inner, ignored_name, &ignored_size)
				   : !number(&inner, *layout == 's' ? 2 : 4, &ignored))
			return err_within(decoder->err, "RDATA at %zu", record->rdata_at);
	}
	if (inner.at != end)
		return err_set(decoder->err, "octets behind the RDATA at %zu", record->rdata_at);
	return true;
}

static bool is_same_name(const struct decode_record *a, const struct decode_record *b)
{
	for (size_t i = 0; i < a->owner_size && i < b->owner_size; i++)
		if (tolower(a->owner[i]) != tolower(b->owner[i]))
			return false;
	return a->owner_size == b->owner_size;
}

static bool is_same_set(const struct decode_record *a, const struct decode_record *b)
{
	return a->type == b->type && a->class == b->class && is_same_name(a, b);
}

/* No record comes twice, and a set has one TTL (RFC 2181 5). */
static bool check_sets(const struct decoded *decoded, struct err *err)
{
	for (size_t i = 0; i < decoded->count; i++)
		for (size_t k = i + 1; k < decoded->count && k < i + 64; k++) {
			const struct decode_record *a = &decoded->records[i];
			const struct decode_record *b = &decoded->records[k];

			if (!is_same_set(a, b))
				continue;
			if (a->ttl_s != b->ttl_s)
				return err_set(err, "records %zu and %zu differ in TTL", i, k);
			if (a->rdata_size == b->rdata_size &&
				memcmp(a->rdata, b->rdata, a->rdata_size) == 0)
				return err_set(err, "records %zu and %zu are the same", i, k);
		}
	return true;
}

static bool client_subnet(
	struct decoder *decoder, const uint8_t *content, size_t size, struct decoded *ret)
{
	if (ret->has_ecs || size < 4)
		return err_set(decoder->err, "a bad client subnet");
	ret->has_ecs = true;
	ret->ecs = content;
	ret->ecs_size = size;
	ret->ecs_family = (uint16_t)(content[0] << 8 | content[1]);
	ret->source_bits = content[2];
	ret->scope_bits = content[3];
	return true;
}

static bool zone_version(
	struct decoder *decoder, const uint8_t *content, size_t size, struct decoded *ret)
{
	if (ret->has_zone_version || size != 6 || content[1] != 0)
		return err_set(decoder->err, "a bad zone version");
	ret->has_zone_version = true;
	ret->zone_labels = content[0];
	ret->zone_serial = (uint32_t)content[2] << 24 | (uint32_t)content[3] << 16 |
		(uint32_t)content[4] << 8 | content[5];
	return true;
}

static bool option(struct decoder *decoder, size_t end, struct decoded *ret)
{
	uint16_t code;
	uint16_t size;

	if (!number16(decoder, &code) || !number16(decoder, &size))
		return false;
	if (decoder->at + size > end)
		return err_set(decoder->err, "an option runs out of the OPT");

	const uint8_t *content = decoder->message + decoder->at;

	decoder->at += size;
	switch (code) {
	case DNS_OPTION_ECS:
		return client_subnet(decoder, content, size, ret);
	case DNS_OPTION_NSID:
		if (ret->nsid || size == 0)
			return err_set(decoder->err, "a bad NSID");
		ret->nsid = content;
		ret->nsid_size = size;
		return true;
	case DNS_OPTION_EDE:
		if (ret->has_error || size != 2)
			return err_set(decoder->err, "a bad extended error");
		ret->has_error = true;
		ret->extended_error = (uint16_t)(content[0] << 8 | content[1]);
		return true;
	case DNS_OPTION_COOKIE: /* of a server of RFC 9018: version 1, nothing reserved */
		if (ret->cookie || size != 24 || memcmp(content + 8, "\1\0\0", 4) != 0)
			return err_set(decoder->err, "a bad cookie");
		ret->cookie = content;
		ret->cookie_unix_s = (uint32_t)content[12] << 24 | (uint32_t)content[13] << 16 |
			(uint32_t)content[14] << 8 | content[15];
		return true;
	case DNS_OPTION_KEEPALIVE:
		if (ret->has_keepalive || size != 2)
			return err_set(decoder->err, "a bad keepalive");
		ret->has_keepalive = true;
		ret->idle_ds = (uint16_t)(content[0] << 8 | content[1]);
		return true;
	case DNS_OPTION_ZONEVERSION:
		return zone_version(decoder, content, size, ret);
	default:
		return err_set(decoder->err, "option %u, which nobody asked for", code);
	}
}

static bool opt(struct decoder *decoder, const struct decode_record *record, struct decoded *ret)
{
	size_t end = record->rdata_at + record->rdata_size;
	struct decoder inner = {decoder->message, end, record->rdata_at, decoder->err};

	if (ret->has_opt || record->section != DECODE_ADDITIONAL || record->owner_size != 1)
		return err_set(decoder->err, "a second OPT, or one in the wrong place");
	ret->has_opt = true;
	ret->options_at = record->rdata_at;
	ret->udp_size = record->class;
	ret->rcode |= record->ttl_s >> 24 << 4;
	ret->dnssec_ok = record->ttl_s & 0x8000;
	if (record->ttl_s & 0x00ff7fff)
		return err_set(decoder->err, "an OPT with version or flags: %08x", record->ttl_s);
	while (inner.at < end)
		if (!option(&inner, end, ret))
			return false;
	return true;
}

static bool record_decode(struct decoder *decoder, unsigned section, struct decoded *ret)
{
	struct decode_record *record = &ret->records[ret->count];

	if (ret->count == DECODE_RECORDS_MAX)
		return err_set(decoder->err, "too many records");
	record->section = (uint8_t)section;
	if (!name(decoder, record->owner, &record->owner_size) ||
		!number16(decoder, &record->type) || !number16(decoder, &record->class) ||
		!number(decoder, 4, &record->ttl_s) || !number16(decoder, &record->rdata_size))
		return false;
	record->rdata_at = decoder->at;
	record->rdata = decoder->message + decoder->at;
	if (record->rdata_size > decoder->size - decoder->at)
		return err_set(decoder->err, "RDATA runs out of the message");
	decoder->at += record->rdata_size;
	if (record->type == DNS_TYPE_OPT)
		return opt(decoder, record, ret);
	ret->count++;
	return check_rdata(decoder, record);
}

static bool question(struct decoder *decoder, struct decoded *ret)
{
	uint8_t ignored[DNS_NAME_MAX];
	uint16_t size;
	uint16_t class;

	ret->has_question = true;
	if (!name(decoder, ignored, &size) || !number16(decoder, &ret->type) ||
		!number16(decoder, &class))
		return false;
	ret->question_size = decoder->at - DNS_HEADER_SIZE;
	return true;
}

bool decode(const uint8_t *message, size_t size, struct decoded *ret_decoded, struct err *err)
{
	struct decoder decoder = {message, size, 0, err};
	uint16_t counts[1 + DECODE_SECTIONS];

	memset(ret_decoded, 0, offsetof(struct decoded, records));
	memset(&ret_decoded->has_opt, 0, sizeof(*ret_decoded) - offsetof(struct decoded, has_opt));
	if (!number16(&decoder, &ret_decoded->id) || !number16(&decoder, &ret_decoded->flags))
		return false;
	ret_decoded->rcode = ret_decoded->flags & 0xf;
	if (!(ret_decoded->flags & DNS_FLAG_QR))
		return err_set(err, "not a response");
	for (size_t i = 0; i < 1 + DECODE_SECTIONS; i++)
		if (!number16(&decoder, &counts[i]))
			return false;
	if (counts[0] > 1)
		return err_set(err, "%u questions", counts[0]);
	if (counts[0] == 1 && !question(&decoder, ret_decoded))
		return false;
	for (unsigned section = 0; section < DECODE_SECTIONS; section++)
		for (unsigned i = 0; i < counts[1 + section]; i++)
			if (!record_decode(&decoder, section, ret_decoded))
				return false;
	if (decoder.at != size)
		return err_set(err, "%zu octets behind the last record", size - decoder.at);
	return check_sets(ret_decoded, err);
}

static void print_name(const uint8_t *wire, struct text *line)
{
	char text[NAME_TEXT_SIZE];

	name_print(wire, text);
	text_add(line, text);
}

static void print_type(uint16_t type, struct text *line)
{
	char text[TYPE_TEXT_SIZE];

	type_print(type, text);
	text_add(line, text);
}

static void print_address(const uint8_t *bytes, size_t size, uint8_t family, struct text *line)
{
	struct address address = {.family = family};
	char text[ADDRESS_TEXT_SIZE];

	memcpy(address.bytes, bytes, size);
	address_print(&address, text);
	text_add(line, text);
}

static void print_fields(
	const uint8_t *message, const struct decode_record *record, struct text *line)
{
	struct err err;
	struct decoder decoder = {
		message, record->rdata_at + record->rdata_size, record->rdata_at, &err};

	for (const char *field = type_layout(record->type); *field; field++) {
		uint8_t wire[DNS_NAME_MAX];
		uint16_t size;
		uint32_t value;

		text_add(line, " ");
		if (*field == 'N' && name(&decoder, wire, &size))
			print_name(wire, line);
		else if (*field != 'N' && number(&decoder, *field == 's' ? 2 : 4, &value))
			text_print(line, "%u", value);
	}
}

/* " 1 . 1=026832 ipv4hint=192.0.2.1,192.0.2.2" */
static void print_service(
	const uint8_t *message, const struct decode_record *record, struct text *line)
{
	static const char *const names[] = {"ipv4hint", "ipv6hint"};
	static const uint8_t families[] = {ADDRESS_IPV4, ADDRESS_IPV6};
	struct err err;
	struct decoder decoder = {
		message, record->rdata_at + record->rdata_size, record->rdata_at, &err};
	uint8_t target[DNS_NAME_MAX];
	uint16_t size;
	uint16_t key;
	struct decode_hint value;

	if (!number16(&decoder, &key) || !name(&decoder, target, &size))
		return;
	text_print(line, " %u ", key);
	print_name(target, line);
	while (decoder.at < decoder.size && param(&decoder, &key, &value)) {
		unsigned family = key == 6;

		if (key != hint_keys[family]) {
			text_print(line, " %u=", key);
			for (size_t i = 0; i < value.size; i++)
				text_print(line, "%02x", value.bytes[i]);
			continue;
		}
		text_print(line, " %s=", names[family]);
		for (size_t i = 0; i < value.size; i += hint_sizes[family]) {
			text_add(line, i > 0 ? "," : "");
			print_address(value.bytes + i, hint_sizes[family], families[family], line);
		}
	}
}

static void print_record(
	const uint8_t *message, const struct decode_record *record, struct text *line)
{
	print_name(record->owner, line);
	text_print(line, record->class == DNS_CLASS_CH ? " %u CH " : " %u ", record->ttl_s);
	print_type(record->type, line);
	if (*type_layout(record->type)) {
		print_fields(message, record, line);
		return;
	}
	if (is_service(record->type)) {
		print_service(message, record, line);
		return;
	}
	text_add(line, " ");
	if (record->type == DNS_TYPE_A) {
		print_address(record->rdata, 4, ADDRESS_IPV4, line);
	} else if (record->type == DNS_TYPE_AAAA) {
		print_address(record->rdata, 16, ADDRESS_IPV6, line);
	} else if (record->type == DNS_TYPE_DNAME) { /* never compressed (RFC 6672 2.5) */
		print_name(record->rdata, line);
	} else {
		for (size_t i = 0; i < record->rdata_size; i++)
			text_print(line, "%02x", record->rdata[i]);
	}
}

static void print_rcode(unsigned rcode, struct text *line)
{
	static const char *const names[24] = {
		[DNS_RCODE_NOERROR] = "NOERROR",
		[DNS_RCODE_FORMERR] = "FORMERR",
		[DNS_RCODE_SERVFAIL] = "SERVFAIL",
		[DNS_RCODE_NXDOMAIN] = "NXDOMAIN",
		[DNS_RCODE_NOTIMP] = "NOTIMP",
		[DNS_RCODE_YXDOMAIN] = "YXDOMAIN",
		[DNS_RCODE_REFUSED] = "REFUSED",
		[DNS_RCODE_BADVERS] = "BADVERS",
		[DNS_RCODE_BADCOOKIE] = "BADCOOKIE",
	};

	if (rcode < 24 && names[rcode])
		text_add(line, names[rcode]);
	else
		text_print(line, "rcode %u", rcode);
}

static void print_flags(uint16_t flags, struct text *line)
{
	static const struct {
		uint16_t flag;
		const char *name;
	} names[] = {
		{DNS_FLAG_AA, "aa"},
		{DNS_FLAG_TC, "tc"},
		{DNS_FLAG_RD, "rd"},
		{DNS_FLAG_RA, "ra"},
		{0x0040, "z"},
		{DNS_FLAG_AD, "ad"},
		{DNS_FLAG_CD, "cd"},
	};

	if (flags & 0x7800)
		text_print(line, " opcode %u", flags >> 11 & 0xf);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (flags & names[i].flag)
			text_print(line, " %s", names[i].name);
}

static void print_opt(const struct decoded *decoded, struct text *line)
{
	static const uint8_t families[] = {ADDRESS_NONE, ADDRESS_IPV4, ADDRESS_IPV6};

	text_print(line, "; edns %u%s", decoded->udp_size, decoded->dnssec_ok ? " do" : "");
	if (decoded->nsid)
		text_print(
			line, " nsid %.*s", (int)decoded->nsid_size, (const char *)decoded->nsid);
	if (decoded->has_error)
		text_print(line, " ede %u", decoded->extended_error);
	if (decoded->has_keepalive)
		text_print(line, " keepalive %u", decoded->idle_ds);
	if (decoded->has_zone_version)
		text_print(line, " zone %u %u", decoded->zone_labels, decoded->zone_serial);
	if (decoded->cookie)
		text_print(line, " cookie %u", decoded->cookie_unix_s);
	if (!decoded->has_ecs)
		return;
	text_print(line, " ecs %u/%u/%u ", decoded->ecs_family, decoded->source_bits,
		decoded->scope_bits);
	if (decoded->ecs_family == 1 || decoded->ecs_family == 2)
		print_address(decoded->ecs + 4, decoded->ecs_size - 4,
			families[decoded->ecs_family], line);
	else
		text_add(line, "none");
}

void decode_print(const uint8_t *message, const struct decoded *decoded, struct text *line)
{
	static const char *const sections[] = {"answer", "authority", "additional"};

	print_rcode(decoded->rcode, line);
	print_flags(decoded->flags, line);
	if (decoded->has_question) {
		text_add(line, "; ");
		print_name(message + DNS_HEADER_SIZE, line);
		text_add(line, " ");
		print_type(decoded->type, line);
	}
	for (size_t i = 0; i < decoded->count; i++) {
		const struct decode_record *record = &decoded->records[i];

		if (i == 0 || record->section != decoded->records[i - 1].section)
			text_print(line, "; %s ", sections[record->section]);
		else
			text_add(line, ", ");
		print_record(message, record, line);
	}
	if (decoded->has_opt)
		print_opt(decoded, line);
}
