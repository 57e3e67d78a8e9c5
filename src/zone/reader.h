/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ZONE_READER_H
#define ZONE_READER_H

#include "draft.h"
#include "tree.h"

#include "steerd/zone/zone.h"

/*
 * reader - the text of a zone and of the files that it includes, entry by entry, into a draft.
 */
struct reader_source {
	const char *path;      /* of the zone file, as messages name it */
	const char *directory; /* that no $INCLUDE leaves */
	const struct zone_rules *rules;
};

/*
 * Reads everything, and says each mistake in the draft's report.  `identities` gets what tells later whether a file
 * that was read has changed.
 */
void reader_read(struct draft *draft, const struct reader_source *source,
	struct file_identities *identities);

#endif
