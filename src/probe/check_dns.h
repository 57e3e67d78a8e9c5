/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROBE_CHECK_DNS_H
#define PROBE_CHECK_DNS_H

#include "probes.h"

/*
 * check_dns - asks the member a question, as a name server, and judges the answer.
 *
 * Over UDP it asks twice, the second time when half of the time is over; what is no answer to the question is let go by.
 * A truncated answer is asked for again over TCP.  NOERROR and a record of the type pass, or, where addresses are
 * expected, one of those.
 */
struct check_dns;

/*
 * `order` is copied; what it points to must outlive the check.  NULL: no socket could be had, and why, or "" where that
 * is our own fault, and says nothing of the member.
 */
struct check_dns *check_dns_start(
	struct event_base *base, const struct probe_order *order, struct err *err);
void check_dns_cancel(struct check_dns *check);

#endif
