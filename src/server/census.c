/* SPDX-License-Identifier: Apache-2.0 */
#include "census.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "steerd/base/memory.h"

#include "network.h"

struct level {
	size_t limit; /* 0: none */
	struct network_masks masks;
	struct census_member **chains;
};

struct census {
	pthread_mutex_t
		mutex; /* holds for all below, and for what members say that they are the census's */
	struct network_key key;
	unsigned shift;
	struct level levels[CENSUS_LEVELS];
};

#define CHAINS_MIN 2 /* so that `shift` is less than the 64 bits of a hash */

struct census *census_new(
	const struct census_limits *limits, size_t member_count, struct random *random)
{
	struct census *census = memory_new(sizeof(*census));
	size_t chain_count = CHAINS_MIN;

	census->shift = 63;
	for (; chain_count < member_count; chain_count *= 2)
		census->shift--;
	census->key = network_key_of(random);
	census->levels[CENSUS_ADDRESS] =
		(struct level){.limit = limits->per_address, .masks = network_masks_of(32, 64)};
	census->levels[CENSUS_NETWORK] =
		(struct level){.limit = limits->per_network, .masks = network_masks_of(24, 48)};
	for (size_t i = 0; i < CENSUS_LEVELS; i++)
		census->levels[i].chains =
			memory_new(chain_count * sizeof(census->levels[i].chains[0]));
	pthread_mutex_init(&census->mutex, NULL);
	return census;
}

void census_free(struct census *census)
{
	if (!census)
		return;
	pthread_mutex_destroy(&census->mutex);
	for (size_t i = 0; i < CENSUS_LEVELS; i++)
		free(census->levels[i].chains);
	free(census);
}

static struct census_member **chain_of(struct census *census, size_t level, uint64_t network)
{
	return &census->levels[level].chains[network_hash(&census->key, network) >> census->shift];
}

static void link_in(struct census *census, size_t level, struct census_member *member)
{
	struct census_member **chain = chain_of(census, level, member->at[level].network);

	member->at[level].previous = NULL;
	member->at[level].next = *chain;
	if (*chain)
		(*chain)->at[level].previous = member;
	*chain = member;
}

static void unlink_from(struct census *census, size_t level, struct census_member *member)
{
	struct census_member *previous = member->at[level].previous;
	struct census_member *next = member->at[level].next;

	if (previous)
		previous->at[level].next = next;
	else
		*chain_of(census, level, member->at[level].network) = next;
	if (next)
		next->at[level].previous = previous;
}

static void discount(struct census *census, struct census_member *member)
{
	for (size_t i = 0; i < CENSUS_LEVELS; i++)
		unlink_from(census, i, member);
	member->is_counted = false;
}

static uint64_t got_on_at_ms(const struct census_member *member)
{
	return atomic_load_explicit(&member->got_on_at_ms, memory_order_relaxed);
}

/* The one of the network that has to go for one more; NULL: there is room. */
static struct census_member *find_surplus(struct census *census, size_t level, uint64_t network)
{
	struct census_member *longest = NULL;
	size_t count = 0;

	if (census->levels[level].limit == 0)
		return NULL;
	for (struct census_member *member = *chain_of(census, level, network); member;
		member = member->at[level].next) {
		if (member->at[level].network != network)
			continue;
		count++;
		if (!longest || got_on_at_ms(member) < got_on_at_ms(longest))
			longest = member;
	}
	return count < census->levels[level].limit ? NULL : longest;
}

size_t census_join(struct census *census, struct census_member *member)
{
	size_t shut_down = 0;

	pthread_mutex_lock(&census->mutex);
	for (size_t i = 0; i < CENSUS_LEVELS; i++) {
		uint64_t network = network_of(&census->levels[i].masks, &member->address);
		struct census_member *surplus = find_surplus(census, i, network);

		member->at[i].network = network;
		if (!surplus)
			continue;
		discount(census, surplus);
		/* Its thread cannot have closed it: it would have had to leave before. */
		(void)shutdown(surplus->fd, SHUT_RDWR);
		shut_down++;
	}
	for (size_t i = 0; i < CENSUS_LEVELS; i++)
		link_in(census, i, member);
	member->is_counted = true;
	pthread_mutex_unlock(&census->mutex);
	return shut_down;
}

void census_leave(struct census *census, struct census_member *member)
{
	pthread_mutex_lock(&census->mutex);
	if (member->is_counted)
		discount(census, member);
	pthread_mutex_unlock(&census->mutex);
}
