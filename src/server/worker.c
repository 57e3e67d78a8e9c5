/* SPDX-License-Identifier: Apache-2.0 */
#include "worker.h"

#include <errno.h>
#include <signal.h>

bool worker_start(struct worker *worker, const char *name, void *(*run)(void *), void *argument,
	struct err *err)
{
	sigset_t all;
	sigset_t before;

	/* A thread inherits the mask, so there is no moment in which it could be interrupted. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	errno = pthread_create(&worker->thread, NULL, run, argument);
	bool done = errno == 0 || err_os(err, "cannot start a thread");

	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (done)
		(void)pthread_setname_np(worker->thread, name);
	return done;
}

void worker_join(struct worker *worker)
{
	pthread_join(worker->thread, NULL);
}
