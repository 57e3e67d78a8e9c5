/* SPDX-License-Identifier: Apache-2.0 */
/* Covers: src/config/secrets.c */

/* The file of cookie secrets: one or two of them, or a report; and what is printed is read again. */

#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "steerd/config/secrets.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct secrets secrets = {0};
	struct secrets again = {0};
	struct report report = {0};
	char text[SECRETS_TEXT_SIZE];

	if (secrets_parse((const char *)data, size, "cookie-secrets", &secrets, &report)) {
		assert(report.error_count == 0);
		assert(secrets.count == 1 || secrets.count == 2);
		assert(secrets_parse(
			text, secrets_print(&secrets.keys[0], text), "again", &again, &report));
		assert(again.count == 1);
		assert(memcmp(&again.keys[0], &secrets.keys[0], sizeof(again.keys[0])) == 0);
	} else {
		assert(report.error_count > 0 && secrets.count == 0);
	}
	report_done(&report);
	return 0;
}
