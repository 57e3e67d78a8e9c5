/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SERVER_H
#define SERVER_H

#include <event2/util.h>
#include <stdbool.h>

#include "connection.h"
#include "faults.h"
#include "steerd/base/address.h"
#include "steerd/base/err.h"

struct evconnlistener;

/*
 * server - one address on which the program listens: its certificate, its fault, and whether anybody is
 * there at all.
 */

/* Certificates that were read, with their keys: thousands of servers share a few. */
struct identity;
SLIST_HEAD(identity_list, identity);
void server_free_identities(struct identity_list *identities);

struct server {
	struct server_face face; /* holds a reference to its `tls` */
	struct identity_list *identities;
	const char *certificate; /* path of a chain; a fault's own is beside it */
	const char *key;
	bool is_plain;		    /* HTTP without TLS */
	struct address_port listen; /* port 0: any, until it listens */
	struct evconnlistener *listener;
	evutil_socket_t filler; /* LISTENS_FULL: the connection that fills the queue; -1 */
};

bool server_start(struct server *server, struct err *err);
void server_stop(struct server *server);

/* Both hold once they return; what was there stays if it cannot be done. */
bool server_set_fault(
	struct server *server, const struct fault *fault, unsigned number, struct err *err);
/* For connections from now on, until a fault brings its own.  `again`: as it stands in the file now. */
bool server_set_certificate(struct server *server, const char *certificate, const char *key,
	bool again, struct err *err);

#endif
