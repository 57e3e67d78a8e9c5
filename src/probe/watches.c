/* SPDX-License-Identifier: Apache-2.0 */
#include "steerd/probe/watches.h"

#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "check_memory.h"
#include "findings.h"
#include "probes.h"
#include "steerd/base/clock.h"
#include "steerd/base/log.h"
#include "steerd/base/memory.h"
#include "steerd/base/random.h"
#include "steerd/health/judge.h"
#include "steerd/outbound/names.h"

/*
 * The first checks are spread over a second: news fast, and not in one burst.  Over more where
 * there are more than 500 targets, for a core makes some 700 TLS handshakes a second, and a check
 * that waits for the others looks like a slow backend. Never over more than `every`.
 */
#define SPREAD_MIN_MS 1000
#define SPREAD_TARGET_MS 2

/* A name is asked again before its TTL ends, within these. */
#define TTL_MIN_S 5
#define TTL_MAX_S 3600

/* A name that cannot be resolved is asked again after these, doubling. */
#define RETRY_MIN_MS 1000
#define RETRY_MAX_MS 60000

/* Of a slot that is not in the last table. */
#define ROW_NONE SIZE_MAX

struct watches {
	struct event_base *base;
	struct watches_options options;
	struct probes *probes;
	struct names *names;
	struct random random;
	struct orders *orders; /* held; NULL before the first */
	struct watch **list;   /* by target id */
	size_t count;
	uint32_t spread_ms; /* of the first checks */
	LIST_HEAD(, inquiry) inquiries;
};

/* One target. */
struct watch {
	struct watches *watches;
	target_id id;
	const struct target *target;		/* of the orders that hold now */
	const struct settings_monitor *monitor; /* NULL: resolve only */
	struct slot **slots;			/* by address */
	size_t count;
	struct event *ask;     /* host: when the name is looked up next */
	struct lookup *lookup; /* under way, or NULL */
	uint32_t retry_ms;     /* after the next failure */
	bool is_failing;       /* the last lookup failed, and it was said */
};

/* One address of it. */
struct slot {
	struct watch *watch;
	struct verdict verdict;
	size_t row; /* of the last table, or ROW_NONE */
	struct judge_latencies latencies;
	struct check_memory memory;
	struct event *due;	/* NULL: never checked */
	struct probe *probe;	/* under way, or NULL */
	uint64_t started_at_ms; /* the last check */
	uint64_t due_at_ms;	/* the next one */
};

static void after(struct event *event, uint64_t wait_ms)
{
	const struct timeval wait = {.tv_sec = (time_t)(wait_ms / 1000),
		.tv_usec = (suseconds_t)(wait_ms % 1000) * 1000};

	event_add(event, &wait);
}

static void say_changed(const struct slot *slot)
{
	const struct watches_options *options = &slot->watch->watches->options;

	if (slot->row != ROW_NONE)
		options->changed(options->context, slot->row, slot->verdict.state);
}

/* ---- checks of a slot ---- */

/* Give or take a tenth. */
static uint64_t jittered(struct watches *watches, uint64_t span_ms)
{
	uint32_t tenth = (uint32_t)(span_ms / 10);

	return span_ms - tenth + random_below(&watches->random, 2 * tenth + 1);
}

static void check_at(struct slot *slot, uint64_t due_at_ms)
{
	uint64_t now_ms = clock_monotonic_ms();

	slot->due_at_ms = due_at_ms;
	after(slot->due, due_at_ms > now_ms ? due_at_ms - now_ms : 0);
}

/* The last check of one that counts as well failed. */
static bool is_doubted(const struct slot *slot)
{
	const struct verdict *verdict = &slot->verdict;

	return verdict->checked_at_unix_s > 0 && !verdict->last_passed &&
		verdict->state != VERDICT_DOWN;
}

/*
 * When one that is doubted is checked again: never later than `every`, so that it is down after
 * `fall` times that; and after the first failure by `recheck`.
 */
