/* SPDX-License-Identifier: Apache-2.0 */
#include "json.h"
#include "reply.h"
#include "steerd/control/words.h"
#include "view.h"

static json_t *outcomes_of(const struct verdict *row)
{
	char marks[VERDICT_OUTCOMES + 1];

	words_outcomes(row, marks);
	return json_string(marks);
}

static json_t *certificate_of(const struct verdict *row)
{
	if (!row->certificate_until_unix_s)
		return json_null();

	json_t *json = json_object();

	json_put_text(json, "name", row->certificate);
	json_put_text(json, "issuer", row->issuer);
	json_put_time(json, "until_unix_s", row->certificate_until_unix_s);
	return json;
}

static json_t *check_of(const struct view_check *check)
{
	static const struct verdict none = {.state = VERDICT_UNKNOWN};
	const struct verdict *row = check->verdict ? check->verdict : &none;
	bool was_checked = row->checked_at_unix_s != 0;
	json_t *json = json_object();

	json_put_text(json, "monitor", check->monitor->name);
	json_put(json, "watch_only", json_boolean(check->is_watch_only));
	json_put_text(json, "state", words_verdict(row->state));
	json_put_time(json, "since_unix_s", row->since_unix_s);
	json_put_time(json, "checked_at_unix_s", row->checked_at_unix_s);
	json_put(json, "passed", was_checked ? json_boolean(row->last_passed) : json_null());
	json_put(json, "streak", was_checked ? json_integer(row->streak) : json_null());
	json_put(json, "latency_ms", was_checked ? json_integer(row->latency_ms) : json_null());
	json_put_number(json, "latency_p50_ms", row->latency_p50_ms);
	json_put_number(json, "latency_p95_ms", row->latency_p95_ms);
	json_put_number(json, "rate_kbit_s", row->rate_kbit_s);
	json_put(json, "outcomes", outcomes_of(row));
	json_put_number(json, "flaps", row->flaps);
	json_put_time(json, "held_until_unix_s", row->held_until_unix_s);
	json_put_text(json, "reason", *row->reason ? row->reason : NULL);
	json_put_text(json, "note", *row->note ? row->note : NULL);
	json_put(json, "certificate", certificate_of(row));
	return json;
}

void reply_add_checks(const struct view *view, const struct view_member *member, json_t *addresses)
{
	struct view_check checks[VIEW_CHECKS_MAX];

	for (size_t i = 0; i < json_array_size(addresses); i++) {
		json_t *json = json_array_get(addresses, i);
		json_t *array = json_array();
		struct address address;

		if (address_parse(json_string_value(json_object_get(json, "address")), &address)) {
			size_t count = view_checks(view, member, &address, checks);

			for (size_t k = 0; k < count; k++)
				json_push(array, check_of(&checks[k]));
		}
		json_put(json, "checks", array);
	}
}
