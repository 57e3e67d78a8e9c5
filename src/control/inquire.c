/* SPDX-License-Identifier: Apache-2.0 */
#include "inquire.h"

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "json.h"
#include "reply.h"
#include "steerd/base/memory.h"
#include "view.h"

/* One check: it outlives the inquiry if that is freed first, for whoever makes it will call. */
struct question {
	TAILQ_ENTRY(question) link; /* while there is an inquiry */
	struct inquiry *inquiry;    /* NULL: it was freed */
	json_t *json;		    /* held by the inquiry's reply */
	char *key;
	struct address address;
};

struct inquiry {
	TAILQ_HEAD(, question) questions; /* not yet answered */
	size_t count;
	json_t *checks;
	bool has_failed; /* some check did */
	inquire_done_fn done;
	void *context;
};

/* ---- what came of a check ---- */

static const char *const sections[] = {
	[FINDING_REQUEST] = "request",
	[FINDING_PHASE] = "phases",
	[FINDING_TLS] = "tls",
	[FINDING_CERTIFICATE] = "certificates",
	[FINDING_HEADER] = "headers",
	[FINDING_VERDICT] = "verdict",
};

static json_t *finding_of(const struct finding *finding)
{
	json_t *json = json_object();

	json_put_text(json, "name", finding->name);
	switch (finding->section) {
	case FINDING_PHASE:
		json_put(json, "ms", json_real((double)finding->number / 1000));
		json_put_text(json, "words", *finding->value ? finding->value : NULL);
		break;
	case FINDING_CERTIFICATE:
		json_put_text(json, "issuer", finding->value);
		json_put_time(json, "until_unix_s", finding->number);
		break;
	case FINDING_REQUEST:
	case FINDING_TLS:
	case FINDING_HEADER:
	case FINDING_VERDICT:
		json_put_text(json, "value", finding->value);
		break;
	}
	return json;
}

/* True if it passed, degraded or not. */
static bool add_findings(json_t *json, const struct control_found *found)
{
	bool passed = false;

	for (size_t i = 0; i < COUNT_OF(sections); i++)
		json_put(json, sections[i], i == FINDING_VERDICT ? json_null() : json_array());
	json_put_text(json, "error", found->why);
	json_put_text(json, "note", NULL);
	for (size_t i = 0; i < found->count; i++) {
		const struct finding *finding = &found->items[i];

		if (finding->section != FINDING_VERDICT) {
			json_push(json_object_get(json, sections[finding->section]),
				finding_of(finding));
			continue;
		}
		if (strcmp(finding->name, "note") == 0) {
			json_put_text(json, "note", finding->value);
			continue;
		}
		passed = strcmp(finding->name, "down") != 0;
		json_put_text(json, "verdict", finding->name);
		json_put_text(json, "reason", *finding->value ? finding->value : NULL);
	}
	return passed;
}

static void finish(struct inquiry *inquiry)
{
	json_t *json = json_object();
	inquire_done_fn done = inquiry->done;
	void *context = inquiry->context;

	json_put(json, "ok", json_boolean(!inquiry->has_failed));
	if (inquiry->has_failed)
		json_put_text(json, "error", "not every check passed");
	json_put(json, "checks", json_incref(inquiry->checks));
	inquire_free(inquiry);
	done(context, json);
}

static void question_free(struct question *question)
{
	free(question->key);
	free(question);
}

static void on_found(void *context, const struct control_found *found)
{
	struct question *question = context;
	struct inquiry *inquiry = question->inquiry;

	if (inquiry) {
		inquiry->has_failed = !add_findings(question->json, found) || inquiry->has_failed;
		TAILQ_REMOVE(&inquiry->questions, question, link);
	}
	question_free(question);
	if (inquiry && TAILQ_EMPTY(&inquiry->questions))
		finish(inquiry);
}

/* ---- which checks ---- */

static void add_question(struct inquiry *inquiry, const struct view_member *member,
	const struct view_check *check, const struct address *address)
{
	struct question *question = memory_new(sizeof(*question));
	char text[ADDRESS_TEXT_SIZE];

	address_print(address, text);
	question->inquiry = inquiry;
	question->key = memory_text(check->target->key);
	question->address = *address;
	question->json = json_object();
	json_put_text(question->json, "pool", member->pool->name);
	json_put_text(question->json, "member", member->member->name);
	json_put_text(question->json, "address", text);
	json_put_text(question->json, "monitor", check->monitor->name);
	json_push(inquiry->checks, question->json);
	TAILQ_INSERT_TAIL(&inquiry->questions, question, link);
	inquiry->count++;
}

static void add_member(const struct view *view, const struct view_member *member,
	const char *monitor, struct inquiry *inquiry)
{
	struct view_check checks[VIEW_CHECKS_MAX];
	size_t address_count;
	const struct belief *beliefs = view_beliefs(view, member, &address_count);

	for (size_t i = 0; i < address_count; i++) {
		size_t count = view_checks(view, member, &beliefs[i].address, checks);

		for (size_t k = 0; k < count; k++)
			if (!monitor || strcmp(monitor, checks[k].monitor->name) == 0)
				add_question(inquiry, member, &checks[k], &beliefs[i].address);
	}
}

static bool collect(const struct view *view, const struct request *request, struct inquiry *inquiry,
	struct err *err)
{
	const char *subject = request->text[ARGUMENT_SUBJECT];
	const char *monitor = request->text[ARGUMENT_MONITOR];

	if (view_count_named(view, subject) == 0)
		return view_unknown_subject(view, subject, false, err);
	for (size_t i = 0; i < view->member_count; i++)
		if (view_is_named(&view->members[i], subject))
			add_member(view, &view->members[i], monitor, inquiry);
	if (inquiry->count == 0 && monitor)
		return err_set(err, "'%s' is not checked by '%s'", subject, monitor);
	if (inquiry->count == 0)
		return err_set(err, "'%s' has no address that is checked", subject);
	if (inquiry->count > INQUIRE_CHECKS_MAX)
		return err_set(err, "'%s' has %zu checks, more than %d at once: name a part of it",
			subject, inquiry->count, INQUIRE_CHECKS_MAX);
	return true;
}

struct inquiry *inquire_start(const struct control_actions *actions, const struct request *request,
	inquire_done_fn done, void *context, struct err *err)
{
	struct inquiry *inquiry = memory_new(sizeof(*inquiry));
	struct control_facts facts = {0};
	struct question *question;
	struct view view;

	*inquiry = (struct inquiry){.done = done, .context = context, .checks = json_array()};
	TAILQ_INIT(&inquiry->questions);
	actions->describe(actions->context, &facts);
	view_init(&view, &facts);

	bool found = collect(&view, request, inquiry, err);

	view_done(&view);
	if (!found) {
		while ((question = TAILQ_FIRST(&inquiry->questions))) {
			TAILQ_REMOVE(&inquiry->questions, question, link);
			question_free(question);
		}
		inquire_free(inquiry);
		return NULL;
	}
	TAILQ_FOREACH(question, &inquiry->questions, link)
	actions->inquire(actions->context,
		&(struct control_inquiry){question->key, question->address}, on_found, question);
	return inquiry;
}

void inquire_free(struct inquiry *inquiry)
{
	struct question *question;

	if (!inquiry)
		return;
	TAILQ_FOREACH(question, &inquiry->questions, link)
	question->inquiry = NULL;
	json_decref(inquiry->checks);
	free(inquiry);
}