static uint64_t doubt_ends_at_ms(const struct slot *slot)
{
	const struct settings_monitor *monitor = slot->watch->monitor;
	struct random *random = &slot->watch->watches->random;
	uint64_t every_at_ms = slot->started_at_ms + monitor->every_ms -
		random_below(random, monitor->every_ms / 10 + 1);
	uint64_t recheck_at_ms = clock_monotonic_ms() + monitor->recheck_ms -
		random_below(random, monitor->recheck_ms / 10 + 1);
	bool is_first = monitor->recheck_ms > 0 && slot->verdict.streak == 1;

	return is_first && recheck_at_ms < every_at_ms ? recheck_at_ms : every_at_ms;
}

/* From start to start: a backend that takes long is not checked less often. */
static void check_again(struct slot *slot)
{
	struct watches *watches = slot->watch->watches;

	check_at(slot,
		is_doubted(slot)
			? doubt_ends_at_ms(slot)
			: slot->started_at_ms + jittered(watches, slot->watch->monitor->every_ms));
}

/* At once, but not all in one burst. */
static void check_soon(struct slot *slot)
{
	struct watches *watches = slot->watch->watches;
	uint32_t every_ms = slot->watch->monitor->every_ms;
	uint32_t most_ms = every_ms < watches->spread_ms ? every_ms : watches->spread_ms;

	check_at(slot, clock_monotonic_ms() + random_below(&watches->random, most_ms + 1));
}

/* For developers: what it means to pools and members is said by steerd, to whom it goes. */
static void log_change(const struct slot *slot)
{
	const struct verdict *verdict = &slot->verdict;
	const struct target *target = slot->watch->target;
	char address[ADDRESS_TEXT_SIZE];

	address_print(&verdict->address, address);
	if (verdict->state == VERDICT_DOWN)
		log_debug("'%s'%s%s is down after %u failed checks: %s", target->key,
			target->host ? " at " : "", target->host ? address : "", verdict->streak,
			verdict->reason);
	else
		log_debug("'%s'%s%s is %s", target->key, target->host ? " at " : "",
			target->host ? address : "",
			verdict->state == VERDICT_UP ? "up" : "degraded");
}

static void judge(struct slot *slot, const struct judge_check *result)
{
	const struct settings_monitor *monitor = slot->watch->monitor;
	const struct judge_rule rule = {
		.fall = monitor->fall,
		.rise = monitor->rise,
		.hold_down_ms = monitor->hold_down_ms,
		.hold_down_max_ms = monitor->hold_down_max_ms,
	};
	bool changed = judge_apply(&slot->verdict, &rule, result);

	if (result->passed && !result->is_skipped)
		judge_add_latency(&slot->verdict, &slot->latencies, result->latency_ms);
	if (!changed)
		return;
	log_change(slot);
	say_changed(slot);
}

static void on_checked(void *context, const struct judge_check *result)
{
	struct slot *slot = context;

	slot->probe = NULL;
	if (result) {
		judge(slot, result);
		check_again(slot);
	} else {
		check_soon(slot);
	}
}

static void on_due(evutil_socket_t fd, short what, void *context)
{
	struct slot *slot = context;
	struct watches *watches = slot->watch->watches;
	const struct probe_order order = {
		.orders = watches->orders,
		.monitor = slot->watch->monitor,
		.target = slot->watch->target,
		.address = slot->verdict.address,
		.last_state = slot->verdict.state,
		.memory = &slot->memory,
		.done = on_checked,
		.context = slot,
	};

	(void)fd;
	(void)what;
	slot->started_at_ms = clock_monotonic_ms();
	slot->probe = probe_start(watches->probes, &order);
}

static struct slot *slot_new(struct watch *watch, const struct verdict *verdict)
{
	struct watches *watches = watch->watches;
	struct slot *slot = memory_new(sizeof(*slot));

