/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROL_VIEW_H
#define CONTROL_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "steerd/base/err.h"
#include "steerd/base/text.h"
#include "steerd/control/control.h"

/*
 * view - each member and pool as an operator thinks of it: one word of state, usable or not, since when.
 *
 * Made from the facts for one reply and freed with it.
 */
enum view_state {
	VIEW_UP,
	VIEW_PARTLY,
	VIEW_DEGRADED,
	VIEW_DOWN,
	VIEW_UNKNOWN,
	VIEW_UNCHECKED,
	VIEW_UNRESOLVED,
	VIEW_DRAINED,
	VIEW_FORCED_DOWN,
	VIEW_FORCED_UP,
};

const char *view_state_text(enum view_state state);

struct view_member {
	const struct settings_pool *pool;
	const struct settings_member *member;
	uint32_t id;
	const struct snapshot_member *checked;
	const char *site;		 /* NULL: none */
	const struct override *override; /* NULL: none */
	enum view_state state;
	bool is_usable;
	uint64_t since_unix_s; /* 0: unknown */
};

struct view_pool {
	const struct settings_pool *pool;
	const struct view_member *members; /* as many as the pool has */
	enum view_state state;		   /* up, degraded or down */
	size_t usable_count;
	/* A and AAAA are judged apart: what one family lost while the other is usable. */
	bool is_ipv4_lost;
	bool is_ipv6_lost;
};

struct view {
	const struct control_facts *facts;
	const struct belief_table *beliefs; /* the youngest that there are, as those of the pools */
	const struct guard_pool_state *states; /* by pool */
	const struct settings *settings;
	struct view_pool *pools; /* in the order of the settings; heap */
	size_t pool_count;
	struct view_member *members; /* pool by pool; heap */
	size_t member_count;
};

void view_init(struct view *view, const struct control_facts *facts);
void view_done(struct view *view);

/* What a pool lacks: "member", or when some are usable "IPv4 address" or "IPv6 address"; NULL: nothing. */
const char *view_lost_words(const struct view_pool *pool);
/* What a pool without a usable member does: "it answers with all of them (serve-all)". */
const char *view_all_down_words(const struct view *view, const struct view_pool *pool);

/* One check of one address of a member. */
struct view_check {
	const struct target *target;
	const struct settings_monitor *monitor;
	const struct verdict *verdict; /* NULL: none yet */
	bool is_watch_only;
};

/* What is believed of the addresses of an endpoint: a row for each. */
const struct belief *view_beliefs(
	const struct view *view, const struct view_member *member, size_t *ret_count);

/* What says most about an address: of the checks that decide, one that fails, else one that degrades it, else the first;
 * NULL: none has said anything yet. */
const struct verdict *view_telling(
	const struct view *view, const struct view_member *member, const struct address *address);

/* Most monitors that one member has. */
#define VIEW_CHECKS_MAX 64

/* The checks of an address of an endpoint, in configured order; how many were filled in. */
size_t view_checks(const struct view *view, const struct view_member *member,
	const struct address *address, struct view_check ret_checks[static VIEW_CHECKS_MAX]);
/* Whether the subject names the member, by the rule that overrides follow. */
bool view_is_named(const struct view_member *member, const char *subject);
/* How many members it names. */
size_t view_count_named(const struct view *view, const char *subject);
/* An error that says what was perhaps meant; `with_pools` if the name of a pool would do.  Returns false. */
bool view_unknown_subject(
	const struct view *view, const char *subject, bool with_pools, struct err *err);

#endif
