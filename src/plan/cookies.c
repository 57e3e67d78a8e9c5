/* SPDX-License-Identifier: Apache-2.0 */
#include "cookies.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "steerd/base/clock.h"
#include "steerd/base/memory.h"
#include "steerd/base/random.h"
#include "steerd/config/secrets.h"

static_assert(SECRETS_MAX == COOKIE_KEYS_MAX, "each secret of the file is a key");

/* The directory of state stays what it was at the start, and with it the file. */
static char *path_of(const struct snapshot *snapshot, const struct snapshot *previous)
{
	struct text path = {0};

	if (previous)
		text_add(&path, previous->secrets_path);
	else
		text_print(&path, "%s/%s", snapshot->settings->state_path, SECRETS_FILE);
	return path.bytes;
}

static void make_one(struct cookie_keys *keys)
{
	uint8_t octets[SIPHASH_KEY_SIZE];

	random_octets(octets, sizeof(octets));
	keys->count = 1;
	keys->keys[0] = siphash_key_read(octets);
	explicit_bzero(octets, sizeof(octets));
}

/* Without a file. */
static void go_on(
	struct snapshot *snapshot, const struct snapshot *previous, struct cookie_keys *keys)
{
	snapshot->secrets_since_unix_s = clock_unix_s();
	if (!previous || !previous->cookies) {
		make_one(keys);
		return;
	}
	*keys = *previous->cookies;
	keys->count = 1; /* a file that is gone has nothing more to accept */
	snapshot->secrets_since_unix_s = previous->secrets_since_unix_s;
}

/* A mistake of a reload; but who only checks the files need not be who steerd runs as. */
static void forbid(
	const struct snapshot *snapshot, const struct snapshot *previous, struct report *report)
{
	const struct report_place place = {.path = snapshot->secrets_path};

	if (previous)
		report_error(report, place, "it cannot be read by uid %u", (unsigned)geteuid());
	else
		report_warning(report, place, "it cannot be read by uid %u", (unsigned)geteuid());
}

bool cookies_init(struct snapshot *snapshot, const struct snapshot *previous, struct report *report)
{
	struct secrets secrets = {0};

	snapshot->secrets_path = path_of(snapshot, previous);
	if (!snapshot->settings->gives_cookies)
		return true;

	struct cookie_keys *keys = memory_new(sizeof(*keys));

	snapshot->cookies = keys;
	switch (secrets_read(snapshot->secrets_path, &secrets, report)) {
	case SECRETS_READ:
		snapshot->secrets = SNAPSHOT_SECRETS_KEPT;
		snapshot->secrets_since_unix_s = secrets.since_unix_s;
		keys->count = secrets.count;
		memcpy(keys->keys, secrets.keys, sizeof(keys->keys));
		explicit_bzero(&secrets, sizeof(secrets));
		return true;
	case SECRETS_ABSENT:
		snapshot->secrets = SNAPSHOT_SECRETS_NEW;
		go_on(snapshot, previous, keys);
		return true;
	case SECRETS_FORBIDDEN:
		forbid(snapshot, previous, report);
		break;
	case SECRETS_REFUSED:
		break;
	}
	if (previous)
		return false;
	report_note(report,
		"until it is right, DNS cookies are made with a secret of this run, which no "
		"other server knows");
	snapshot->secrets = SNAPSHOT_SECRETS_OF_RUN;
	go_on(snapshot, NULL, keys);
	return true;
}

void cookies_done(struct snapshot *snapshot)
{
	if (snapshot->cookies) {
		struct cookie_keys *keys = (struct cookie_keys *)(uintptr_t)snapshot->cookies;

		explicit_bzero(keys, sizeof(*keys));
		free(keys);
	}
	free((void *)(uintptr_t)snapshot->secrets_path);
}
