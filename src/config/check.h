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
	bool *is_site_used;
	bool *is_monitor_used;
};

/* A monitor for itself; `map` is what stands below its name. */
void check_monitor(
	struct check *check, const struct settings_monitor *monitor, const struct node *map);

#endif
