/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONFIG_SECRETS_H
#define CONFIG_SECRETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "steerd/base/report.h"
#include "steerd/base/siphash.h"

/*
 * secrets - the file that DNS cookies are made with, in the state directory: one or two lines of 32 hexadecimal digits,
 * empty lines, and comments from '#' on.  The first secret makes cookies, both are accepted.
 *
 * Servers that share the file take each other's cookies.  What it says is in no mistake and in no log.
 */
#define SECRETS_FILE "cookie-secrets"
#define SECRETS_MAX 2
#define SECRETS_MODE 0600

struct secrets {
	size_t count;
	struct siphash_key keys[SECRETS_MAX];
	uint64_t since_unix_s; /* when the file was written */
};

enum secrets_found {
	SECRETS_READ,
	SECRETS_ABSENT,
	SECRETS_REFUSED,   /* `report` says why */
	SECRETS_FORBIDDEN, /* it is not for this user; `report` says nothing */
};

/* Who has done with `ret_secrets` wipes it. */
enum secrets_found secrets_read(
	const char *path, struct secrets *ret_secrets, struct report *report);
/* The same from memory, but for the time. */
bool secrets_parse(const char *bytes, size_t size, const char *path, struct secrets *ret_secrets,
	struct report *report);

/* The file of one secret. */
#define SECRETS_TEXT_SIZE 256
size_t secrets_print(const struct siphash_key *key, char ret_text[static SECRETS_TEXT_SIZE]);

#endif
