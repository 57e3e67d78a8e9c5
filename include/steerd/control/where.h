/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROL_WHERE_H
#define CONTROL_WHERE_H

#include "steerd/base/report.h"

/*
 * where - the control socket that a configuration names.
 *
 * The caller frees the path.  Mistakes elsewhere in the configuration do not matter: they are when an operator needs
 * steerctl most.  NULL, and every mistake in `report`, if the path cannot be told.
 */
char *where_is_socket(const char *settings_path, struct report *report);

#endif