	slot->watch = watch;
	slot->verdict = *verdict;
	slot->verdict.target = watch->id;
	slot->row = ROW_NONE;
	if (watch->monitor) {
		slot->due = evtimer_new(watches->base, on_due, slot);
		check_soon(slot);
	}
	return slot;
}

static void slot_free(struct slot *slot)
{
	probe_cancel(slot->probe);
	if (slot->due)
		event_free(slot->due);
	free(slot);
}

/* Under new orders: the same check goes on, no later than the new `every` allows. */
static void slot_renew(struct slot *slot)
{
	struct watch *watch = slot->watch;

	slot->verdict.target = watch->id;
	slot->row = ROW_NONE;
	/* one under way sets the next time when it ends */
	if (!slot->due || slot->probe)
		return;
	if (slot->due_at_ms > clock_monotonic_ms() + watch->monitor->every_ms)
		check_at(slot,
			clock_monotonic_ms() + jittered(watch->watches, watch->monitor->every_ms));
}

/* ---- addresses of a host name ---- */

static struct verdict unknown(const struct watch *watch, const struct address *address)
{
	return (struct verdict){
		.target = watch->id,
		.address = *address,
		.state = watch->monitor ? VERDICT_UNKNOWN : VERDICT_UP,
		.since_unix_s = clock_unix_s(),
	};
}

/*
 * Makes the slots those of `wanted`, which is sorted: a merge of two sorted lists.
 */
static void set_addresses(struct watch *watch, const struct address *wanted, size_t count)
{
	struct slot **slots = memory_new(count * sizeof(slots[0]));
	size_t old = 0;

	for (size_t i = 0; i < count; i++) {
		while (old < watch->count &&
			address_compare(&watch->slots[old]->verdict.address, &wanted[i]) < 0)
			slot_free(watch->slots[old++]);
		if (old < watch->count &&
			address_is_equal(&watch->slots[old]->verdict.address, &wanted[i])) {
			slots[i] = watch->slots[old++];
		} else {
			struct verdict verdict = unknown(watch, &wanted[i]);

			slots[i] = slot_new(watch, &verdict);
		}
	}
	while (old < watch->count)
		slot_free(watch->slots[old++]);
	free(watch->slots);
	watch->slots = slots;
	watch->count = count;
}

/* The addresses of one family: as found, or those known so far where the question failed. */
static size_t gather(const struct watch *watch, const struct names_family *family, uint8_t which,
	struct address *ret_addresses)
{
	size_t count = 0;

	if (family->state != NAMES_FAILED) {
		memcpy(ret_addresses, family->addresses,
			family->count * sizeof(family->addresses[0]));
		return family->count;
	}
	for (size_t i = 0; i < watch->count && count < NAMES_ADDRESSES_MAX; i++)
		if (watch->slots[i]->verdict.address.family == which)
			ret_addresses[count++] = watch->slots[i]->verdict.address;
	return count;
}

static void log_resolution(struct watch *watch, bool has_failed, const char *why)
{
	if (has_failed && !watch->is_failing && watch->count == 0)
		log_warning("'%s' cannot be resolved: %s; it has no address yet",
			watch->target->key, why);
	else if (has_failed && !watch->is_failing)
		log_warning("'%s' cannot be resolved: %s; its last known address%s stay%s",
			watch->target->key, why, watch->count == 1 ? "" : "es",
			watch->count == 1 ? "s" : "");
	if (!has_failed && watch->is_failing)
		log_notice("'%s' is resolved again", watch->target->key);
	watch->is_failing = has_failed;
}

static void retry_later(struct watch *watch)
{
	after(watch->ask, jittered(watch->watches, watch->retry_ms));
	watch->retry_ms = watch->retry_ms * 2 < RETRY_MAX_MS ? watch->retry_ms * 2 : RETRY_MAX_MS;
}

