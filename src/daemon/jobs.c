/* SPDX-License-Identifier: Apache-2.0 */
#include "jobs.h"

#include <event2/event.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/queue.h>
#include <sys/resource.h>
#include <unistd.h>

#include "steerd/base/memory.h"

/* Weaker than the threads that answer: a reload takes the time that they leave. */
#define JOB_NICE 10

struct entry {
	STAILQ_ENTRY(entry) next;
	struct job job;
};

STAILQ_HEAD(entries, entry);

struct jobs {
	pthread_t thread;
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	struct entries waiting; /* under mutex */
	struct entries done;	/* under mutex */
	bool is_ending;		/* under mutex */
	size_t pending;		/* [main] added, and not yet called done */
	int wake_fd;		/* an eventfd: the thread tells main that something is done */
	struct event *wake;	/* [main] */
};

static struct entry *take_first(struct entries *entries)
{
	struct entry *entry = STAILQ_FIRST(entries);

	if (entry)
		STAILQ_REMOVE_HEAD(entries, next);
	return entry;
}

static struct entry *wait_for_entry(struct jobs *jobs)
{
	struct entry *entry;

	pthread_mutex_lock(&jobs->mutex);
	while (!(entry = take_first(&jobs->waiting)) && !jobs->is_ending)
		pthread_cond_wait(&jobs->changed, &jobs->mutex);
	pthread_mutex_unlock(&jobs->mutex);
	return entry;
}

static void *work(void *context)
{
	struct jobs *jobs = context;
	const uint64_t one = 1;

	/* on Linux this is of the thread alone */
	(void)setpriority(PRIO_PROCESS, (id_t)gettid(), JOB_NICE);
	for (struct entry *entry; (entry = wait_for_entry(jobs));) {
		entry->job.run(entry->job.context);
		pthread_mutex_lock(&jobs->mutex);
		STAILQ_INSERT_TAIL(&jobs->done, entry, next);
		pthread_mutex_unlock(&jobs->mutex);
		/* an eventfd that is full wakes as well */
		if (write(jobs->wake_fd, &one, sizeof(one)) < 0)
			continue;
	}
	return NULL;
}

static void on_wake(evutil_socket_t fd, short what, void *context)
{
	struct jobs *jobs = context;
	uint64_t count;

	(void)what;
	if (read(fd, &count, sizeof(count)) < 0)
		return;
	for (;;) {
		pthread_mutex_lock(&jobs->mutex);

		struct entry *entry = take_first(&jobs->done);

		pthread_mutex_unlock(&jobs->mutex);
		if (!entry)
			return;
		jobs->pending--;
		entry->job.done(entry->job.context);
		free(entry);
	}
}

/* Signals are for the main thread. */
static int start_thread(struct jobs *jobs)
{
	sigset_t all;
	sigset_t before;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);

	int error = pthread_create(&jobs->thread, NULL, work, jobs);

	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return error;
}

struct jobs *jobs_new(struct event_base *base, struct err *err)
{
	int wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

	if (wake_fd < 0) {
		err_os(err, "cannot make an eventfd");
		return NULL;
	}

	struct jobs *jobs = memory_new(sizeof(*jobs));

	STAILQ_INIT(&jobs->waiting);
	STAILQ_INIT(&jobs->done);
	pthread_mutex_init(&jobs->mutex, NULL);
	pthread_cond_init(&jobs->changed, NULL);
	jobs->wake_fd = wake_fd;
	if (start_thread(jobs) != 0) {
		err_set(err, "cannot start a thread");
		close(wake_fd);
		free(jobs);
		return NULL;
	}
	jobs->wake = event_new(base, wake_fd, EV_READ | EV_PERSIST, on_wake, jobs);
	event_add(jobs->wake, NULL);
	return jobs;
}

void jobs_add(struct jobs *jobs, const struct job *job)
{
	struct entry *entry = memory_new(sizeof(*entry));

	entry->job = *job;
	jobs->pending++;
	pthread_mutex_lock(&jobs->mutex);
	STAILQ_INSERT_TAIL(&jobs->waiting, entry, next);
	pthread_cond_signal(&jobs->changed);
	pthread_mutex_unlock(&jobs->mutex);
}

bool jobs_is_idle(const struct jobs *jobs)
{
	return jobs->pending == 0;
}

void jobs_free(struct jobs *jobs)
{
	if (!jobs)
		return;
	pthread_mutex_lock(&jobs->mutex);
	jobs->is_ending = true;
	pthread_cond_signal(&jobs->changed);
	pthread_mutex_unlock(&jobs->mutex);
	pthread_join(jobs->thread, NULL);
	event_free(jobs->wake);
	close(jobs->wake_fd);
	pthread_mutex_destroy(&jobs->mutex);
	pthread_cond_destroy(&jobs->changed);
	free(jobs);
}
