/* SPDX-License-Identifier: Apache-2.0 */
#include "steerd/control/bulletin.h"

#include <inttypes.h>
#include <stdio.h>

#include "json.h"
#include "steerd/base/memory.h"
#include "steerd/control/words.h"

static const char *const pool_states[] = {
	[BELIEF_POOL_SOUND] = "sound",
	[BELIEF_POOL_PANIC] = "panic",
	[BELIEF_POOL_LOST] = "lost",
};

const char *bulletin_event(const struct bulletin *bulletin)
{
	return bulletin->is_gone ? "removed" : bulletin->notice->event;
}

void bulletin_print_subject(const struct bulletin *bulletin, struct text *ret_line)
{
	const struct notice_subject *subject = &bulletin->notice->subject;
	char address[ADDRESS_TEXT_SIZE];

	if (subject->kind == NOTICE_OBSERVER || subject->kind == NOTICE_PROBER)
		text_add(ret_line, subject->kind == NOTICE_OBSERVER ? "observer" : "prober");
	if (subject->pool)
		text_add(ret_line, subject->pool);
	if (subject->member)
		text_print(ret_line, "/%s", subject->member);
	if (subject->monitor)
		text_add(ret_line, subject->monitor);
	if (subject->address.family != ADDRESS_NONE) {
		address_print(&subject->address, address);
		text_print(ret_line, " %s", address);
	}
}

void bulletin_print_reason(const struct bulletin *bulletin, struct text *ret_line)
{
	const struct notice *notice = bulletin->notice;

	if (bulletin->is_gone)
		text_add(ret_line, "it is not configured any more");
	else if (notice->level == 0)
		text_print(ret_line, "it is over; it was: %s", notice->reason);
	else
		text_add(ret_line, notice->reason);
	for (size_t i = 0; i < ret_line->size; i++)
		if ((unsigned char)ret_line->bytes[i] < 0x20 || ret_line->bytes[i] == 0x7f)
			ret_line->bytes[i] = '?';
}

/* ---- evidence ---- */

static json_t *certificate_json(const struct verdict *row)
{
	json_t *json = json_object();

	json_put_text(json, "for", row->certificate);
	json_put_text(json, "issuer", row->issuer);
	json_put_time(json, "until_unix_s", row->certificate_until_unix_s);
	return json;
}

static json_t *check_json(const struct bulletin *bulletin, const struct verdict *row)
{
	json_t *json = json_object();
	uint32_t monitor = bulletin->targets->targets[row->target].monitor;
	char marks[VERDICT_OUTCOMES + 1];
	char address[ADDRESS_TEXT_SIZE];

	words_outcomes(row, marks);
	address_print(&row->address, address);
	json_put_text(json, "monitor", monitor == TARGET_NONE ? NULL : bulletin->monitors[monitor]);
	json_put_text(json, "address", address);
	json_put_text(json, "state", words_verdict((enum verdict_state)row->state));
	json_put_time(json, "since_unix_s", row->since_unix_s);
	json_put_time(json, "checked_at_unix_s", row->checked_at_unix_s);
	json_put(json, "passed", json_boolean(row->last_passed));
	json_put_number(json, "streak", row->streak);
	json_put_text(json, "outcomes", marks);
	json_put_number(json, "latency_ms", row->latency_ms);
	json_put_number(json, "latency_p50_ms", row->latency_p50_ms);
	json_put_number(json, "latency_p95_ms", row->latency_p95_ms);
	json_put_text(json, "reason", row->reason[0] ? row->reason : NULL);
	json_put_text(json, "note", row->note[0] ? row->note : NULL);
	json_put(json, "certificate",
		row->certificate_until_unix_s > 0 ? certificate_json(row) : json_null());
	return json;
}

static json_t *evidence_json(const struct bulletin *bulletin)
{
	json_t *checks = json_array();

	for (size_t i = 0; i < bulletin->row_count; i++)
		json_push(checks, check_json(bulletin, bulletin->rows[i]));
	return checks;
}

static json_t *pool_json(const struct guard_pool_state *pool)
{
	json_t *json = json_object();

	json_put_text(json, "state", pool_states[pool->state]);
	json_put_number(json, "capacity_percent", pool->percent);
	json_put_number(json, "lost_percent", pool->loss_percent);
	json_put_number(json, "held", pool->held_count);
	json_put_time(json, "since_unix_s", pool->since_unix_s);
	return json;
}

/* ---- the whole ---- */

static void put_line(json_t *json, const char *key,
	void (*print)(const struct bulletin *, struct text *), const struct bulletin *bulletin)
{
	struct text line = {0};

	print(bulletin, &line);
	json_put_text(json, key, line.bytes);
	text_done(&line);
}

static void put_subject(json_t *json, const struct notice_subject *subject)
{
	char address[ADDRESS_TEXT_SIZE];

	address_print(&subject->address, address);
	json_put_text(json, "pool", subject->pool);
	json_put_text(json, "member", subject->member);
	json_put_text(json, "address", subject->address.family == ADDRESS_NONE ? NULL : address);
	json_put_text(json, "monitor", subject->monitor);
}

void bulletin_print(const struct bulletin *bulletin, struct text *ret_json)
{
	const struct notice *notice = bulletin->notice;
	json_t *json = json_object();
	char id[24];

	snprintf(id, sizeof(id), "%016" PRIx64, notice->id);
	json_put_text(json, "id", id);
	json_put_text(json, "event", bulletin_event(bulletin));
	json_put(json, "repeat", json_boolean(notice->is_repeat));
	put_line(json, "subject", bulletin_print_subject, bulletin);
	put_subject(json, &notice->subject);
	json_put_time(json, "since_unix_s", notice->since_unix_s);
	json_put_time(json, "at_unix_s", bulletin->now_unix_s);
	put_line(json, "reason", bulletin_print_reason, bulletin);
	json_put(json, "checks", evidence_json(bulletin));
	json_put(json, "pool_state", bulletin->pool ? pool_json(bulletin->pool) : json_null());
	json_put_text(json, "host", bulletin->host);
	json_put_number(json, "generation", bulletin->generation);
	json_write(json, JSON_COMPACT, ret_json);
	json_decref(json);
}
