/* SPDX-License-Identifier: Apache-2.0 */
#include "embedded.h"

#include <string.h>

static const struct prefix prefixes[EMBEDDED_COUNT] = {
	[EMBEDDED_MAPPED] = {{ADDRESS_IPV6, {[10] = 0xff, [11] = 0xff}}, 96},
	[EMBEDDED_NAT64] = {{ADDRESS_IPV6, {0x00, 0x64, 0xff, 0x9b}}, 96},
	[EMBEDDED_6TO4] = {{ADDRESS_IPV6, {0x20, 0x02}}, 16},
};

const struct prefix *embedded_prefix(enum embedded which)
{
	return &prefixes[which];
}

bool embedded_find(const struct prefix *outer, struct prefix *ret_inner, unsigned *ret_before_bits)
{
	for (size_t i = 0; i < EMBEDDED_COUNT; i++) {
		unsigned before = prefixes[i].bits;
		struct address inner = {.family = ADDRESS_IPV4};

		if (outer->bits < before || !prefix_contains(&prefixes[i], &outer->address))
			continue;
		memcpy(inner.bytes, outer->address.bytes + before / 8, 4);
		*ret_inner =
			prefix_of(&inner, outer->bits - before > 32 ? 32 : outer->bits - before);
		if (ret_before_bits)
			*ret_before_bits = before;
		return true;
	}
	return false;
}
