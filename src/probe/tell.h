/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROBE_TELL_H
#define PROBE_TELL_H

#include <stdbool.h>

struct sight;
struct check;
struct findings;

/*
 * tell - everything that a check found, for who asked for it (findings.h); nothing is done where nobody did.
 */

/* While it is connected: what TLS agreed on. */
void tell_connection(struct check *check);
/* Its last hop is over. */
void tell_hop(struct check *check);
/* The chain that was kept, for checks of any kind. */
void tell_chain(const struct sight *sight, struct findings *findings);

#endif
