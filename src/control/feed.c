/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "reply.h"
#include "steerd/base/log.h"
#include "view.h"

/*
 * What operators and their programs say of health itself: `push` feeds a monitor, `return` lets a member back that waits
 * for it.
 */

/* ---- return ---- */

json_t *reply_return(const struct control_actions *actions, const struct request *request,
	const char *by, struct err *err)
{
	const char *subject = request->text[ARGUMENT_SUBJECT];
	struct control_facts facts = {0};
	struct text message = {0};
	struct view view;
	size_t members = 0;
	size_t addresses = 0;

	actions->describe(actions->context, &facts);
	view_init(&view, &facts);

	bool is_known = view_count_named(&view, subject) > 0 ||
		view_unknown_subject(&view, subject, false, err);

	for (size_t i = 0; is_known && i < view.member_count; i++) {
		if (!view_is_named(&view.members[i], subject))
			continue;

		size_t back = actions->let_back(actions->context, view.members[i].id);

		members += back > 0;
		addresses += back;
	}
	view_done(&view);
	if (!is_known)
		return NULL;
	if (addresses == 0) {
		err_set(err, "'%s' does not wait to be returned", subject);
		return NULL;
	}
	log_notice("%s: returned by %s", subject, by);
	text_print(&message, "%s: returned (%zu address%s of %zu member%s)", subject, addresses,
		addresses == 1 ? "" : "es", members, members == 1 ? "" : "s");

	json_t *json = reply_done(message.bytes);

	json_put_number(json, "members", members);
	json_put_number(json, "addresses", addresses);
	text_done(&message);
	return json;
}

/* ---- push ---- */

struct feed {
	const struct control_actions *actions;
	const char *monitor; /* NULL: each push monitor */
	const char *reason;
	enum verdict_state state;
	const struct target *last; /* several addresses of a host have one target */
	size_t told;
};

static enum verdict_state state_of(const char *word)
{
	if (strcmp(word, "up") == 0)
		return VERDICT_UP;
	return strcmp(word, "degraded") == 0 ? VERDICT_DEGRADED : VERDICT_DOWN;
}

static bool feed_address(const struct view *view, const struct view_member *member,
	const struct address *address, struct feed *feed, struct err *err)
{
	struct view_check checks[VIEW_CHECKS_MAX];
	size_t count = view_checks(view, member, address, checks);

	for (size_t i = 0; i < count; i++) {
		const struct view_check *check = &checks[i];

		if (check->monitor->kind != KIND_PUSH || check->target == feed->last ||
			(feed->monitor && strcmp(feed->monitor, check->monitor->name) != 0))
			continue;
		if (!feed->actions->push(feed->actions->context, check->target->key, feed->state,
			    feed->reason, err))
			return false;
		feed->last = check->target;
		feed->told++;
	}
	return true;
}

static bool feed_member(const struct view *view, const struct view_member *member,
	struct feed *feed, struct err *err)
{
	size_t count;
	const struct belief *beliefs = view_beliefs(view, member, &count);
	bool done = true;

	for (size_t i = 0; done && i < count; i++)
		done = feed_address(view, member, &beliefs[i].address, feed, err);
	return done;
}

static bool feed_all(
	const struct view *view, const char *subject, struct feed *feed, struct err *err)
{
	if (view_count_named(view, subject) == 0)
		return view_unknown_subject(view, subject, false, err);
	for (size_t i = 0; i < view->member_count; i++)
		if (view_is_named(&view->members[i], subject) &&
			!feed_member(view, &view->members[i], feed, err))
			return false;
	if (feed->told > 0)
		return true;
	if (feed->monitor)
		return err_set(err, "'%s' has no push monitor called '%s'", subject, feed->monitor);
	return err_set(
		err, "'%s' has no push monitor: 'force' says what it is without one", subject);
}

json_t *reply_push(const struct control_actions *actions, const struct request *request,
	const char *by, struct err *err)
{
	const char *subject = request->text[ARGUMENT_SUBJECT];
	const char *word = request->text[ARGUMENT_HEALTH];
	const char *reason = request->text[ARGUMENT_REASON];
	struct feed feed = {
		.actions = actions, .monitor = request->text[ARGUMENT_MONITOR], .reason = reason};
	struct control_facts facts = {0};
	struct text message = {0};
	struct view view;

	if (!command_check_word(ARGUMENT_HEALTH, word, err))
		return NULL;
	feed.state = state_of(word);
	actions->describe(actions->context, &facts);
	view_init(&view, &facts);

	bool done = feed_all(&view, subject, &feed, err);

	view_done(&view);
	if (!done)
		return NULL;
	log_debug("%s: %s said by %s", subject, word, by);
	text_print(&message, "%s: %s, told to %zu check%s", subject, word, feed.told,
		feed.told == 1 ? "" : "s");

	json_t *json = reply_done(message.bytes);

	json_put_number(json, "checks", feed.told);
	text_done(&message);
	return json;
}
