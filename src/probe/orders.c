/* SPDX-License-Identifier: Apache-2.0 */
#include "steerd/probe/orders.h"

#include <stdlib.h>
#include <string.h>

#include "certificate.h"
#include "recipe.h"
#include "steerd/base/log.h"
#include "steerd/base/memory.h"

/* Within the same orders files are the same ones; older orders have copies of their own. */
static bool is_same_file(const struct settings_file *a, const struct settings_file *b)
{
	return a && b ? a == b || strcmp(a->path, b->path) == 0 : a == b;
}

/*
 * What the first `count` monitors of `orders` trust that name the same CA file; NULL if none can.
 */
static X509_STORE *find_trust(
	const struct orders *orders, size_t count, const struct settings_file *ca)
{
	for (size_t i = 0; i < count; i++)
		if (is_same_file(orders->link.monitors[i].ca, ca) && orders->trust[i])
			return orders->trust[i];
	return NULL;
}

static X509_STORE *shared(X509_STORE *trust)
{
	X509_STORE_up_ref(trust);
	return trust;
}

static X509_STORE *open_trust(
	const struct orders *orders, size_t monitor, const struct orders *previous, struct err *err)
{
	const struct settings_file *ca = orders->link.monitors[monitor].ca;
	X509_STORE *known = find_trust(orders, monitor, ca);

	if (known)
		return shared(known);

	X509_STORE *fresh = certificate_trust(ca, err);

	if (fresh)
		return fresh;
	known = previous ? find_trust(previous, previous->link.monitor_count, ca) : NULL;
	log_err("monitor '%s': %s%s", orders->link.monitors[monitor].name, err->text,
		known ? "; going on with those read before" : "; its checks fail");
	return known ? shared(known) : NULL;
}

/* False: its checks cannot run. */
static bool make_trust(
	struct orders *orders, size_t which, const struct orders *previous, struct err *err)
{
	if (!recipe_needs_trust(&orders->link.monitors[which]))
		return true;
	orders->trust[which] = open_trust(orders, which, previous, err);
	return orders->trust[which] != NULL;
}

static bool make_recipe(struct orders *orders, size_t which, struct err *err)
{
	const struct settings_monitor *monitor = &orders->link.monitors[which];

	if (!recipe_is_for(monitor))
		return true;
	orders->recipes[which] = recipe_new(monitor, orders->trust[which], err);
	if (orders->recipes[which])
		return true;
	log_err("monitor '%s': %s; its checks fail", monitor->name, err->text);
	return false;
}

static void make_ready(struct orders *orders, const struct orders *previous)
{
	size_t count = orders->link.monitor_count;
	const char **trust_why = ARENA_ARRAY(orders->arena, const char *, count);
	const char **recipe_why = ARENA_ARRAY(orders->arena, const char *, count);

	orders->trust = ARENA_ARRAY(orders->arena, X509_STORE *, count);
	orders->trust_why = trust_why;
	orders->recipes = ARENA_ARRAY(orders->arena, struct recipe *, count);
	orders->recipe_why = recipe_why;
	for (size_t i = 0; i < count; i++) {
		struct err err;

		trust_why[i] = make_trust(orders, i, previous, &err)
			? ""
			: arena_text(orders->arena, err.text);
		recipe_why[i] = trust_why[i][0] != '\0' || make_recipe(orders, i, &err)
			? trust_why[i]
			: arena_text(orders->arena, err.text);
	}
}

struct orders *orders_read(
	const uint8_t *body, size_t size, const struct orders *previous, struct err *err)
{
	struct orders *orders = memory_new(sizeof(*orders));

	orders->arena = arena_new();
	if (!link_read_orders(body, size, orders->arena, &orders->link, err)) {
		arena_free(orders->arena);
		free(orders);
		return NULL;
	}

	orders->holders = 1;
	orders->reach = (struct reach){orders->link.own, orders->link.own_count};
	make_ready(orders, previous);
	return orders;
}

struct orders *orders_hold(struct orders *orders)
{
	orders->holders++;
	return orders;
}

void orders_drop(struct orders *orders)
{
	if (!orders || --orders->holders > 0)
		return;
	for (size_t i = 0; i < orders->link.monitor_count; i++) {
		recipe_drop(orders->recipes[i]);
		X509_STORE_free(orders->trust[i]);
	}
	verdict_table_done(&orders->link.verdicts);
	arena_free(orders->arena);
	free(orders);
}
