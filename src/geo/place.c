/* SPDX-License-Identifier: Apache-2.0 */

/* Where an address is, in the same order as a map decides: the networks file, special blocks, the databases. */

#include <stdio.h>
#include <string.h>

#include "atlas.h"
#include "compact.h"
#include "embedded.h"
#include "mmdb.h"
#include "network.h"
#include "point.h"
#include "steerd/base/file.h"
#include "steerd/base/text.h"
#include "steerd/geo/geo.h"

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* The network of the file that holds the address, if no special block is longer. */
static bool place_in_networks(
	const struct geo_request *request, const struct address *address, struct geo_place *place)
{
	struct networks networks = {0};
	struct report report = {0};
	bool is_found = false;

	if (!request->networks_path)
		return false;
	networks_read(request->networks_path, request, &networks, &report);

	const struct network *network = networks_find(&networks, address);

	if (report.error_count == 0 && network &&
		network->prefix.bits >= address_special_bits(address)) {
		place->is_known = true;
		place->at = network->at;
		place->network = network->prefix;
		snprintf(place->source, sizeof(place->source), "%s:%u",
			base_name(request->networks_path), network->line);
		if (network->site != POINT_NO_SITE)
			snprintf(place->label, sizeof(place->label), "site %s",
				request->sites[network->site].name);
		is_found = true;
	}
	networks_done(&networks);
	report_done(&report);
	return is_found;
}

static bool place_in_special_block(const struct address *address, struct geo_place *place)
{
	unsigned bits = address_special_bits(address);
	char text[PREFIX_TEXT_SIZE];

	if (bits == 0)
		return false;
	place->network = prefix_of(address, bits);
	prefix_print(&place->network, text);
	snprintf(place->source, sizeof(place->source), "%s is for special purposes (RFC 6890)",
		text);
	return true;
}

static bool place_in_mmdb(const struct text *file, const struct address *address,
	struct geo_place *place, struct err *err)
{
	struct mmdb mmdb;
	struct prefix network;
	size_t described_at;
	struct mmdb_position position;
	struct mmdb_names names;

	if (!mmdb_open(file->bytes, file->size, &mmdb, err) ||
		!mmdb_find(&mmdb, address, &network, &described_at, err))
		return false;
	place->network = network;
	if (described_at == MMDB_NOTHING)
		return true;
	if (!mmdb_read_position(&mmdb, described_at, &position, err) ||
		!mmdb_read_names(&mmdb, described_at, &names, err))
		return false;
	place->is_known = position.is_known;
	place->at = position.at;
	place->accuracy_km = position.accuracy_km;
	snprintf(place->label, sizeof(place->label), "%s%s%s", names.city,
		*names.city && *names.country ? ", " : "", names.country);
	return true;
}

static uint64_t position_of(const struct address *address)
{
	uint64_t position = 0;

	for (size_t i = 0; i < (address->family == ADDRESS_IPV4 ? 4 : 8); i++)
		position = position << 8 | address->bytes[i];
	return position;
}

/* The largest prefix around an address that is inside one of the ranges. */
static struct prefix prefix_in_range(
	const struct ranges *ranges, size_t range, const struct address *address)
{
	unsigned space_bits = address->family == ADDRESS_IPV4 ? 32 : 64;
	uint64_t position = position_of(address);
	bool is_last = range + 1 == ranges->count;
	uint64_t last = is_last ? range_mask(space_bits) : ranges->starts[range + 1] - 1;
	unsigned bits = 0;

	for (; bits < space_bits; bits++) {
		uint64_t mask = range_mask(space_bits - bits);

		if ((position & ~mask) >= ranges->starts[range] && (position | mask) <= last)
			break;
	}
	return prefix_of(address, bits);
}

static bool place_in_compact(const struct text *file, const struct address *address,
	struct geo_place *place, struct err *err)
{
	struct ranges ranges = {0};
	struct compact compact;
	struct compact_point point;
	bool done = compact_open(file->bytes, file->size, &compact, err) &&
		compact_read_runs(&compact, address->family, &ranges, err);

	if (done) {
		size_t range = ranges_find(&ranges, position_of(address));
		uint32_t value = ranges.values[range];

		place->network = prefix_in_range(&ranges, range, address);
		if (value != RANGE_NONE &&
			(done = compact_read_point(&compact, value, &point, err))) {
			place->is_known = true;
			place->at = point.at;
			snprintf(place->label, sizeof(place->label), "%s", point.country);
		}
	}
	ranges_done(&ranges);
	return done;
}

/* True if the file knows, or cannot be read; `source` says which. */
static bool place_in_file(const char *path, const struct address *address, struct geo_place *place)
{
	struct text file = {0};
	struct geo_place found = {.is_known = false};
	struct err err;
	bool done = file_read(path, ATLAS_FILE_SIZE_MAX, &file, &err);

	if (done && compact_is(file.bytes, file.size))
		done = place_in_compact(&file, address, &found, &err);
	else if (done)
		done = place_in_mmdb(&file, address, &found, &err);
	text_done(&file);
	if (done && !found.is_known)
		return false;
	if (done)
		*place = found;
	snprintf(place->source, sizeof(place->source), "%.250s", done ? base_name(path) : err.text);
	return true;
}

void geo_find_place(const struct geo_request *request, const struct address *address,
	struct geo_place *ret_place)
{
	struct prefix whole = prefix_of(address, address_bits(address));
	struct geo_place place = {.is_known = false};
	struct prefix inner;

	if (address->family == ADDRESS_IPV6 && embedded_find(&whole, &inner, NULL)) {
		whole = inner;
		address = &inner.address;
	}
	place.network = whole;

	bool is_found = place_in_networks(request, address, &place) ||
		place_in_special_block(address, &place);

	for (size_t i = 0; i < request->city_path_count && !is_found; i++)
		is_found = place_in_file(request->city_paths[i], address, &place);
	if (!is_found)
		snprintf(place.source, sizeof(place.source), "%s",
			request->city_path_count > 0 ? "no database knows it"
						     : "there is no database");
	*ret_place = place;
}
