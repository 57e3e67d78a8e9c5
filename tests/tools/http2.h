/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTP2_H
#define HTTP2_H

#include <stdbool.h>

struct answer;
struct evbuffer;

/*
 * http2 - as much of HTTP/2 (RFC 9113) as it takes to be asked once and to answer.  What is asked is not
 * read, for that would take a reader of HPACK: the answer is the short page, whatever the path.
 */

/* Takes whole frames out of `in`, the client's preface too; true once a request is whole. */
bool http2_find_request(struct evbuffer *in);

/* Our settings, the acknowledgement of the client's, header fields and body, to stream 1. */
void http2_write(const struct answer *answer, struct evbuffer *ret_octets);

#endif
