/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ANSWER_H
#define ANSWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct evbuffer;

/*
 * answer - requests in HTTP/1.1, and the answer that is right for each, as a thing that can then be made
 * wrong.
 *
 * /big is a file of ANSWER_FILE_SIZE octets, of which ranges are served; every other path is the short
 * page.  The file is lines of sixteen octets, each of which says where it stands: "000000000000032\n" is
 * at octet 32.
 */
#define ANSWER_FILE_SIZE UINT64_C(4700000000)
#define ANSWER_ETAG "\"4700000000-1\""

struct request {
	char head[8192]; /* the request line and the fields, with the empty line */
	char body[256];	 /* its beginning */
};

/* Takes one request out of `in`; false if it is not all there. */
bool request_read(struct evbuffer *in, struct request *ret_request);
/* The value of a field, cut to `size`; "" if it is not there. */
void request_field(const struct request *request, const char *name, char *ret_value, size_t size);
bool request_begins_with(const struct request *request, const char *text); /* "GET /big " */

#define ANSWER_LENGTH_OF_BODY UINT64_MAX
#define ANSWER_NO_LENGTH (UINT64_MAX - 1)

/* Who answers: what the short page says. */
struct answer_page {
	const char *body;
	const char *name;
	const char *region; /* NULL: none */
};

struct answer {
	const char *version; /* "HTTP/1.1" */
	unsigned status;
	unsigned delay_ms;	 /* before the first octet */
	uint64_t length;	 /* what Content-Length says */
	struct evbuffer *fields; /* all others, each with its end of line */
	struct evbuffer *body;
	uint64_t file_at; /* behind the body: that part of the file */
	uint64_t file_size;
	/* Content-Range; total 0: there is none */
	uint64_t first;
	uint64_t last;
	uint64_t total;
	const char *etag; /* NULL: none */
	const struct request *request;
	unsigned number; /* the fault's, if it has one */
};

/* Start with answer_right(), end with answer_done(). */
void answer_right(
	const struct request *request, const struct answer_page *page, struct answer *ret_answer);
void answer_done(struct answer *answer);

/* The status line, all fields and the body, without the part of the file: octets of HTTP/1.1. */
void answer_write(const struct answer *answer, struct evbuffer *ret_octets);

/* The body in gzip's form, stored as it is. */
void answer_gzip(struct answer *answer);

/* So much of the file from `at` on. */
void answer_add_file(struct evbuffer *out, uint64_t at, size_t size);

#endif
