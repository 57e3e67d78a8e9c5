/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONFIG_READ_H
#define CONFIG_READ_H

#include "complaints.h"
#include "steerd/config/settings.h"
#include "tree.h"

/*
 * read, check - from the tree of a file to settings: first each value for itself, as the table of settings says; then
 * what must fit together.
 */

/* Fills `settings`, whose arena and path are set.  `root` is a map. */
void read_settings(
	const struct node *root, struct settings *settings, struct complaints *complaints);
/* After read_settings() of the same tree, with or without mistakes. */
void check_settings(
	const struct node *root, const struct settings *settings, struct complaints *complaints);

#endif
