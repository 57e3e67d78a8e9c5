/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MANUAL_SECTION_H
#define MANUAL_SECTION_H

#include <stdbool.h>

#include "steerd/base/err.h"
#include "steerd/base/text.h"

/*
 * section - parts of manual pages that are made from the tables that the programs use.
 *
 * Each adds mdoc(7) to the page; `words` is what stands behind the name of the section in the page's source.
 */
typedef bool section_fn(struct text *page, const char *words, struct err *err);

section_fn section_settings;  /* settings of steerd.yaml: those named, and what is below them */
section_fn section_commands;  /* of steerctl */
section_fn section_arguments; /* of these commands */
section_fn section_metrics;   /* of `steerctl metrics` */
section_fn section_options;   /* of the program named */
section_fn section_exits;     /* its exit codes */

#endif
