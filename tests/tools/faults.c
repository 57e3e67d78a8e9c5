/* SPDX-License-Identifier: Apache-2.0 */
#include "faults.h"

#include <event2/buffer.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>

#include "answer.h"
#include "steerd/base/memory.h"

#define OCTETS(text) (&(const struct octets){(text), sizeof(text) - 1})

/* ---- what is wrong with an answer that is right else ---- */

static void set_status(struct answer *answer)
{
	answer->status = answer->number;
}

static void set_delay(struct answer *answer)
{
	answer->delay_ms = answer->number;
}

static void set_body(struct answer *answer, const char *text)
{
	evbuffer_drain(answer->body, evbuffer_get_length(answer->body));
	evbuffer_add(answer->body, text, strlen(text));
}

static void other_body(struct answer *answer)
{
	set_body(answer, "sorry\n");
}

static void no_body(struct answer *answer)
{
	set_body(answer, "");
}

/* The first octet of the body or of the slice, whose digit '0' becomes a '1'. */
static void flip_bit(struct answer *answer)
{
	unsigned char first = '0';

	if (answer->file_size > 0) {
		answer->file_at++;
		answer->file_size--;
	} else {
		evbuffer_remove(answer->body, &first, 1);
	}
	first ^= 1;
	evbuffer_prepend(answer->body, &first, 1);
}

/* What is looked for comes behind 128 KiB of the file. */
static void body_late(struct answer *answer)
{
	struct evbuffer *late = evbuffer_new();

	answer_add_file(late, 0, (size_t)128 << 10);
	evbuffer_prepend_buffer(answer->body, late);
	evbuffer_free(late);
}

static void long_body(struct answer *answer)
{
	answer->file_size = UINT64_C(10000000000);
}

static void promise_more(struct answer *answer)
{
	answer->length = 1000000;
}

static void promise_much(struct answer *answer)
{
	answer->length = UINT64_C(1) << 40;
}

static void name_no_encoding(struct answer *answer)
{
	evbuffer_add_printf(answer->fields, "Content-Encoding: rot13\r\n");
}

static void set_fields(struct answer *answer, const char *lines)
{
	evbuffer_drain(answer->fields, evbuffer_get_length(answer->fields));
	evbuffer_add_printf(answer->fields, "%s", lines);
}

static void no_cache_field(struct answer *answer)
{
	set_fields(answer, "Content-Type: text/plain\r\nConnection: close\r\n");
}

static void cache_miss(struct answer *answer)
{
	set_fields(answer, "X-Cache: MISS\r\nAge: 0\r\nConnection: close\r\n");
}

static void old_version(struct answer *answer)
{
	answer->version = "HTTP/1.0";
	answer->length = ANSWER_NO_LENGTH;
}

/* For monitors with method, headers and a body of their own. */
static void want_request(struct answer *answer)
{
	char field[32];

	request_field(answer->request, "X-Probe", field, sizeof(field));
	if (!request_begins_with(answer->request, "POST /health "))
		answer->status = 405;
	else if (strcmp(field, "steerd") != 0)
		answer->status = 403;
	else if (strcmp(answer->request->body, "ping") != 0)
		answer->status = 400;
}

static void want_head(struct answer *answer)
{
	if (!request_begins_with(answer->request, "HEAD "))
		answer->status = 405;
}

/* RFC 9110 15.5.20 */
static void want_host(struct answer *answer)
{
	char field[64];

	request_field(answer->request, "Host", field, sizeof(field));
	field[strcspn(field, ":")] = '\0';
	if (strcmp(field, "www.files.example") != 0)
		answer->status = 421;
}

/* ---- redirects ---- */

static void send_to(struct answer *answer, const char *where)
{
	answer->status = 302;
	evbuffer_add_printf(answer->fields, "Location: %s\r\n", where);
}

static void to_itself(struct answer *answer)
{
	send_to(answer, "/elsewhere");
}

static void to_one_page(struct answer *answer)
{
	if (!request_begins_with(answer->request, "GET /arrived "))
		send_to(answer, "/arrived");
}

static void to_other_host(struct answer *answer)
{
	send_to(answer, "https://elsewhere.example/health");
}

