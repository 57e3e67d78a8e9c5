/* SPDX-License-Identifier: Apache-2.0 */
#ifndef STANDIN_H
#define STANDIN_H

#include <stddef.h>
#include <stdint.h>

#include "steerd/config/settings.h"
#include "steerd/server/server.h"

/*
 * standin - a server on loopback whose answers a test chooses, and clients for it.
 *
 * In place of answer_query() this links a function of its own, so that what is tested is how octets
 * come and go. A query is a header and a tail of zeroes; its QDCOUNT field says how many octets the
 * answer has more than the query; a fourth octet that is not zero says that the query has a valid
 * cookie.  An answer is the query with QR set, ended by the address that it was told to be from; a
 * limited one has TC as well, and nothing more.  Over TCP its ARCOUNT field says how long the
 * connection may stay, as the server tells clients.
 */
#define STANDIN_TAIL 17 /* sizeof(struct address) */

struct standin_options {
	const char *listen[3]; /* NULL: no more */
	uint32_t workers;      /* 0: 1 */
	uint32_t connections;  /* 0: 100 */
	uint32_t per_address;  /* 0: any number */
	uint32_t per_network;  /* 0: any number */
	uint32_t idle_ms;      /* 0: a minute, which no test waits for */
	uint32_t io_ms;	       /* 0: a minute */
	uint32_t responses;    /* a second; 0: no limit */
	uint32_t burst;	       /* 0: 1 */
	uint32_t slip;
	bool is_dry_run;
	const struct prefix *exempt; /* one, or NULL */
};

/* NULL on failure, with the reason in `err`. */
struct server *standin_try(const struct standin_options *options, struct err *err);
/* The same where it must not fail. */
struct server *standin_start(const struct standin_options *options);

uint64_t standin_counter(const struct server *server, enum stats_counter counter);

/* Writes a query of `size` octets, 12 at least, whose answer has `more` octets beyond its tail. */
void standin_query(uint8_t *query, size_t size, uint16_t id, uint16_t more);

/* Waits until the socket has something to read, an end included; fails the test after ten
 * seconds. */
void standin_await(int fd, const char *about);

/* Waits until so many TCP connections are open: a client may see the end of its own before it is
 * counted. */
void standin_await_open(const struct server *server, size_t count);

/* Ports of a server that listens once. */
struct address_port standin_at(const struct server *server, const char *address);
int standin_socket(int type, const struct address_port *to);

#endif
