/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONFIG_CHECK_H
#define CONFIG_CHECK_H

#include "complaints.h"
#include "steerd/config/settings.h"
#include "tree.h"

/*
 * check - what must fit together in settings, looked at beside the tree that they were read from, which has the places.
 */
struct check {
	const struct settings *settings;
	struct complaints *complaints;
	const struct node *pools; /* as they are written; NULL: there are none */
	bool *is_site_used;
	bool *is_monitor_used;
};

/* A monitor for itself; `map` is what stands below its name. */
void check_monitor(
	struct check *check, const struct settings_monitor *monitor, const struct node *map);
/* How a pool, and each member of it, is checked; and what must hold for the observer. */
void check_pool_health(
	struct check *check, const struct settings_pool *pool, const struct node *map);
void check_member_health(struct check *check, const struct settings_pool *pool,
	const struct settings_member *member, const struct node *map);
void check_notify(
	struct check *check, const struct settings_notify *notify, const struct node *map);
void check_observer(struct check *check, const struct node *root);

#endif
