/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DAEMON_ERRANDS_H
#define DAEMON_ERRANDS_H

#include "steerd/control/control.h"
#include "steerd/link/supervise.h"
#include "steerd/plan/snapshot.h"

/*
 * errands - what an operator wants to know of the prober: there in its terms, back in those of the control socket.
 */
struct errand {
	const struct control_inquiry *inquiry;
	control_found_fn found; /* called once, later */
	void *context;
};

void errands_inquire(
	struct supervise *supervise, const struct snapshot *snapshot, const struct errand *errand);

#endif
