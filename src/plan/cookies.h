/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COOKIES_H
#define COOKIES_H

#include <stdbool.h>

#include "steerd/plan/snapshot.h"

/*
 * cookies - the secrets of DNS cookies as a snapshot holds them.
 *
 * A missing file is no mistake: the secret of the snapshot before goes on, or a new one is made, and who has the state
 * directory saves it.  A file that is wrong refuses a reload; a start goes on with a secret of its own.
 */

/* Sets what the snapshot says of cookies; false, and an error in `report`, if they refuse it. */
bool cookies_init(
	struct snapshot *snapshot, const struct snapshot *previous, struct report *report);
void cookies_done(struct snapshot *snapshot);

#endif