static uint32_t ttl_of(const struct names_result *result)
{
	uint32_t ttl_s = TTL_MAX_S;

	if (result->ipv4.state == NAMES_FOUND && result->ipv4.ttl_s < ttl_s)
		ttl_s = result->ipv4.ttl_s;
	if (result->ipv6.state == NAMES_FOUND && result->ipv6.ttl_s < ttl_s)
		ttl_s = result->ipv6.ttl_s;
	return ttl_s > TTL_MIN_S ? ttl_s : TTL_MIN_S;
}

/*
 * An answer without any address is no reason to have none: a name that was emptied by mistake, or
 * by an attacker on the way, would take its backends out of every answer.  Addresses only go when
 * others are there.
 */
static void on_resolved(void *context, const struct names_result *result)
{
	struct watch *watch = context;
	const struct names_family *ipv4 = &result->ipv4;
	const struct names_family *ipv6 = &result->ipv6;
	struct address addresses[2 * NAMES_ADDRESSES_MAX];

	watch->lookup = NULL;
	if (ipv4->state != NAMES_FOUND && ipv6->state != NAMES_FOUND) {
		log_resolution(watch, true, ipv4->why);
		retry_later(watch);
		return;
	}

	size_t count = gather(watch, ipv4, ADDRESS_IPV4, addresses);

	count += gather(watch, ipv6, ADDRESS_IPV6, addresses + count);
	set_addresses(watch, addresses, count);
	if (ipv4->state == NAMES_FAILED || ipv6->state == NAMES_FAILED) {
		log_resolution(watch, true, ipv4->state == NAMES_FAILED ? ipv4->why : ipv6->why);
		retry_later(watch);
		return;
	}
	log_resolution(watch, false, "");
	watch->retry_ms = RETRY_MIN_MS;
	/* before it ends: between eight and nine tenths of it */
	after(watch->ask,
		(uint64_t)ttl_of(result) * (800 + random_below(&watch->watches->random, 100)));
}

static void on_ask(evutil_socket_t fd, short what, void *context)
{
	struct watch *watch = context;

	(void)fd;
	(void)what;
	watch->lookup =
		lookup_start(watch->watches->names, watch->target->host, on_resolved, watch);
}

/* ---- targets ---- */

static void add_slot(struct watch *watch, const struct verdict *verdict)
{
	watch->slots = memory_resize(watch->slots, (watch->count + 1) * sizeof(watch->slots[0]));
	watch->slots[watch->count++] = slot_new(watch, verdict);
}

static void point_to(struct watch *watch, const struct orders *orders, target_id id)
{
	watch->id = id;
	watch->target = &orders->link.targets.targets[id];
	watch->monitor = watch->target->monitor == TARGET_NONE
		? NULL
		: &orders->link.monitors[watch->target->monitor];
}

static struct watch *watch_new(struct watches *watches, const struct orders *orders, target_id id)
{
	struct watch *watch = memory_new(sizeof(*watch));
	size_t count;
	const struct verdict *rows = verdict_table_find(&orders->link.verdicts, id, &count);

	watch->watches = watches;
	point_to(watch, orders, id);
	for (size_t i = 0; i < count; i++)
		add_slot(watch, &rows[i]);
	if (watch->target->host) {
		watch->retry_ms = RETRY_MIN_MS;
		watch->ask = evtimer_new(watches->base, on_ask, watch);
		after(watch->ask, 0);
	} else if (count == 0) {
		struct verdict verdict = unknown(watch, &watch->target->address);

		add_slot(watch, &verdict);
	}
	return watch;
}

static void watch_free(struct watch *watch)
{
	if (!watch)
		return;
	lookup_cancel(watch->lookup);
	if (watch->ask)
		event_free(watch->ask);
	for (size_t i = 0; i < watch->count; i++)
		slot_free(watch->slots[i]);
	free(watch->slots);
	free(watch);
}

