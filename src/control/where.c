/* SPDX-License-Identifier: Apache-2.0 */
#include "steerd/control/where.h"

#include "steerd/base/memory.h"
#include "steerd/config/settings.h"

char *where_is_socket(const char *settings_path, struct report *report)
{
	struct settings *settings = settings_read(settings_path, report);
	char *path = settings ? memory_text(settings->control_path) : NULL;

	settings_free(settings);
	return path;
}