static void to_file(struct answer *answer)
{
	send_to(answer, "file:///etc/passwd");
}

static void to_nowhere(struct answer *answer)
{
	answer->status = 302;
}

/* From HTTP to the port `number` of HTTPS. */
static void to_tls(struct answer *answer)
{
	char host[64];

	request_field(answer->request, "Host", host, sizeof(host));
	host[strcspn(host, ":")] = '\0';
	answer->status = 302;
	evbuffer_add_printf(
		answer->fields, "Location: https://%s:%u/health\r\n", host, answer->number);
}

/* ---- ranges ---- */

static void whole_file(struct answer *answer)
{
	answer->status = 200;
	answer->total = 0;
	answer->file_at = 0;
	answer->file_size = ANSWER_FILE_SIZE;
}

static void other_range(struct answer *answer)
{
	answer->first += 16;
	answer->last += 16;
	answer->file_at += 16;
}

static void half_range(struct answer *answer)
{
	answer->file_size /= 2;
	answer->last = answer->first + answer->file_size - 1;
}

static void half_of_promised(struct answer *answer)
{
	answer->length = answer->file_size;
	answer->file_size /= 2;
}

static void other_total(struct answer *answer)
{
	answer->total++;
}

static void no_range_field(struct answer *answer)
{
	answer->total = 0;
}

static void bad_range_field(struct answer *answer)
{
	answer->total = 0;
	evbuffer_add_printf(answer->fields, "Content-Range: bytes all of it\r\n");
}

static void unsatisfied(struct answer *answer)
{
	answer->status = 416;
	answer->total = 0;
	answer->file_size = 0;
	evbuffer_add_printf(answer->fields, "Content-Range: bytes */4700000000\r\n");
}

static void other_etag(struct answer *answer)
{
	answer->etag = "\"4700000000-2\"";
}

static void many_parts(struct answer *answer)
{
	answer->total = 0;
	set_fields(answer,
		"Content-Type: multipart/byteranges; boundary=part\r\nConnection: close\r\n");
}

/* ---- octets ---- */

#define OK "HTTP/1.1 200 OK\r\n"
#define HEAD OK "Content-Type: text/plain\r\nConnection: close\r\n"
#define CHUNKED HEAD "Transfer-Encoding: chunked\r\n\r\n"

#define GZIP "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03" /* RFC 1952 2.3: no name, no comment */

/*
 * An endless run of 'x' (RFC 1951 3.2.6): a block of fixed codes, the letter, then "258 times the one
 * before" again and again: eight of those are these 13 octets.
 */
#define BOMB_BEGIN "\xaa"
#define BOMB_AGAIN "\x18\x05\xa3\x60\x14\x8c\x82\x51\x30\x0a\x46\xc1\x28"

/* RFC 9113 6: length, type, flags, stream; the body */
#define H2_SETTINGS "\x00\x00\x00\x04\x00\x00\x00\x00\x00"
#define H2_PING                                                                                    \
	"\x00\x00\x08\x06\x00\x00\x00\x00\x00"                                                     \
	"whatever"
#define H2_GOAWAY                                                                                  \
	"\x00\x00\x08\x07\x00\x00\x00\x00\x00"                                                     \
	"\x00\x00\x00\x00\x00\x00\x00\x0b" /* ENHANCE_YOUR_CALM */
#define H2_RESET                                                                                   \
	"\x00\x00\x04\x03\x00\x00\x00\x00\x01"                                                     \
	"\x00\x00\x00\x02"   /* INTERNAL_ERROR */
#define H2_STATUS_200 "\x88" /* RFC 7541 A */
#define H2_HEADERS "\x00\x00\x01\x01\x04\x00\x00\x00\x01" H2_STATUS_200
#define H2_HEADERS_OPEN "\x00\x00\x01\x01\x00\x00\x00\x00\x01" H2_STATUS_200
#define H2_CONTINUATION                                                                            \
	"\x00\x00\x05\x09\x00\x00\x00\x00\x01"                                                     \
	"\x00\x01x\x01y"
#define H2_HEADERS_BAD                                                                             \
	"\x00\x00\x04\x01\x04\x00\x00\x00\x01"                                                     \
	"\xff\xff\xff\xff"
