/* SPDX-License-Identifier: Apache-2.0 */
#include "turns.h"

/* One place of so many is not for suspects. */
#define SOUND_PART 4

/*
 * A handshake needs some five rounds of the event loop, so that a long round looks like a slow backend.  What hangs needs
 * none: there may be as many as there are descriptors.
 */
#define ROUND_MAX_MS 50
#define PLACES_FIRST 64
#define PLACES_MIN 16

void turns_init(struct turns *turns, size_t most, void (*begin)(struct turn *turn, void *context),
	void *context)
{
	*turns = (struct turns){
		.most = most,
		.places = most < PLACES_FIRST ? most : PLACES_FIRST,
		.begin = begin,
		.context = context,
	};
	TAILQ_INIT(&turns->waiting);
	TAILQ_INIT(&turns->suspects);
}

void turns_set_places(struct turns *turns, size_t places)
{
	turns->places = places;
	turns_go_on(turns);
}

/* Where it waits. */
static struct turn_queue *queue_of(struct turns *turns, const struct turn *turn)
{
	return turn->is_suspect ? &turns->suspects : &turns->waiting;
}

static struct turn *next(const struct turns *turns)
{
	struct turn *sound = TAILQ_FIRST(&turns->waiting);
	struct turn *suspect = TAILQ_FIRST(&turns->suspects);

	if (turns->suspect_count >= turns->places - turns->places / SOUND_PART)
		suspect = NULL;
	if (!sound || !suspect)
		return sound ? sound : suspect;
	return sound->number < suspect->number ? sound : suspect;
}

void turns_go_on(struct turns *turns)
{
	struct turn *turn;

	while (turns->running_count < turns->places && (turn = next(turns))) {
		TAILQ_REMOVE(queue_of(turns, turn), turn, link);
		turn->has_place = true;
		turns->running_count++;
		turns->suspect_count += turn->is_suspect;
		turns->begin(turn, turns->context);
	}
}

void turns_take(struct turns *turns, struct turn *turn, bool is_suspect)
{
	*turn = (struct turn){.number = turns->number++, .is_suspect = is_suspect};
	TAILQ_INSERT_TAIL(queue_of(turns, turn), turn, link);
	turns_go_on(turns);
}

void turns_leave(struct turns *turns, struct turn *turn)
{
	if (!turn->has_place) {
		TAILQ_REMOVE(queue_of(turns, turn), turn, link);
		return;
	}
	turn->has_place = false;
	turns->running_count--;
	turns->suspect_count -= turn->is_suspect;
}

static bool is_full(const struct turns *turns)
{
	return turns->running_count >= turns->places || !TAILQ_EMPTY(&turns->suspects);
}

void turns_adapt(struct turns *turns, uint64_t round_ms)
{
	size_t places = turns->places;

	if (round_ms > ROUND_MAX_MS)
		places -= places / 4;
	else if (is_full(turns))
		places += 1 + places / 16;
	if (places < PLACES_MIN)
		places = PLACES_MIN;
	turns_set_places(turns, places < turns->most ? places : turns->most);
}
