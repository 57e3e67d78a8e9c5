/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What the daemon's parts ask the outside for, as a program of steps decides it: time passes only when a step says so;
 * jobs wait until a step runs them; lines of the log are made, for what they may do wrong, and dropped.
 *
 * The linker takes these instead of the library's.
 */

#include "standin.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "../../../src/daemon/jobs.h"
#include "steerd/base/clock.h"
#include "steerd/base/log.h"

/* ---- clock ---- */

static uint64_t now_ms;

void standin_set_clock(uint64_t unix_s)
{
	now_ms = unix_s * 1000;
}

void standin_pass_time(uint64_t seconds)
{
	now_ms += seconds * 1000;
}

uint64_t clock_monotonic_ms(void)
{
	return now_ms;
}

uint64_t clock_unix_ms(void)
{
	return now_ms;
}

uint64_t clock_unix_s(void)
{
	return now_ms / 1000;
}

/* ---- log ---- */

void log_start(const char *program, enum log_level most)
{
	(void)program;
	(void)most;
}

#define DEFINE_LOG(name)                                                                           \
	void name(const char *fmt, ...)                                                            \
	{                                                                                          \
		char line[1536];                                                                   \
		va_list args;                                                                      \
                                                                                                   \
		va_start(args, fmt);                                                               \
		(void)vsnprintf(line, sizeof(line), fmt, args);                                    \
		va_end(args);                                                                      \
	}

DEFINE_LOG(log_err)
DEFINE_LOG(log_warning)
DEFINE_LOG(log_notice)
DEFINE_LOG(log_info)
DEFINE_LOG(log_debug)

void log_lines(enum log_level level, const char *lines)
{
	(void)level;
	assert(*lines != '\0');
}

/* ---- jobs ---- */

#define JOBS_MAX 64

static struct job waiting[JOBS_MAX];
static size_t waiting_count;
static bool has_run; /* the first one */

void jobs_add(struct jobs *jobs, const struct job *job)
{
	(void)jobs;
	assert(waiting_count < JOBS_MAX);
	waiting[waiting_count++] = *job;
}

bool standin_has_job(void)
{
	return waiting_count > 0;
}

void standin_turn_job(void)
{
	struct job job = waiting[0];

	if (!has_run) {
		has_run = true;
		job.run(job.context);
		return;
	}
	has_run = false;
	waiting_count--;
	for (size_t i = 0; i < waiting_count; i++)
		waiting[i] = waiting[i + 1];
	job.done(job.context); /* may add another */
}
