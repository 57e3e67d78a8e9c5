/* SPDX-License-Identifier: Apache-2.0 */
#include "spread.h"

#include <stdlib.h>
#include <string.h>

#include "sample.h"
#include "steerd/base/memory.h"

struct spread spread_of(struct arena *arena, const struct pick *picks, size_t count)
{
	struct piece *piece = ARENA_NEW(arena, struct piece);

	*piece = (struct piece){SAMPLE_WHOLE, picks, count};
	return (struct spread){piece, 1};
}

static bool has_address(const struct pick *picks, size_t count, const struct address *address)
{
	for (size_t i = 0; i < count; i++)
		if (address_is_equal(picks[i].address, address))
			return true;
	return false;
}

static struct piece join(
	struct arena *arena, const struct piece *a, const struct piece *b, size_t most)
{
	struct pick *picks = ARENA_ARRAY(arena, struct pick, a->count + b->count);
	size_t count = 0;

	for (size_t i = 0; i < a->count && count < most; i++)
		picks[count++] = a->picks[i];
	for (size_t i = 0; i < b->count && count < most; i++)
		if (!has_address(picks, count, b->picks[i].address))
			picks[count++] = b->picks[i];
	return (struct piece){
		.below = a->below < b->below ? a->below : b->below, .picks = picks, .count = count};
}

struct spread spread_concat(struct arena *arena, struct spread a, struct spread b, size_t most)
{
	struct piece *pieces = ARENA_ARRAY(arena, struct piece, a.count + b.count);
	size_t count = 0;

	for (size_t i = 0, k = 0; i < a.count && k < b.count;) {
		struct piece joined = join(arena, &a.pieces[i], &b.pieces[k], most);

		pieces[count++] = joined;
		i += a.pieces[i].below == joined.below;
		k += b.pieces[k].below == joined.below;
	}
	return (struct spread){pieces, count};
}

static bool is_same_list(const struct piece *a, const struct piece *b)
{
	return a->count == b->count &&
		(a->count == 0 || memcmp(a->picks, b->picks, a->count * sizeof(a->picks[0])) == 0);
}

bool spread_is_equal(struct spread a, struct spread b)
{
	if (a.count != b.count)
		return false;
	for (size_t i = 0; i < a.count; i++)
		if (a.pieces[i].below != b.pieces[i].below ||
			!is_same_list(&a.pieces[i], &b.pieces[i]))
			return false;
	return true;
}

void spread_builder_add(struct spread_builder *builder, struct spread part, uint64_t below)
{
	unsigned __int128 width = below - builder->begin;

	for (size_t i = 0; i < part.count; i++) {
		struct piece piece = part.pieces[i];
		struct piece *last =
			builder->count > 0 ? &builder->pieces[builder->count - 1] : NULL;

		piece.below = builder->begin + (uint64_t)(piece.below * width >> 32);
		if (piece.below == (last ? last->below : 0))
			continue; /* too narrow to be hit */
		if (last && is_same_list(&piece, last)) {
			last->below = piece.below;
			continue;
		}
		builder->pieces = MEMORY_GROW(builder->pieces, builder->count, &builder->capacity);
		builder->pieces[builder->count++] = piece;
	}
	builder->begin = below;
}

struct spread spread_builder_finish(struct spread_builder *builder, struct arena *arena)
{
	struct spread spread = {
		arena_copy(arena, builder->pieces, builder->count * sizeof(builder->pieces[0])),
		builder->count,
	};

	free(builder->pieces);
	*builder = (struct spread_builder){0};
	return spread;
}
