/* SPDX-License-Identifier: Apache-2.0 */
/* Covers: src/ctl/print.c src/ctl/print_status.c src/ctl/print_explain.c src/ctl/columns.c */

/*
 * What steerctl shows of a reply: JSON of any shape, since steerd may be older or younger.  Whether what steerd really
 * replies is fit for a terminal is fuzz_world's to tell.
 */

#include <assert.h>
#include <jansson.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "../../src/ctl/print.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void show(void (*print)(const json_t *reply, FILE *out, bool use_colour),
	const json_t *reply, bool use_colour)
{
	char *shown = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&shown, &size);

	assert(out);
	print(reply, out, use_colour);
	fclose(out);
	free(shown);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	json_error_t error;
	json_t *reply = json_loadb((const char *)data, size, JSON_REJECT_DUPLICATES, &error);

	if (!reply)
		return 0;
	show(print_status, reply, false);
	show(print_explain, reply, true);
	show(print_outcome, reply, false);
	json_decref(reply);
	return 0;
}
