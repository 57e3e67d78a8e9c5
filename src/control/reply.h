/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROL_REPLY_H
#define CONTROL_REPLY_H

#include <jansson.h>

#include "steerd/base/err.h"
#include "steerd/control/control.h"

/*
 * reply - the JSON of each command's reply, as docs/control.md says.  The caller owns what is returned.
 */
json_t *reply_refused(const char *error);
json_t *reply_done(const char *message);
json_t *reply_outcome(const struct control_outcome *outcome);

/* NULL and `err` if the request names what is not there. */
json_t *reply_status(
	const struct control_facts *facts, const struct request *request, struct err *err);
/* `place` as in struct explain_request. */
json_t *reply_explain(const struct control_facts *facts, const struct request *request,
	const struct geo_place *place, struct err *err);
json_t *reply_override(const struct control_actions *actions, const struct request *request,
	const char *by, struct err *err);

json_t *reply_return(const struct control_actions *actions, const struct request *request,
	const char *by, struct err *err);
json_t *reply_push(const struct control_actions *actions, const struct request *request,
	const char *by, struct err *err);

json_t *reply_metrics(const struct control_facts *facts);

struct view;
struct view_member;
/* What someone should look at, a text each, the worst first. */
json_t *reply_problems(const struct view *view);
/* Gives each of an endpoint's `addresses` in JSON the list of its checks. */
void reply_add_checks(const struct view *view, const struct view_member *member, json_t *addresses);

/* An override as in docs/control.md, NULL gives null. */
json_t *reply_one_override(const struct override *override);

#endif
