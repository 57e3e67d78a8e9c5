/* SPDX-License-Identifier: Apache-2.0 */
/* Covers: src/geo/mmdb.c src/geo/mmdb_data.c src/geo/compact.c src/geo/atlas.c src/geo/survey.c */

/* City databases in either form: the worst outcome is a refusal. */

#include <stdlib.h>
#include <string.h>

#include "atlas.h"
#include "compact.h"
#include "mmdb.h"
#include "steerd/base/memory.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A wrong checksum must not keep the fuzzer from what is behind it: FNV-1a at 16, of what follows it. */
static void mend_checksum(uint8_t *bytes, size_t size)
{
	uint64_t sum = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 24; i < size; i++)
		sum = (sum ^ bytes[i]) * UINT64_C(0x100000001b3);
	for (size_t i = 0; i < 8 && 24 <= size; i++)
		bytes[16 + i] = (uint8_t)(sum >> (56 - 8 * i));
}

/* What is asked for people, about a few addresses. */
static void ask(const uint8_t *bytes, size_t size)
{
	static const char *const addresses[] = {"20.1.2.3", "255.255.255.255", "2a00::1", "::"};
	struct mmdb mmdb;
	struct err err;

	if (!mmdb_open(bytes, size, &mmdb, &err))
		return;
	for (size_t i = 0; i < COUNT_OF(addresses); i++) {
		struct address address;
		struct prefix network;
		size_t described_at;
		struct mmdb_names names;

		if (address_parse(addresses[i], &address) &&
			mmdb_find(&mmdb, &address, &network, &described_at, &err) &&
			described_at != MMDB_NOTHING)
			(void)mmdb_read_names(&mmdb, described_at, &names, &err);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *bytes = memory_new(size); /* the exact size, so that one byte too many is seen */
	struct atlas atlas;
	struct err err;

	memcpy(bytes, data, size);
	if (compact_is(bytes, size))
		mend_checksum(bytes, size);
	atlas_init(&atlas);
	(void)atlas_add_bytes(&atlas, bytes, size, &err);
	ask(bytes, size);
	atlas_done(&atlas);
	free(bytes);
	return 0;
}
