/* SPDX-License-Identifier: Apache-2.0 */

/* Settings as an operator would write them. */

#include "rows.h"
#include "steerd/config/settings.h"

const char *settings_all_down_text(enum settings_all_down all_down)
{
	return table_all_downs[all_down];
}

/* "all-of", "any-of"; "at-least" has a number and "of" instead. */
static const char *form_of(const struct settings_condition *condition)
{
	if (condition->kind == CONDITION_NOT)
		return "not";
	if (condition->at_least == 1)
		return "any-of";
	return condition->at_least == condition->item_count ? "all-of" : NULL;
}

/* Calls itself as deep as conditions nest: SETTINGS_CONDITION_DEPTH_MAX. */
void settings_print_condition(const struct settings *settings,
	const struct settings_condition *condition, struct text *text)
{
	bool is_list = condition->kind == CONDITION_AT_LEAST;

	if (condition->kind == CONDITION_MONITOR) {
		text_add(text, settings->monitors[condition->monitor].name);
		return;
	}
	if (form_of(condition))
		text_print(text, "{%s: ", form_of(condition));
	else
		text_print(text, "{at-least: %u, of: ", condition->at_least);
	text_add(text, is_list ? "[" : "");
	for (size_t i = 0; i < condition->item_count; i++) {
		text_add(text, i > 0 ? ", " : "");
		settings_print_condition(settings, &condition->items[i], text);
	}
	text_add(text, is_list ? "]}" : "}");
}
