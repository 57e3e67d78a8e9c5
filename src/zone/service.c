/* SPDX-License-Identifier: Apache-2.0 */
#include "service.h"

#include <string.h>

#include "caa.h"
#include "svcb.h"

#include "steerd/base/memory.h"
#include "steerd/dns/dns.h"
#include "steerd/dns/type.h"
#include "steerd/dns/wire.h"

/* STEER_ANSWERS_MAX addresses of each family, and what stands before them (the steer room is above this one). */
#define HINTS_SIZE_MAX (64 * (4 + 16) + 2 * 4)

static const enum svcb_key hint_keys[] = {SVCB_IPV4HINT, SVCB_IPV6HINT};

bool service_has_params(uint16_t type)
{
	return type == DNS_TYPE_SVCB || type == DNS_TYPE_HTTPS;
}

static bool is_alias(const struct draft_record *record)
{
	return wire_read16(record->rdata) == 0; /* RFC 9460 2.4.1 */
}

/* RFC 9460 2.5.2: "." is the owner, and for a wildcard the name that was asked for. */
static bool is_own_target(const struct draft_name *name, const struct draft_record *record)
{
	struct name_key target;

	(void)name_key_read(record->rdata + 2, record->rdata_size - (size_t)2, &target);
	return target.label_count == 0 ||
		(target.size == name->size && memcmp(target.wire, name->wire, name->size) == 0);
}

bool service_find_hints(const struct draft_name *name, const struct draft_record *record,
	struct zone_hints *ret_hints)
{
	size_t head_size = svcb_head_size(record->rdata);
	struct zone_hints hints = {
		.at = {(uint16_t)head_size, record->rdata_size},
		.is_outward = !is_own_target(name, record),
	};
	struct svcb_param param;

	if (!hints.is_outward && !(name->flags & DRAFT_IS_STEERED))
		return false;
	for (size_t offset = head_size;
		svcb_param_at(record->rdata, record->rdata_size, offset, &param);
		offset += param.size)
		for (unsigned i = 0; i < COUNT_OF(hint_keys); i++)
			if (param.key == hint_keys[i]) {
				hints.at[i] = param.offset;
				hints.size[i] = param.size;
			}
	if (hints.size[0] == 0 && hints.size[1] == 0)
		return false;
	*ret_hints = hints;
	return true;
}

bool service_needs_hints(const struct draft_record *record)
{
	for (unsigned i = 0; i < COUNT_OF(hint_keys); i++)
		if (svcb_is_mandatory(record->rdata, record->rdata_size, hint_keys[i]))
			return true;
	return false;
}

/* The next parameter that is no hint of an address. */
static bool next_lasting(
	const struct draft_record *record, size_t *offset, struct svcb_param *ret_param)
{
	while (svcb_param_at(record->rdata, record->rdata_size, *offset, ret_param)) {
		*offset += ret_param->size;
		if (ret_param->key != SVCB_IPV4HINT && ret_param->key != SVCB_IPV6HINT)
			return true;
	}
	return false;
}

bool service_is_same(
	const struct draft_name *name, const struct draft_record *a, const struct draft_record *b)
{
	size_t a_at;
	size_t b_at;
	struct svcb_param x;
	struct svcb_param y;
	bool has_x;
	bool has_y;

	if (!service_has_params(a->type) || !(name->flags & DRAFT_IS_STEERED) ||
		!is_own_target(name, a))
		return false;
	a_at = svcb_head_size(a->rdata);
	b_at = svcb_head_size(b->rdata);
	if (a_at != b_at || memcmp(a->rdata, b->rdata, a_at) != 0)
		return false;
	do {
		has_x = next_lasting(a, &a_at, &x);
		has_y = next_lasting(b, &b_at, &y);
	} while (has_x && has_y && x.size == y.size &&
		memcmp(a->rdata + x.offset, b->rdata + y.offset, x.size) == 0);
	return !has_x && !has_y;
}

size_t service_growth(const struct draft_name *name, const struct draft_record *record)
{
	struct zone_hints hints;

	if (!service_has_params(record->type) || !service_find_hints(name, record, &hints))
		return 0;
	return hints.is_outward ? 0 : HINTS_SIZE_MAX;
}

/* RFC 9460 2.4.2: nobody looks at the parameters of an alias. */
static void drop_params(
	struct draft *draft, const struct draft_name *name, struct draft_record *record)
{
	size_t head_size = svcb_head_size(record->rdata);
	char type[TYPE_TEXT_SIZE];
	struct draft_text owner;

	if (!is_alias(record) || record->rdata_size == head_size)
		return;
	type_print(record->type, type);
	report_warning(draft->report, draft_place(draft, record->file, record->line),
		"the %s at '%s' has priority 0, which makes it an alias: its parameters are "
		"dropped (RFC 9460 2.4.2)",
		type, draft_print(draft, name->wire, &owner));
	record->rdata_size = (uint16_t)head_size;
}

static void check_needs(
	struct draft *draft, const struct draft_name *name, const struct draft_record *record)
{
	struct zone_hints hints;
	char type[TYPE_TEXT_SIZE];
	struct draft_text owner;

	if (!service_find_hints(name, record, &hints) || hints.is_outward ||
		!service_needs_hints(record))
		return;
	type_print(record->type, type);
	report_error(draft->report, draft_place(draft, record->file, record->line),
		"'%s' is steered: the address hints of its %s come and go with the pool, so they "
		"cannot be 'mandatory' (RFC 9460 8)",
		draft_print(draft, name->wire, &owner), type);
}

/* RFC 8659 4.1: most who write 1 mean "critical". */
static void check_flags(
	struct draft *draft, const struct draft_name *name, const struct draft_record *record)
{
	struct draft_text owner;

	if (record->rdata[0] & CAA_FLAGS_RESERVED)
		report_warning(draft->report, draft_place(draft, record->file, record->line),
			"the CAA at '%s' has the flags %u, but only 128, critical, means anything "
			"(RFC 8659 4.1)",
			draft_print(draft, name->wire, &owner), record->rdata[0]);
}

void service_check(struct draft *draft, const struct draft_name *name)
{
	for (struct draft_record *record = name->records; record; record = record->next) {
		if (service_has_params(record->type)) {
			drop_params(draft, name, record);
			check_needs(draft, name, record);
		} else if (record->type == DNS_TYPE_CAA) {
			check_flags(draft, name, record);
		}
	}
}
