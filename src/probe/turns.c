/* SPDX-License-Identifier: Apache-2.0 */
#include "turns.h"

/* One place of so many is not for suspects. */
#define SOUND_PART 4

void turns_init(struct turns *turns, size_t places, void (*begin)(struct turn *turn, void *context),
	void *context)
{
	*turns = (struct turns){.places = places, .begin = begin, .context = context};
	TAILQ_INIT(&turns->waiting);
	TAILQ_INIT(&turns->suspects);
	TAILQ_INIT(&turns->running);
}

void turns_set_places(struct turns *turns, size_t places)
{
	turns->places = places;
	turns_go_on(turns);
}

static struct turn_queue *queue_of(struct turns *turns, const struct turn *turn)
{
	if (turn->has_place)
		return &turns->running;
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
		TAILQ_INSERT_TAIL(&turns->running, turn, link);
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
	TAILQ_REMOVE(queue_of(turns, turn), turn, link);
	if (!turn->has_place)
		return;
	turn->has_place = false;
	turns->running_count--;
	turns->suspect_count -= turn->is_suspect;
}

bool turns_is_full(const struct turns *turns)
{
	return turns->running_count >= turns->places || !TAILQ_EMPTY(&turns->suspects);
}

struct turn *turns_any(const struct turns *turns)
{
	if (!TAILQ_EMPTY(&turns->waiting))
		return TAILQ_FIRST(&turns->waiting);
	if (!TAILQ_EMPTY(&turns->suspects))
		return TAILQ_FIRST(&turns->suspects);
	return TAILQ_FIRST(&turns->running);
}