#define H2_DATA_OPEN                                                                               \
	"\x00\x00\x02\x00\x00\x00\x00\x00\x01"                                                     \
	"ok"
#define H2_DATA_EMPTY "\x00\x00\x00\x00\x00\x00\x00\x00\x01"
#define H2_TOO_LONG "\xff\xff\xff\x00\x00\x00\x00\x00\x01"

static const struct fault faults[] = {
	{"ok", "200 and the body, or the range of /big; HTTP/2 if the client likes",
		.protocol = PROTOCOL_BOTH},
	{"delay=", "ok, after so many milliseconds", .twist = set_delay, .protocol = PROTOCOL_BOTH},
	{"status=", "that status, with the body", .twist = set_status, .protocol = PROTOCOL_BOTH},

	/* nobody there, or nobody at home */
	{"refused", "nobody listens", .listening = LISTENS_NOT},
	{"unanswered", "no SYN is answered: the queue is full", .listening = LISTENS_FULL},
	{"half-open", "the system takes the connection, the server never does",
		.listening = LISTENS_ALONE},
	{"hang", "takes the connection, sends no byte, not even for TLS", .moment = AT_ACCEPT,
		.ending = END_HANG},
	{"close", "takes the connection and closes it", .moment = AT_ACCEPT, .ending = END_CUT},
	{"reset", "takes the connection and resets it", .moment = AT_ACCEPT, .ending = END_RESET},

	/* the handshake */
	{"plain", "speaks HTTP without TLS", .moment = AT_HELLO,
		.says = OCTETS("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n"),
		.ending = END_CUT},
	{"close-hello", "closes when the client's greeting is there", .moment = AT_HELLO,
		.ending = END_CUT},
	{"reset-hello", "resets then", .moment = AT_HELLO, .ending = END_RESET},
	{"tls-alert", "refuses the client's greeting: handshake failure", .moment = AT_HELLO,
		.says = OCTETS("\x15\x03\x03\x00\x02\x02\x28"), .ending = END_CUT},
	{"tls-garbage", "answers the greeting with a record that holds nonsense",
		.moment = AT_HELLO, .says = OCTETS("\x16\x03\x03\x00\x08nonsense"),
		.ending = END_HANG},
	{"close-handshake", "closes within its part of the handshake", .moment = AT_FLIGHT,
		.flight_octets = 60, .ending = END_CUT},
	{"reset-handshake", "resets within it", .moment = AT_FLIGHT, .flight_octets = 60,
		.ending = END_RESET},
	{"hang-handshake", "says no more within it", .moment = AT_FLIGHT, .flight_octets = 60,
		.ending = END_HANG},
	{"slow-tls", "its part of the handshake, an octet every 50 ms", .moment = AT_FLIGHT,
		.pace = {.octets = 1, .every_ms = 50, .is_whole = true}, .ending = END_HANG},
	{"tls-1.0", "TLS 1.0 and nothing newer", .tls_highest = TLS1_VERSION},
	{"tls-1.1", "TLS 1.1 and nothing newer", .tls_highest = TLS1_1_VERSION},
	{"tls-1.2", "ok, TLS 1.2 and nothing newer", .tls_highest = TLS1_2_VERSION},
	{"client-cert", "TLS that ends unless the client shows a certificate that ca.pem signed",
		.asks_certificate = true},
	{"close-tls", "closes once TLS stands", .moment = AT_HANDSHAKE, .ending = END_CUT},
	{"reset-tls", "resets then", .moment = AT_HANDSHAKE, .ending = END_RESET},

	/* certificates */
	{"wrong-name", "a certificate for another name", .certificate = "wrong-name"},
	{"no-name", "a certificate without a name but the common one", .certificate = "no-name"},
	{"expired", "a certificate that has expired", .certificate = "expired"},
	{"not-yet", "a certificate that is not valid yet", .certificate = "not-yet"},
	{"self-signed", "a certificate that it signed itself", .certificate = "self-signed"},
	{"other-ca", "a certificate of an authority that nobody knows", .certificate = "other-ca"},
	{"chain", "ok, with the intermediate certificate that it takes", .certificate = "chain"},
	{"no-chain", "without that", .certificate = "no-chain"},
	{"expired-issuer", "an intermediate certificate that has expired",
		.certificate = "expired-issuer"},
	{"wrong-usage", "a certificate for clients", .certificate = "client"},
	{"short-key", "a certificate with a key of 1024 bits", .certificate = "short-key"},
	{"ends-in-2-days", "a certificate that ends in two days", .certificate = "ends-in-2-days"},
	{"ends-in-10-days", "a certificate that ends in ten", .certificate = "ends-in-10-days"},

	/* in place of an answer */
	{"stall", "no answer to the request", .says = OCTETS(""), .ending = END_HANG},
	{"close-late", "closes in place of an answer", .says = OCTETS("")},
	{"reset-late", "resets in place of an answer", .says = OCTETS(""), .ending = END_RESET},
	{"not-http", "something that is not HTTP", .says = OCTETS("220 mail.example ESMTP\r\n")},
	{"http-0.9", "a body without a head", .says = OCTETS("ok\n")},
	{"http-1.0", "ok in HTTP/1.0, without a length", .twist = old_version},
	{"bad-status", "a status that is no number",
		.says = OCTETS("HTTP/1.1 fine OK\r\nConnection: close\r\n\r\nok\n")},
	{"close-status", "closes in the status line", .says = OCTETS("HTTP/1.1 2"),
		.ending = END_CUT},
	{"reset-status", "resets in it", .says = OCTETS("HTTP/1.1 2"), .ending = END_RESET},
	{"hang-status", "says no more in it", .says = OCTETS("HTTP/1.1 2"), .ending = END_HANG},
	{"slow-answer", "the right answer, an octet every 100 ms",
		.pace = {.octets = 1, .every_ms = 100, .is_whole = true}},
	{"endless-1xx", "answers that only announce one, without end", .says = OCTETS(""),
		.again = OCTETS("HTTP/1.1 103 Early Hints\r\nLink: </style.css>\r\n\r\n")},

	/* header fields */
	{"close-headers", "closes within the header fields", .says = OCTETS(OK "Content-Ty"),
		.ending = END_CUT},
	{"reset-headers", "resets within them", .says = OCTETS(OK "Content-Ty"),
		.ending = END_RESET},
	{"hang-headers", "says no more within them", .says = OCTETS(OK "Content-Ty"),
		.ending = END_HANG},
	{"slow-headers", "a header field without end, an octet every 100 ms",
		.says = OCTETS(OK "X-Slow: "), .again = OCTETS("s"),
		.pace = {.octets = 1, .every_ms = 100}},
	{"endless-headers", "200, then header fields without end", .says = OCTETS(OK),
		.again = OCTETS("X-Filler: and one more, as the ones before it\r\n")},
	{"endless-line", "200, then one header field without end", .says = OCTETS(OK "X-Filler: "),
		.again = OCTETS("and so on ")},
	{"bad-header", "a header field without a colon",
		.says = OCTETS(HEAD "Content-Length: 3\r\nthis is no field\r\n\r\nok\n")},
	{"zero-header", "a header field with an octet 0",
		.says = OCTETS(HEAD "Content-Length: 3\r\nX-Zero: a\0b\r\n\r\nok\n")},
	{"two-lengths", "two lengths that differ",
		.says = OCTETS(HEAD "Content-Length: 3\r\nContent-Length: 5\r\n\r\nok\n\r\n")},
	{"negative-length", "a length below zero",
		.says = OCTETS(HEAD "Content-Length: -3\r\n\r\nok\n")},
	{"bad-length", "a length that is no number",
		.says = OCTETS(HEAD "Content-Length: three\r\n\r\nok\n")},
	{"missing-header", "ok, without X-Cache", .twist = no_cache_field,
		.protocol = PROTOCOL_BOTH},
	{"wrong-header", "ok, but X-Cache is MISS", .twist = cache_miss, .protocol = PROTOCOL_BOTH},

	/* the body */
	{"wrong-body", "200 and another body", .twist = other_body, .protocol = PROTOCOL_BOTH},
	{"empty-body", "200 and no body", .twist = no_body, .protocol = PROTOCOL_BOTH},
	{"late-body", "200 and the body behind 128 KiB of others", .twist = body_late},
	{"flipped-bit", "the right body or range, but for its first octet", .twist = flip_bit,
		.protocol = PROTOCOL_BOTH},
	{"short-body", "closes before the length that it announced", .twist = promise_more,
		.ending = END_CUT},
	{"reset-body", "resets before it", .twist = promise_more, .ending = END_RESET},
	{"hang-body", "says no more before it", .twist = promise_more, .ending = END_HANG},
	{"slow-body", "200, then an octet every 100 ms, without end",
		.says = OCTETS(HEAD "Content-Length: 1000000\r\n\r\n"), .again = OCTETS("."),
		.pace = {.octets = 1, .every_ms = 100}},
	{"endless-body", "200 and the body, then octets without end", .twist = promise_much,
		.again = OCTETS("and one more, as the ones before it\n")},
	{"long-body", "200 and the body, then 10 GB", .twist = long_body},
	{"gzip", "ok, compressed", .twist = answer_gzip},
	{"bad-gzip", "a compressed body that is broken",
		.says = OCTETS(HEAD "Content-Encoding: gzip\r\n\r\n" GZIP "wrongly packed")},
	{"gzip-bomb", "a compressed body that unpacks without end",
		.says = OCTETS(HEAD "Content-Encoding: gzip\r\n\r\n" GZIP BOMB_BEGIN),
		.again = OCTETS(BOMB_AGAIN)},
	{"bad-encoding", "a body in an encoding that there is not", .twist = name_no_encoding},
	{"chunked", "ok, in chunks", .says = OCTETS(CHUNKED "2\r\nok\r\n1\r\n\n\r\n0\r\n\r\n")},
	{"close-chunk", "closes within a chunk", .says = OCTETS(CHUNKED "100\r\nok\n"),
		.ending = END_CUT},
	{"reset-chunk", "resets within one", .says = OCTETS(CHUNKED "100\r\nok\n"),
		.ending = END_RESET},
	{"hang-chunk", "says no more between two", .says = OCTETS(CHUNKED "3\r\nok\n\r\n"),
		.ending = END_HANG},
	{"chunk-size", "a chunk whose size is no number",
		.says = OCTETS(CHUNKED "3\r\nok\n\r\nnone\r\n\r\n")},
	{"chunk-negative", "a chunk of a size below zero",
		.says = OCTETS(CHUNKED "-3\r\nok\n\r\n0\r\n\r\n")},
	{"chunk-huge", "a chunk of a size that no number holds",
		.says = OCTETS(CHUNKED "3\r\nok\n\r\nffffffffffffffffffff\r\n")},
	{"chunk-end", "a chunk that is longer than its size",
		.says = OCTETS(CHUNKED "2\r\nok\n\r\n0\r\n\r\n")},
	{"endless-chunks", "chunks without end", .says = OCTETS(CHUNKED),
		.again = OCTETS("3\r\nok\n\r\n")},
	{"endless-extension", "a chunk that is described without end",
		.says = OCTETS(CHUNKED "3;why=\""), .again = OCTETS("because ")},
	{"endless-trailers", "the body, then header fields behind it without end",
		.says = OCTETS(CHUNKED "3\r\nok\n\r\n0\r\n"),
		.again = OCTETS("X-Filler: and one more, as the ones before it\r\n")},

	/* what it wants of the client */
	{"want-post", "ok to POST /health with X-Probe: steerd and the body ping",
		.twist = want_request},
	{"want-head", "ok to HEAD", .twist = want_head},
	{"want-host", "ok to the host www.files.example", .twist = want_host},

	/* redirects */
	{"redirect", "302 to itself", .twist = to_itself},
	{"redirect-once", "302 to /arrived, which is ok", .twist = to_one_page},
	{"redirect-host", "302 to another host", .twist = to_other_host},
	{"redirect-file", "302 to a file", .twist = to_file},
	{"redirect-nowhere", "302 without a place to go", .twist = to_nowhere},
	{"redirect-tls=", "302 to HTTPS at that port", .twist = to_tls},

	/* ranges, and how fast they come */
	{"range-ignored", "200 and the whole file for a range", .twist = whole_file},
	{"range-other", "206 and another range", .twist = other_range},
	{"range-half", "206 and half of the range, as it says", .twist = half_range},
	{"range-short", "206 and half of the range that it promised", .twist = half_of_promised,
		.ending = END_CUT},
	{"range-total", "206 of a file that is longer", .twist = other_total},
	{"range-unsaid", "206 that does not say of what", .twist = no_range_field},
	{"range-garbled", "206 that says nonsense", .twist = bad_range_field},
	{"range-416", "416, there is no such range", .twist = unsatisfied},
	{"range-etag", "206 of another version of the file", .twist = other_etag},
	{"range-parts", "206 in several parts", .twist = many_parts},
	{"slow-rate", "ok, but a body at 2.6 Mbit/s", .pace = {.octets = 16384, .every_ms = 50}},
	{"cut-rate", "ok, but a body at 2.6 Mbit/s after the first 256 KiB",
		.pace = {.octets = 16384, .every_ms = 50, .burst = (size_t)256 << 10}},

	/* HTTP/2 */
	{"no-http2", "ok in HTTP/1.1, whatever is offered", .protocol = PROTOCOL_HTTP1},
	{"http2-goaway", "GOAWAY at once", .protocol = PROTOCOL_HTTP2, .moment = AT_HANDSHAKE,
		.says = OCTETS(H2_SETTINGS H2_GOAWAY), .ending = END_HANG},
	{"http2-reset", "RST_STREAM in place of an answer", .protocol = PROTOCOL_HTTP2,
		.says = OCTETS(H2_SETTINGS H2_RESET), .ending = END_HANG},
	{"http2-settings", "SETTINGS without end", .protocol = PROTOCOL_HTTP2,
		.says = OCTETS(H2_SETTINGS), .again = OCTETS(H2_SETTINGS)},
	{"http2-pings", "PING without end", .protocol = PROTOCOL_HTTP2, .says = OCTETS(H2_SETTINGS),
		.again = OCTETS(H2_PING)},
	{"http2-empty", "frames of the body without an octet in them, without end",
		.protocol = PROTOCOL_HTTP2, .says = OCTETS(H2_SETTINGS H2_HEADERS),
		.again = OCTETS(H2_DATA_EMPTY)},
	{"http2-continuation", "header fields without end", .protocol = PROTOCOL_HTTP2,
		.says = OCTETS(H2_SETTINGS H2_HEADERS_OPEN), .again = OCTETS(H2_CONTINUATION)},
	{"http2-garbled", "header fields that cannot be unpacked", .protocol = PROTOCOL_HTTP2,
		.says = OCTETS(H2_SETTINGS H2_HEADERS_BAD), .ending = END_HANG},
	{"http2-frame", "a frame that is longer than any may be", .protocol = PROTOCOL_HTTP2,
		.says = OCTETS(H2_SETTINGS H2_TOO_LONG), .ending = END_HANG},
	{"http2-close", "closes within the body", .protocol = PROTOCOL_HTTP2,
		.says = OCTETS(H2_SETTINGS H2_HEADERS H2_DATA_OPEN), .ending = END_CUT},
	{"http2-hang", "says no more within the body", .protocol = PROTOCOL_HTTP2,
		.says = OCTETS(H2_SETTINGS H2_HEADERS H2_DATA_OPEN), .ending = END_HANG},
	{"http2-http1", "agrees on HTTP/2 and answers in HTTP/1.1", .protocol = PROTOCOL_HTTP2,
		.says = OCTETS(HEAD "Content-Length: 3\r\n\r\nok\n")},
};

const struct fault *fault_find(const char *text, unsigned *ret_number)
{
	size_t name_size = strcspn(text, "=");

	name_size += text[name_size] == '=';
	for (size_t i = 0; i < COUNT_OF(faults); i++) {
		if (strlen(faults[i].name) != name_size ||
			strncmp(faults[i].name, text, name_size) != 0)
			continue;
		*ret_number = (unsigned)strtoul(text + name_size, NULL, 10);
		return &faults[i];
	}
	return NULL;
}

void faults_print(FILE *to)
{
	for (size_t i = 0; i < COUNT_OF(faults); i++)
		fprintf(to, "%-20s%s\n", faults[i].name, faults[i].about);
}
