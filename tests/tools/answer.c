/* SPDX-License-Identifier: Apache-2.0 */
#include "answer.h"

#include <event2/buffer.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* ---- requests ---- */

void request_field(const struct request *request, const char *name, char *ret_value, size_t size)
{
	size_t length = strlen(name);

	ret_value[0] = '\0';
	for (const char *line = strstr(request->head, "\r\n"); line; line = strstr(line, "\r\n")) {
		line += 2;
		if (strncasecmp(line, name, length) != 0 || line[length] != ':')
			continue;

		const char *value = line + length + 1;

		value += strspn(value, " ");
		snprintf(ret_value, size, "%.*s", (int)strcspn(value, "\r\n"), value);
		return;
	}
}

bool request_begins_with(const struct request *request, const char *text)
{
	return strncmp(request->head, text, strlen(text)) == 0;
}

bool request_read(struct evbuffer *in, struct request *ret_request)
{
	struct evbuffer_ptr end = evbuffer_search(in, "\r\n\r\n", 4, NULL);
	char value[16];

	if (end.pos < 0 || (size_t)end.pos + 4 >= sizeof(ret_request->head))
		return false;

	size_t head_size = (size_t)end.pos + 4;

	evbuffer_copyout(in, ret_request->head, head_size);
	ret_request->head[head_size] = '\0';
	request_field(ret_request, "Content-Length", value, sizeof(value));

	size_t body_size = (size_t)strtoul(value, NULL, 10);
	size_t kept =
		body_size < sizeof(ret_request->body) ? body_size : sizeof(ret_request->body) - 1;

	if (evbuffer_get_length(in) < head_size + body_size)
		return false;
	evbuffer_drain(in, head_size);
	evbuffer_copyout(in, ret_request->body, kept);
	ret_request->body[kept] = '\0';
	evbuffer_drain(in, body_size);
	return true;
}

/* ---- the right answer ---- */

/* RFC 9110 14.1.2: one range, "bytes=0-99", "bytes=100-" or "bytes=-100". */
static bool read_range(const char *text, uint64_t *ret_first, uint64_t *ret_last)
{
	char *end;

	if (strncmp(text, "bytes=", 6) != 0)
		return false;
	text += 6;
	if (*text == '-') {
		uint64_t size = strtoull(text + 1, NULL, 10);

		*ret_first = size < ANSWER_FILE_SIZE ? ANSWER_FILE_SIZE - size : 0;
		*ret_last = ANSWER_FILE_SIZE - 1;
		return size > 0;
	}
	*ret_first = strtoull(text, &end, 10);
	if (*end != '-')
		return false;
	*ret_last = end[1] == '\0' ? UINT64_MAX : strtoull(end + 1, NULL, 10);
	if (*ret_last >= ANSWER_FILE_SIZE)
		*ret_last = ANSWER_FILE_SIZE - 1;
	return *ret_first <= *ret_last;
}

static void answer_file(const struct request *request, struct answer *answer)
{
	char range[64];

	answer->etag = ANSWER_ETAG;
	answer->file_size = ANSWER_FILE_SIZE;
	request_field(request, "Range", range, sizeof(range));
	if (!read_range(range, &answer->first, &answer->last))
		return;
	answer->status = 206;
	answer->total = ANSWER_FILE_SIZE;
	answer->file_at = answer->first;
	answer->file_size = answer->last - answer->first + 1;
}

