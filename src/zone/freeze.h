/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ZONE_FREEZE_H
#define ZONE_FREEZE_H

#include "draft.h"
#include "tree.h"

/* A draft without mistakes as a zone that cannot change, held once.  The draft may go; `identities` is copied. */
struct zone *freeze_draft(const struct draft *draft, const struct file_identities *identities);

#endif
