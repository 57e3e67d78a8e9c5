/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RIG_H
#define RIG_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include "steerd/health/verdict.h"
#include "steerd/link/supervise.h"

struct event_base;

/*
 * rig - real HTTPS servers with real certificates, and a real steerd-prober, for tests of the room
 * probe.
 *
 * Programs are those of the build directory, in which tests run.  Nothing waits for time:
 * rig_wait() runs the event loop until what is waited for holds, and fails the test when it does
 * not come.
 */
#define RIG_PROBER "./steerd-prober"
#define RIG_SERVERS_MAX 40

/* Certificates of scripts/make-test-ca for dl.files.example in a directory of their own. */
struct rig_certificates {
	char directory[64];
};

void rig_make_certificates(struct rig_certificates *certificates);
void rig_remove_certificates(struct rig_certificates *certificates);
/* DIRECTORY/NAME; the caller frees it. */
char *rig_certificate_path(const struct rig_certificates *certificates, const char *name);

struct rig_server {
	const char *name;
	const char *certificate; /* "good"; a stem in the directory */
	const char *mode;
	bool is_plain;	    /* HTTP */
	const char *listen; /* "127.0.0.1:0"; port 0: `port` says which */
	uint16_t port;
};

/* One process with all servers. */
struct rig_backend {
	pid_t pid;
	FILE *to;
	FILE *from;
};

void rig_start_backend(struct rig_backend *backend, const struct rig_certificates *certificates,
	struct rig_server *servers, size_t count);
/* A line such as "mode hang"; returns when it holds. */
void rig_tell(struct rig_backend *backend, const char *line);
/* How many requests the server has had. */
unsigned long rig_count_requests(struct rig_backend *backend, const char *name);
void rig_stop_backend(struct rig_backend *backend);

/* steerd's end, which keeps the last table and what was called. */
struct rig_steerd {
	struct event_base *base;
	struct supervise *supervise;
	struct link_orders orders; /* the test's; `verdicts` follows the tables */
	struct verdict_table table;
	bool refuses_tables;
	size_t table_count;
	size_t states_count;
	size_t started_count;
	size_t ended_count;
	pid_t pid;
	char why[256]; /* it ended last */
};

/* Starts the program with `orders`, whose memory must outlive it. */
void rig_start_steerd(
	struct rig_steerd *steerd, const char *program, const struct link_orders *orders);
void rig_stop_steerd(struct rig_steerd *steerd);

/* Runs until `holds` does; fails the test with `about` after 20 s, or when the machine hangs. */
void rig_wait(struct rig_steerd *steerd, bool (*holds)(const struct rig_steerd *, const void *),
	const void *context, const char *about);

/* The same without failing: whether it came. */
bool rig_await(struct rig_steerd *steerd, bool (*holds)(const struct rig_steerd *, const void *),
	const void *context);

/* A file as steerd would have read it, bytes and all, for the life of the program; NULL for NULL. */
const struct settings_file *rig_file(const char *path);

/* A monitor that judges at once: fall 1, rise 1, every 300 ms, 2 s to answer. */
struct settings_monitor rig_monitor(const char *name, uint16_t port, const char *ca_path);
struct target rig_target(const char *key, uint32_t monitor, const char *address);

#endif
