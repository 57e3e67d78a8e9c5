/* SPDX-License-Identifier: Apache-2.0 */
#include "http2.h"

#include <ctype.h>
#include <event2/buffer.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "answer.h"

/* RFC 9113 4.1, 6 */
#define FRAME_HEADER_SIZE 9
enum { FRAME_DATA = 0, FRAME_HEADERS = 1, FRAME_SETTINGS = 4 };
enum { FLAG_ACK = 1, FLAG_END_STREAM = 1, FLAG_END_HEADERS = 4 };

static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"; /* RFC 9113 3.4 */
#define PREFACE_SIZE (sizeof(preface) - 1)

bool http2_find_request(struct evbuffer *in)
{
	uint8_t octets[PREFACE_SIZE];

	for (;;) {
		size_t there = evbuffer_get_length(in);

		if (there < PREFACE_SIZE && there < FRAME_HEADER_SIZE)
			return false;
		evbuffer_copyout(in, octets, sizeof(octets));
		if (memcmp(octets, preface, 3) == 0) { /* no frame is so long that it begins so */
			if (there < PREFACE_SIZE)
				return false;
			evbuffer_drain(in, PREFACE_SIZE);
			continue;
		}

		size_t size = (size_t)octets[0] << 16 | (size_t)octets[1] << 8 | octets[2];
		bool ends = (octets[3] == FRAME_HEADERS || octets[3] == FRAME_DATA) &&
			octets[4] & FLAG_END_STREAM;

		if (there < FRAME_HEADER_SIZE + size)
			return false;
		evbuffer_drain(in, FRAME_HEADER_SIZE + size);
		if (ends)
			return true;
	}
}

static void add_frame(
	struct evbuffer *out, uint8_t type, uint8_t flags, uint8_t stream, struct evbuffer *body)
{
	size_t size = body ? evbuffer_get_length(body) : 0;
	const uint8_t header[FRAME_HEADER_SIZE] = {(uint8_t)(size >> 16), (uint8_t)(size >> 8),
		(uint8_t)size, type, flags, 0, 0, 0, stream};

	evbuffer_add(out, header, sizeof(header));
	if (body)
		evbuffer_add_buffer(out, body);
}

/* RFC 7541 6.2.2: literal, not indexed, no Huffman code; names and values below 127 octets. */
static void add_field(struct evbuffer *block, const char *name, const char *value)
{
	char lower[128];
	size_t size = strlen(name);

	for (size_t i = 0; i < size; i++)
		lower[i] = (char)tolower((unsigned char)name[i]);

	const uint8_t name_size = (uint8_t)size;
	const uint8_t value_size = (uint8_t)strlen(value);

	evbuffer_add(block, "", 1);
	evbuffer_add(block, &name_size, 1);
	evbuffer_add(block, lower, size);
	evbuffer_add(block, &value_size, 1);
	evbuffer_add(block, value, value_size);
}

/* The lines of HTTP/1.1; RFC 9113 8.2.2: there is no "Connection". */
static void add_lines(struct evbuffer *block, struct evbuffer *fields)
{
	struct evbuffer *lines = evbuffer_new();

	evbuffer_add_buffer_reference(lines, fields);
	for (char *line; (line = evbuffer_readln(lines, NULL, EVBUFFER_EOL_CRLF)); free(line)) {
		char *colon = strchr(line, ':');

		if (!colon || strncmp(line, "Connection:", 11) == 0)
			continue;
		*colon = '\0';
		add_field(block, line, colon + 1 + strspn(colon + 1, " "));
	}
	evbuffer_free(lines);
}

void http2_write(const struct answer *answer, struct evbuffer *ret_octets)
{
	struct evbuffer *block = evbuffer_new();
	struct evbuffer *body = evbuffer_new();
	char number[24];

	snprintf(number, sizeof(number), "%u", answer->status);
	add_field(block, ":status", number);
	if (answer->length < ANSWER_NO_LENGTH) {
		snprintf(number, sizeof(number), "%" PRIu64, answer->length);
		add_field(block, "content-length", number);
	}
	add_lines(block, answer->fields);
	evbuffer_add_buffer_reference(body, answer->body);
	add_frame(ret_octets, FRAME_SETTINGS, 0, 0, NULL);
	add_frame(ret_octets, FRAME_SETTINGS, FLAG_ACK, 0, NULL);
	add_frame(ret_octets, FRAME_HEADERS, FLAG_END_HEADERS, 1, block);
	add_frame(ret_octets, FRAME_DATA, FLAG_END_STREAM, 1, body);
	evbuffer_free(block);
	evbuffer_free(body);
}
