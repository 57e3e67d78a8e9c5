/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "reply.h"
#include "steerd/base/memory.h"
#include "steerd/control/words.h"
#include "view.h"

static const struct override *find_exact(const struct override_list *list, const char *subject)
{
	for (size_t i = 0; i < list->count; i++)
		if (strcmp(list->items[i].subject, subject) == 0)
			return &list->items[i];
	return NULL;
}

/* An override of another subject that rules a member which this subject names. */
static const struct override *find_ruling(const struct view *view, const char *subject)
{
	for (size_t i = 0; i < view->member_count; i++)
		if (view->members[i].override && view_is_named(&view->members[i], subject))
			return view->members[i].override;
	return NULL;
}

/* What is to be ended, or why there is nothing. */
static bool check_end(const struct view *view, const struct request *request, struct err *err)
{
	const char *subject = request->text[ARGUMENT_SUBJECT];
	const struct override *override = find_exact(view->facts->overrides, subject);

	if (override && request->command == COMMAND_UNDRAIN && override->kind != OVERRIDE_DRAIN)
		return err_set(err, "'%s' is %s, not drained: end that with 'steerctl release %s'",
			subject, words_kind_done(override->kind), subject);
	if (override)
		return true;
	if (view_count_named(view, subject) == 0)
		return view_unknown_subject(view, subject, false, err);

	const struct override *ruling = find_ruling(view, subject);

	if (ruling)
		return err_set(err, "'%s' has no override of its own; '%s' is %s: say that instead",
			subject, ruling->subject, words_kind_done(ruling->kind));
	return err_set(err, "'%s' is not %s", subject,
		request->command == COMMAND_UNDRAIN ? "drained" : "drained or forced");
}

static bool make_override(const struct view *view, const struct request *request, const char *by,
	struct override *ret_override, struct err *err)
{
	const char *subject = request->text[ARGUMENT_SUBJECT];
	const char *state = request->text[ARGUMENT_STATE];
	uint64_t now = view->facts->now_unix_s;
	uint64_t for_s = request->number[ARGUMENT_FOR];
	enum override_kind kind = OVERRIDE_DRAIN;

	if (request->command == COMMAND_UNDRAIN || request->command == COMMAND_RELEASE) {
		*ret_override = (struct override){
			.kind = OVERRIDE_NONE, .subject = subject, .reason = "", .by = by};
		return check_end(view, request, err);
	}
	if (request->command == COMMAND_FORCE) {
		if (!command_check_word(ARGUMENT_STATE, state, err))
			return false;
		kind = strcmp(state, "up") == 0 ? OVERRIDE_UP : OVERRIDE_DOWN;
	}
	if (view_count_named(view, subject) == 0)
		return view_unknown_subject(view, subject, false, err);
	*ret_override = (struct override){
		.kind = kind,
		.subject = subject,
		.reason = request->text[ARGUMENT_REASON] ? request->text[ARGUMENT_REASON] : "",
		.by = by,
		.since_unix_s = now,
		.until_unix_s = for_s ? now + for_s : 0,
	};
	return true;
}

/* ---- the words of the reply ---- */

/* "downloads/fra-1", or "2 members in 2 pools": what a plain MEMBER or a site turned out to be. */
static void print_named(const struct view *view, const char *subject, struct text *ret_text)
{
	size_t members = 0;
	size_t pools = 0;

	for (size_t i = 0; i < view->pool_count; i++) {
		size_t before = members;

		for (size_t j = 0; j < view->pools[i].pool->member_count; j++)
			members += view_is_named(&view->pools[i].members[j], subject);
		pools += members > before;
	}
	text_print(ret_text, "%zu member%s in %zu pool%s", members, members == 1 ? "" : "s", pools,
		pools == 1 ? "" : "s");
}

static void print_message(
	const struct view *view, const struct override *override, struct text *ret_text)
{
	text_print(ret_text, "%s: %s (", override->subject, words_kind_done(override->kind));
	print_named(view, override->subject, ret_text);
	text_add(ret_text, ")");
	if (override->until_unix_s) {
		char time[TEXT_TIME_SIZE];

		text_time(override->until_unix_s, time);
		text_print(ret_text, ", until %s UTC", time);
	}
}

/* Pools that lack something now which they did not lack before. */
static void warn_lost(const struct view *view, const char *const *lost_before, json_t *warnings)
{
	for (size_t i = 0; i < view->pool_count; i++) {
		const struct view_pool *pool = &view->pools[i];
		const char *lost = view_lost_words(pool);
		bool was_worse = lost_before[i] && pool->usable_count > 0;

		if (!lost || was_worse || (lost_before[i] && strcmp(lost, lost_before[i]) == 0))
			continue;
		json_push_line(warnings, "pool %s has no usable %s left: %s", pool->pool->name,
			lost, view_all_down_words(view, pool));
	}
}

/* Members that the subject names, but which something narrower rules. */
static void warn_ruled(const struct view *view, const char *subject, json_t *warnings)
{
	for (size_t i = 0; i < view->member_count; i++) {
		const struct view_member *member = &view->members[i];

		if (!member->override || strcmp(member->override->subject, subject) == 0 ||
			!view_is_named(member, subject))
			continue;
		json_push_line(warnings, "%s/%s is still %s, as '%s'", member->pool->name,
			member->member->name, words_kind_done(member->override->kind),
			member->override->subject);
	}
}

/* What each pool lacks, for warn_lost(). */
static const char **lost_words(const struct view *view)
{
	const char **lost = memory_new(view->pool_count * sizeof(*lost));

	for (size_t i = 0; i < view->pool_count; i++)
		lost[i] = view_lost_words(&view->pools[i]);
	return lost;
}

static json_t *reply_applied(const struct view *view, const struct override *override,
	const char *const *lost_before, const char *save_error)
{
	struct text message = {0};
	json_t *warnings = json_array();

	print_message(view, override, &message);
	if (save_error)
		json_push_line(warnings, "it is not on disk yet, and a restart would lose it: %s",
			save_error);
	warn_lost(view, lost_before, warnings);
	warn_ruled(view, override->subject, warnings);

	json_t *json = reply_done(message.bytes);

	json_put(json, "warnings", warnings);
	json_put_number(json, "members", view_count_named(view, override->subject));
	text_done(&message);
	return json;
}

json_t *reply_override(const struct control_actions *actions, const struct request *request,
	const char *by, struct err *err)
{
	struct control_facts facts = {0};
	struct override override;
	struct view view;
	struct err save_err;

	actions->describe(actions->context, &facts);
	view_init(&view, &facts);

	const char **lost_before = lost_words(&view);
	bool made = make_override(&view, request, by, &override, err);

	view_done(&view);
	if (!made) {
		free(lost_before);
		return NULL;
	}

	bool saved = actions->override(actions->context, &override, &save_err);

	/* looked at again: the plan and the list are others now */
	actions->describe(actions->context, &facts);
	view_init(&view, &facts);

	json_t *json = reply_applied(&view, &override, lost_before, saved ? NULL : save_err.text);

	view_done(&view);
	free(lost_before);
	return json;
}
