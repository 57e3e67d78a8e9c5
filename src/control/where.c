/* SPDX-License-Identifier: Apache-2.0 */
#include "steerd/control/where.h"

#include "steerd/config/settings.h"

char *where_is_socket(const char *settings_path, struct report *report)
{
	char *path = settings_find_control(settings_path);

	/* only to say why */
	if (!path)
		settings_free(settings_read(settings_path, report));
	return path;
}