static int compare_keys(const void *a, const void *b)
{
	struct watch *const *left = a;
	struct watch *const *right = b;

	return strcmp((*left)->target->key, (*right)->target->key);
}

/*
 * The watch for the same target among `sorted`, taken out of the list it was in; NULL if there is
 * none.
 */
static struct watch *take_watch(
	struct watches *watches, struct watch **sorted, const struct target *target)
{
	struct watch wanted = {.target = target};
	struct watch *key = &wanted;
	struct watch **found = watches->count == 0
		? NULL
		: bsearch(&key, sorted, watches->count, sizeof(sorted[0]), compare_keys);

	if (!found || !watches->list[(*found)->id])
		return NULL;

	const struct target *old = (*found)->target;
	bool is_same = !old->host == !target->host &&
		(old->monitor == TARGET_NONE) == (target->monitor == TARGET_NONE) &&
		(old->host ? strcmp(old->host, target->host) == 0
			   : address_is_equal(&old->address, &target->address));

	if (!is_same)
		return NULL;
	watches->list[(*found)->id] = NULL;
	return *found;
}

void watches_obey(struct watches *watches, struct orders *orders)
{
	size_t count = orders->link.targets.count;
	struct watch **sorted =
		memory_copy(watches->list, watches->count * sizeof(watches->list[0]));
	struct watch **taken = memory_new(count * sizeof(taken[0]));

	qsort(sorted, watches->count, sizeof(sorted[0]), compare_keys);
	watches->spread_ms = count * SPREAD_TARGET_MS > SPREAD_MIN_MS
		? (uint32_t)count * SPREAD_TARGET_MS
		: SPREAD_MIN_MS;
	/* first all that stay, by their old ids and keys; only then may those change */
	for (size_t i = 0; i < count; i++)
		taken[i] = take_watch(watches, sorted, &orders->link.targets.targets[i]);
	for (size_t i = 0; i < watches->count; i++)
		watch_free(watches->list[i]);
	for (size_t i = 0; i < count; i++) {
		if (!taken[i]) {
			taken[i] = watch_new(watches, orders, (target_id)i);
			continue;
		}
		point_to(taken[i], orders, (target_id)i);
		for (size_t k = 0; k < taken[i]->count; k++)
			slot_renew(taken[i]->slots[k]);
	}
	free(sorted);
	free(watches->list);
	watches->list = taken;
	watches->count = count;
	orders_hold(orders);
	orders_drop(watches->orders);
	watches->orders = orders;
	probes_obey(watches->probes, orders);
}

static void check_now(struct slot *slot)
{
	probe_cancel(slot->probe);
	slot->probe = NULL;
	check_at(slot, clock_monotonic_ms());
}

void watches_take_word(struct watches *watches, const struct link_pushed *pushed)
{
	probes_take_word(watches->probes, pushed);
	for (size_t i = 0; i < watches->count; i++) {
		struct watch *watch = watches->list[i];

		if (!watch->monitor || watch->monitor->kind != KIND_PUSH ||
			strcmp(watch->target->key, pushed->key) != 0)
			continue;
		for (size_t k = 0; k < watch->count; k++)
			check_now(watch->slots[k]);
	}
}

void watches_get_table(struct watches *watches, struct verdict_table *ret_table)
{
	struct verdict_table table = {.generation = watches->orders->link.targets.generation};
	size_t count = 0;

	for (size_t i = 0; i < watches->count; i++)
		count += watches->list[i]->count;
	table.rows = memory_new(count * sizeof(table.rows[0]));
	for (size_t i = 0; i < watches->count; i++)
		for (size_t k = 0; k < watches->list[i]->count; k++) {
			struct slot *slot = watches->list[i]->slots[k];

			slot->row = table.count;
			table.rows[table.count++] = slot->verdict;
		}
	*ret_table = table;
}

/* ---- inquiries ---- */

