/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROL_CONTROL_H
#define CONTROL_CONTROL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "steerd/base/address.h"
#include "steerd/base/err.h"
#include "steerd/base/report.h"
#include "steerd/base/text.h"
#include "steerd/control/request.h"
#include "steerd/health/belief.h"
#include "steerd/health/finding.h"
#include "steerd/health/guard.h"
#include "steerd/health/override.h"
#include "steerd/health/verdict.h"
#include "steerd/plan/plan.h"
#include "steerd/stats/stats.h"

struct event_base;

/*
 * control - steerd's end of the control socket: takes requests, answers them.
 *
 * What is known is asked of the caller by `describe`, what is to be done goes to it by the other actions; the
 * socket, the frames, limits and words are here.  One thread: that of the event base.  The
 * process ignores SIGPIPE.
 */
struct control;

enum control_prober_state {
	CONTROL_PROBER_NONE, /* nothing to check */
	CONTROL_PROBER_RUNNING,
	CONTROL_PROBER_SILENT, /* runs, but says nothing */
	CONTROL_PROBER_DOWN,   /* will be started again */
};

struct control_prober {
	enum control_prober_state state;
	pid_t pid; /* 0: none */
	uint32_t restarts;
	uint32_t renewals;   /* on purpose: with other rights */
	uint64_t stale;	     /* what it said for older orders, and was dropped */
	uint64_t refused;    /* what it said that cannot be: it was replaced each time */
	uint64_t started_ms; /* how long ago this or the last one was started */
	uint64_t heard_ms;   /* how long ago the last table came; UINT64_MAX: none yet */
	const char *why;     /* of the last end; NULL: it never ended */
};

/* Notifications (docs/operations.md 6). */
struct control_notices {
	size_t receivers;
	size_t waiting;	    /* given to the prober, which did not yet say what became of them */
	uint64_t oldest_ms; /* how long the first of these has waited */
	uint64_t told;	    /* since the start */
	uint64_t given_up;  /* the same */
	const char *given_up_why; /* the last of these; NULL: none was */
};

/* How reading the files went, the last time that someone asked. */
struct control_reload {
	uint64_t at_unix_s; /* 0: not since the start */
	bool done;
	const char *lines; /* of the report */
};

/* All that replies are made from; borrowed for one callback. */
struct control_facts {
	const struct plan *plan;
	const struct verdict_table *verdicts; /* may be younger than the plan's */
	const struct override_list *overrides;
	const struct belief_table *beliefs;   /* the plan's, or younger: of the same rows */
	const struct guard_pool_state *pools; /* by pool */
	const struct guard_observer *observer;
	const struct address_port *listen;
	size_t listen_count;
	uint64_t now_unix_s;
	uint64_t started_at_unix_s;
	struct control_prober prober;
	struct control_notices notices;
	struct control_reload reload;
	const char *state_error; /* why state cannot be saved; NULL: it can */
	uint64_t counters[STATS_COUNT];
	size_t tcp_open;
};

/* A request that is answered later. */
struct control_call;

enum control_reading {
	CONTROL_CHECK,
	CONTROL_RELOAD,
	CONTROL_RELOAD_FORCE,
};

/* How such a request ended. */
struct control_outcome {
	bool done;
	const char *message; /* one line: what was done, or why not */
	const char *lines;   /* of the report; NULL: none */
	uint64_t generation; /* that serves now */
};

/* What takes its time, such as reading a database. */
struct control_work {
	void (*run)(void *context);  /* in another thread */
	void (*done)(void *context); /* after it, in the thread of the event base */
	void *context;
};

/* One check to be made now: a target of the plan's snapshot, by its key, at one address. */
struct control_inquiry {
	const char *key;
	struct address address;
};

/* What came of it, lent for the call. */
struct control_found {
	const struct finding *items;
	size_t count;
	const char *why; /* why there is nothing: "the prober does not run"; NULL: there is */
};
typedef void (*control_found_fn)(void *context, const struct control_found *found);

struct control_actions {
	void *context;
	void (*describe)(void *context, struct control_facts *ret_facts);
	/* Applies an override, or with OVERRIDE_NONE ends it, to answers and on disk before it returns; false and `err`
	 * if it could not be saved (answers follow it all the same). */
	bool (*override)(void *context, const struct override *override, struct err *err);
	/* Reads the files; control_finish() is to be called once it is known how that went. */
	void (*read)(void *context, enum control_reading what, struct control_call *call);
	/* Does it without holding the event base; what is not done when control_stop() is called must not be done any more. */
	void (*work)(void *context, const struct control_work *work);
	/* Makes a check and calls `found` once, later, also when the prober is gone or says nothing; not after
	 * control_stop(). */
	void (*inquire)(void *context, const struct control_inquiry *inquiry,
		control_found_fn found, void *found_context);
	/* Says what a push monitor's target is; false and `err` if that cannot be passed on. */
	bool (*push)(void *context, const char *key, enum verdict_state state, const char *reason,
		struct err *err);
	/* Lets a member back that waits for an operator's word; how many of its addresses waited. */
	size_t (*let_back)(void *context, uint32_t member_id);
	/* End the process; what is left to be sent has been sent. */
	void (*stop)(void *context);
};

/* Takes the path over from a steerd that has gone, not from one that listens.  NULL: it cannot. */
struct control *control_start(struct event_base *base, const char *path,
	const struct control_actions *actions, struct err *err);
/* Removes the socket.  Calls that are not finished are dropped and must not be finished any more.  NULL is allowed. */
void control_stop(struct control *control);

/* Answers a call; it is gone then.  A caller that went away meanwhile is no matter. */
void control_finish(struct control_call *call, const struct control_outcome *outcome);

/*
 * The reply to a request that is answered at once (not check, reload, probe or stop); `by` is who asks.  The socket uses it, and
 * so may tests.
 */
void control_reply(const struct control_actions *actions, const struct request *request,
	const char *by, struct text *ret_json);

#endif
