/* SPDX-License-Identifier: Apache-2.0 */
#include "mistakes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "steerd/base/report.h"
#include "steerd/base/text.h"
#include "steerd/config/settings.h"

/* Is the file taken or not, with these lines?  Says so if not. */
static bool is_met(const struct mistake *mistake, bool is_taken, const char *want)
{
	struct report report = {0};
	struct settings *settings =
		settings_parse(mistake->yaml, strlen(mistake->yaml), "steerd.yaml", &report);
	const char *got = report.lines.bytes ? report.lines.bytes : "";
	bool is = (settings != NULL) == is_taken && (report.error_count == 0) == is_taken &&
		strcmp(got, want) == 0;

	if (!is)
		print_error("%s: %s\nwant %sgot  %s", mistake->about,
			settings ? "taken" : "refused", want, got);
	settings_free(settings);
	report_done(&report);
	return is;
}

size_t mistakes_refused(const struct mistake *mistakes, size_t count)
{
	size_t failed = 0;

	for (size_t i = 0; i < count; i++) {
		struct text want = {0};

		text_print(&want, "steerd.yaml%s", mistakes[i].want);
		failed += !is_met(&mistakes[i], false, want.bytes);
		text_done(&want);
	}
	return failed;
}

size_t mistakes_warned(const struct mistake *mistakes, size_t count)
{
	size_t failed = 0;

	for (size_t i = 0; i < count; i++)
		failed += !is_met(&mistakes[i], true, mistakes[i].want);
	return failed;
}