struct inquiry {
	LIST_ENTRY(inquiry) link;
	struct watches *watches;
	uint64_t id;
	struct findings findings;
	struct probe *probe;
};

static void inquiry_free(struct inquiry *inquiry)
{
	LIST_REMOVE(inquiry, link);
	probe_cancel(inquiry->probe);
	findings_done(&inquiry->findings);
	free(inquiry);
}

static void say_found(struct watches *watches, uint64_t id, const struct findings *findings)
{
	const struct link_findings found = {
		.id = id, .items = findings->items, .count = findings->count};

	watches->options.found(watches->options.context, &found);
}

static void add_verdict(struct findings *findings, const struct judge_check *result)
{
	if (!result) {
		findings_add(findings, FINDING_VERDICT, "unknown",
			"the prober was stopped, starved or short of descriptors, or got other "
			"orders",
			0);
		return;
	}
	if (result->is_skipped) {
		findings_add(findings, FINDING_VERDICT, "unknown", result->note, 0);
		return;
	}
	findings_add(findings, FINDING_VERDICT,
		!result->passed		      ? "down"
			: result->is_degraded ? "degraded"
					      : "up",
		result->passed && !result->is_degraded ? "" : result->reason, 0);
	if (result->note && result->note[0] != '\0')
		findings_add(findings, FINDING_VERDICT, "note", result->note, 0);
}

static void on_found(void *context, const struct judge_check *result)
{
	struct inquiry *inquiry = context;

	inquiry->probe = NULL;
	add_verdict(&inquiry->findings, result);
	say_found(inquiry->watches, inquiry->id, &inquiry->findings);
	inquiry_free(inquiry);
}

static const struct slot *find_slot(
	const struct watches *watches, const char *key, const struct address *address)
{
	for (size_t i = 0; i < watches->count; i++) {
		const struct watch *watch = watches->list[i];

		if (!watch->monitor || strcmp(watch->target->key, key) != 0)
			continue;
		for (size_t k = 0; k < watch->count; k++)
			if (address_is_equal(&watch->slots[k]->verdict.address, address))
				return watch->slots[k];
	}
	return NULL;
}

void watches_inquire(struct watches *watches, const struct link_inquiry *wanted)
{
	const struct slot *slot = find_slot(watches, wanted->key, &wanted->address);

	if (!slot) {
		say_found(watches, wanted->id, &(struct findings){0});
		return;
	}

	struct inquiry *inquiry = memory_new(sizeof(*inquiry));
	const struct probe_order order = {
		.orders = watches->orders,
		.monitor = slot->watch->monitor,
		.target = slot->watch->target,
		.address = wanted->address,
		.last_state = slot->verdict.state,
		.findings = &inquiry->findings,
		.done = on_found,
		.context = inquiry,
	};

	inquiry->watches = watches;
	inquiry->id = wanted->id;
	inquiry->findings.arena = arena_new();
	LIST_INSERT_HEAD(&watches->inquiries, inquiry, link);
	inquiry->probe = probe_start(watches->probes, &order);
}

/* ---- the whole ---- */

struct watches *watches_new(struct event_base *base, const struct watches_options *options)
{
	struct watches *watches = memory_new(sizeof(*watches));

	watches->base = base;
	watches->options = *options;
	watches->probes = probes_new(base, options->servers, options->most_at_once);
	watches->names = names_new(base, options->servers);
	random_seed(&watches->random);
	LIST_INIT(&watches->inquiries);
	return watches;
}

void watches_free(struct watches *watches)
{
	if (!watches)
		return;
	while (!LIST_EMPTY(&watches->inquiries))
		inquiry_free(LIST_FIRST(&watches->inquiries));
	for (size_t i = 0; i < watches->count; i++)
		watch_free(watches->list[i]);
	free(watches->list);
	probes_free(watches->probes);
	names_free(watches->names);
	orders_drop(watches->orders);
	free(watches);
}
