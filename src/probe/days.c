/* SPDX-License-Identifier: Apache-2.0 */
#include "days.h"

#include <stdbool.h>

#define DAY_S 86400

static bool ends_within(const struct certificate *leaf, uint64_t now_unix_s, uint32_t days)
{
	return leaf->until_unix_s > 0 && days > 0 &&
		leaf->until_unix_s < now_unix_s + (uint64_t)days * DAY_S;
}

enum days days_judge(
	const struct settings_monitor *monitor, const struct certificate *leaf, uint64_t now_unix_s)
{
	if (ends_within(leaf, now_unix_s, monitor->certificate_fail_days))
		return DAYS_FAIL;
	if (ends_within(leaf, now_unix_s, monitor->certificate_degrade_days))
		return DAYS_DEGRADE;
	if (ends_within(leaf, now_unix_s, monitor->certificate_warn_days))
		return DAYS_WARN;
	return DAYS_FINE;
}

void days_describe(const struct certificate *leaf, uint64_t now_unix_s, struct text *ret_line)
{
	char span[TEXT_DURATION_SIZE];
	char time[TEXT_TIME_SIZE];
	bool is_over = leaf->until_unix_s <= now_unix_s;

	text_time(leaf->until_unix_s, time);
	text_print(ret_line, "certificate of %.80s (%.40s)", leaf->names, leaf->issuer);
	if (is_over) {
		text_print(ret_line, " ended on %.10s", time);
		return;
	}
	text_duration((leaf->until_unix_s - now_unix_s) * 1000, span);
	text_print(ret_line, " ends in %s, on %.10s", span, time);
}
