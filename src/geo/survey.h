/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GEO_SURVEY_H
#define GEO_SURVEY_H

#include <stdbool.h>

#include "mmdb.h"
#include "point.h"
#include "range.h"
#include "steerd/base/err.h"

/*
 * survey - a MaxMind DB file as ranges of points.
 *
 * Networks are millions, descriptions hundreds of thousands, and points fewer still; each look at one of them is likely
 * to miss the cache.  So there is a pass for each of these, in which many such looks are under way at once and none
 * waits for another: the tree becomes ranges of descriptions, these are numbered, read once each, and replaced by the
 * numbers of their points.
 *
 * IPv6 networks longer than /64 share the upper half of their address: the description of most of it is taken.
 */
bool survey_mmdb(const struct mmdb *mmdb, struct points *points, struct ranges *ret_ipv4,
	struct ranges *ret_ipv6, struct err *err);

#endif
