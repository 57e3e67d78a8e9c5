/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FAULTS_H
#define FAULTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct answer;

/*
 * faults - all the ways in which a server of tests/tools/backend can be wrong, as one table.
 *
 * A fault says at which moment the server leaves the right way, what it then sends, and how it ends.  A
 * field that is not given is as a good server has it: what is all zero answers every request and closes in
 * order.
 */
enum listening {
	LISTENS,
	LISTENS_ALONE, /* the system takes the connections, we do not */
	LISTENS_FULL,  /* and its queue is full: no SYN is answered */
	LISTENS_NOT,   /* nobody is there */
};

/* When it happens.  Up to AT_FLIGHT what is sent is sent as it is, then through TLS. */
enum moment {
	AT_REQUEST,   /* the request is there, whole */
	AT_ACCEPT,    /* the connection is taken */
	AT_HELLO,     /* the client's first octets are there */
	AT_FLIGHT,    /* we would send our part of the handshake: `flight_octets` of it go out */
	AT_HANDSHAKE, /* the handshake is done */
};

enum ending {
	END_ORDERLY, /* with TLS's close_notify */
	END_CUT,     /* closed without it */
	END_RESET,
	END_HANG, /* neither sends nor closes */
};

enum protocol {
	PROTOCOL_HTTP1, /* never anything else, whatever the client offers */
	PROTOCOL_HTTP2, /* chosen if the client offers it, and the fault is in HTTP/2 */
	PROTOCOL_BOTH,	/* as the client likes */
};

/* What is sent as it stands. */
struct octets {
	const char *bytes;
	size_t size;
};

/* Slowly: so many octets at a time. */
struct pace {
	size_t octets;
	unsigned every_ms; /* 0: as fast as they are taken */
	bool is_whole; /* from the first octet on; else what comes behind `says` or the body's text */
	size_t burst; /* fast before that */
};

struct fault {
	const char *name; /* "NAME=" takes a number */
	const char *about;
	enum listening listening;
	const char *certificate; /* of scripts/make-test-ca, beside the server's own; NULL: that */
	int tls_highest;	 /* TLS1_1_VERSION; 0: all that there are */
	bool asks_certificate;	 /* of the client */
	enum protocol protocol;
	enum moment moment;
	size_t flight_octets;	   /* AT_FLIGHT; 0: all */
	const struct octets *says; /* NULL AT_REQUEST: the right answer, NULL else: nothing */
	void (*twist)(struct answer *answer); /* makes the right answer wrong */
	const struct octets *again;	      /* behind it, without end */
	struct pace pace;
	enum ending ending;
};

/* The fault that `text` names, with its number; NULL: there is none of that name. */
const struct fault *fault_find(const char *text, unsigned *ret_number);

/* A line for each. */
void faults_print(FILE *to);

#endif
