/* SPDX-License-Identifier: Apache-2.0 */
/* Covers: src/answer src/dns/query.c */

/*
 * From the reader to the response, on a real plan: the first octet chooses transport and client, the rest is the
 * query.  Every response must stand before a strict decoder, and must be the same when it is asked for again.
 */

#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../unit/answer/ask.h"
#include "../unit/answer/world.h"
#include "steerd/answer/answer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct answer_client clients[] = {
	{.address = {ADDRESS_IPV4, {198, 51, 100, 53}}, .now_unix_s = ASK_NOW},
	{.address = {ADDRESS_IPV4, {185, 1, 128, 1}},
		.is_tcp = true,
		.idle_ds = 100,
		.now_unix_s = ASK_NOW},
	{.address = {ADDRESS_IPV6, {0x2a, 0, 0x80}}, .now_unix_s = ASK_NOW},
	{.address = {ADDRESS_IPV6, {0x20, 1, 0x0d, 0xb8}},
		.is_tcp = true,
		.idle_ds = 100,
		.now_unix_s = ASK_NOW},
	{.address = {ADDRESS_IPV4, {198, 51, 100, 53}}, .is_limited = true, .now_unix_s = ASK_NOW},
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct world *world;
	static struct decoded decoded;
	static uint8_t again[ANSWER_TCP_MAX];
	struct stats stats = {0};
	struct err err;

	if (size == 0)
		return 0;
	if (!world)
		world = world_new(NULL);

	const struct answer_client *client = &clients[data[0] % 8 == 4 ? 4 : data[0] % 4];
	size_t room = client->is_tcp ? ANSWER_TCP_MAX : ANSWER_UDP_MAX;
	uint64_t random = (uint64_t)data[0] << 56;
	uint8_t *out = malloc(room); /* of the exact size, for the address sanitizer */

	assert(out);

	struct answered answered =
		answer_query(&world->plan, client, data + 1, size - 1, random, &stats, out);
	size_t written = answered.size;

	assert(written <= (answered.has_cookie || client->is_tcp ? room : DNS_UDP_MIN));
	if (written > 0 && !decode(out, written, &decoded, &err)) {
		fprintf(stderr, "%s\n", err.text);
		abort();
	}
	assert(answer_query(&world->plan, client, data + 1, size - 1, random, &stats, again).size ==
		written);
	assert(memcmp(out, again, written) == 0);
	free(out);
	return 0;
}
