/* SPDX-License-Identifier: Apache-2.0 */
#include "questions.h"

#include <event2/event.h>
#include <stdlib.h>
#include <sys/queue.h>
#include <sys/time.h>

#include "steerd/base/err.h"
#include "steerd/base/memory.h"
#include "steerd/base/text.h"

struct question {
	LIST_ENTRY(question) link;
	struct questions *questions;
	uint64_t id; /* 0: nobody was asked */
	uint32_t wait_ms;
	supervise_found_fn found;
	void *context;
	struct event *timer;
	struct err why; /* when the timer ends it; "": that it waited for too long */
};

struct questions {
	struct event_base *base;
	LIST_HEAD(, question) waiting;
	unsigned count;
	uint64_t last_id;
};

static void question_free(struct question *question)
{
	LIST_REMOVE(question, link);
	question->questions->count--;
	event_free(question->timer);
	free(question);
}

/* Who is told may ask the next. */
static void tell(struct question *question, const struct link_findings *findings, const char *why)
{
	supervise_found_fn found = question->found;
	void *context = question->context;

	question_free(question);
	found(context, findings, why);
}

static void on_time(evutil_socket_t fd, short what, void *context)
{
	struct question *question = context;
	struct err why = question->why;
	char span[TEXT_DURATION_SIZE];

	(void)fd;
	(void)what;
	if (why.text[0] == '\0') {
		text_duration(question->wait_ms, span);
		err_set(&why, "the prober did not answer within %s", span);
	}
	tell(question, NULL, why.text);
}

static void end_after(struct question *question, uint32_t wait_ms)
{
	const struct timeval wait = {
		.tv_sec = wait_ms / 1000, .tv_usec = (suseconds_t)(wait_ms % 1000) * 1000};

	event_add(question->timer, &wait);
}

uint64_t questions_add(
	struct questions *questions, const struct supervise_inquiry *inquiry, const char *why_not)
{
	struct question *question = memory_new(sizeof(*question));

	*question = (struct question){
		.questions = questions,
		.wait_ms = inquiry->wait_ms,
		.found = inquiry->found,
		.context = inquiry->context,
	};
	if (why_not)
		err_set(&question->why, "%s", why_not);
	else if (questions->count >= QUESTIONS_MAX)
		err_set(&question->why, "%u other checks were asked for and are not done",
			questions->count);
	else
		question->id = ++questions->last_id;
	question->timer = evtimer_new(questions->base, on_time, question);
	LIST_INSERT_HEAD(&questions->waiting, question, link);
	questions->count++;
	end_after(question, question->id == 0 ? 0 : question->wait_ms);
	return question->id;
}

void questions_answer(struct questions *questions, const struct link_findings *findings)
{
	struct question *question;

	LIST_FOREACH(question, &questions->waiting, link)
	if (question->id == findings->id)
		break;
	if (!question || findings->id == 0)
		return;
	if (findings->count > 0)
		tell(question, findings, NULL);
	else
		tell(question, NULL, "it is not checked any more");
}

void questions_give_up(struct questions *questions, const char *why)
{
	struct question *question;

	LIST_FOREACH(question, &questions->waiting, link)
	{
		if (question->id == 0)
			continue;
		question->id = 0;
		err_set(&question->why, "%s", why);
		end_after(question, 0);
	}
}

struct questions *questions_new(struct event_base *base)
{
	struct questions *questions = memory_new(sizeof(*questions));

	questions->base = base;
	LIST_INIT(&questions->waiting);
	return questions;
}

void questions_free(struct questions *questions)
{
	if (!questions)
		return;
	while (!LIST_EMPTY(&questions->waiting))
		tell(LIST_FIRST(&questions->waiting), NULL, "steerd is stopping");
	free(questions);
}