void answer_right(
	const struct request *request, const struct answer_page *page, struct answer *ret_answer)
{
	*ret_answer = (struct answer){
		.request = request,
		.version = "HTTP/1.1",
		.status = 200,
		.length = ANSWER_LENGTH_OF_BODY,
		.fields = evbuffer_new(),
		.body = evbuffer_new(),
	};
	evbuffer_add_printf(ret_answer->fields,
		"Content-Type: text/plain\r\nX-Cache: HIT\r\nAge: 312\r\nConnection: close\r\n");
	if (request_begins_with(request, "GET /big ")) {
		answer_file(request, ret_answer);
		return;
	}
	evbuffer_add_printf(ret_answer->body, "%s\nserved by %s", page->body, page->name);
	if (page->region)
		evbuffer_add_printf(ret_answer->body, " in %s", page->region);
	evbuffer_add(ret_answer->body, "\n", 1);
	if (request_begins_with(request, "HEAD ")) {
		ret_answer->length = evbuffer_get_length(ret_answer->body);
		evbuffer_drain(ret_answer->body, (size_t)ret_answer->length);
	}
}

void answer_done(struct answer *answer)
{
	evbuffer_free(answer->fields);
	evbuffer_free(answer->body);
}

void answer_write(const struct answer *answer, struct evbuffer *ret_octets)
{
	uint64_t length = answer->length;

	if (length == ANSWER_LENGTH_OF_BODY)
		length = evbuffer_get_length(answer->body) + answer->file_size;
	evbuffer_add_printf(ret_octets, "%s %u %s\r\n", answer->version, answer->status,
		answer->status < 300 ? "OK" : "Because");
	if (length != ANSWER_NO_LENGTH)
		evbuffer_add_printf(ret_octets, "Content-Length: %" PRIu64 "\r\n", length);
	if (answer->total > 0)
		evbuffer_add_printf(ret_octets,
			"Content-Range: bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64 "\r\n",
			answer->first, answer->last, answer->total);
	if (answer->etag)
		evbuffer_add_printf(ret_octets, "ETag: %s\r\n", answer->etag);
	evbuffer_add_buffer_reference(ret_octets, answer->fields);
	evbuffer_add(ret_octets, "\r\n", 2);
	evbuffer_add_buffer_reference(ret_octets, answer->body);
}

/* ---- bodies ---- */

/* RFC 1952 8, a bit at a time: it is for short pages. */
static uint32_t crc_of(const uint8_t *octets, size_t size)
{
	uint32_t crc = UINT32_MAX;

	for (size_t i = 0; i < size; i++) {
		crc ^= octets[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? UINT32_C(0xedb88320) : 0);
	}
	return ~crc;
}

static void add_little(struct evbuffer *out, uint32_t value, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		uint8_t octet = (uint8_t)(value >> 8 * i);

		evbuffer_add(out, &octet, 1);
	}
}

void answer_gzip(struct answer *answer)
{
	static const uint8_t header[] = {0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3}; /* RFC 1952 2.3 */
	struct evbuffer *plain = answer->body;
	size_t size = evbuffer_get_length(plain); /* a stored block has at most 65535 */
	uint32_t crc = crc_of(evbuffer_pullup(plain, -1), size);

	answer->body = evbuffer_new();
	evbuffer_add(answer->body, header, sizeof(header));
	evbuffer_add(answer->body, "\x01", 1); /* RFC 1951 3.2.4: the last block, stored */
	add_little(answer->body, (uint32_t)size, 2);
	add_little(answer->body, ~(uint32_t)size, 2);
	evbuffer_add_buffer(answer->body, plain);
	add_little(answer->body, crc, 4);
	add_little(answer->body, (uint32_t)size, 4);
	evbuffer_free(plain);
	evbuffer_add_printf(answer->fields, "Content-Encoding: gzip\r\n");
}

#define LINE_SIZE 16

void answer_add_file(struct evbuffer *out, uint64_t at, size_t size)
{
	while (size > 0) {
		char line[LINE_SIZE + 8];
		size_t skipped = at % LINE_SIZE;
		size_t piece = LINE_SIZE - skipped < size ? LINE_SIZE - skipped : size;

		snprintf(line, sizeof(line), "%015" PRIu64 "\n", at - skipped);
		evbuffer_add(out, line + skipped, piece);
		at += piece;
		size -= piece;
	}
}
