/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROBE_DAYS_H
#define PROBE_DAYS_H

#include <stdint.h>

#include "certificate.h"
#include "steerd/base/text.h"
#include "steerd/config/monitor.h"

/*
 * days - what the last days of a certificate mean, by the monitor's `certificate-days`.  Pure.
 */
enum days { DAYS_FINE, DAYS_WARN, DAYS_DEGRADE, DAYS_FAIL };

/* DAYS_FINE where no certificate was seen. */
enum days days_judge(const struct settings_monitor *monitor, const struct certificate *leaf,
	uint64_t now_unix_s);

/* "certificate of a.example (issued by CA) ends in 3 d 4 h, on 2026-11-29" */
void days_describe(const struct certificate *leaf, uint64_t now_unix_s, struct text *ret_line);

#endif
