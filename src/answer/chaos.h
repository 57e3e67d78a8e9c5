/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ANSWER_CHAOS_H
#define ANSWER_CHAOS_H

#include <stdint.h>

#include "steerd/dns/query.h"
#include "steerd/plan/plan.h"

/*
 * chaos - what may be asked in class CH: who answers (RFC 4892), and which version of the program.  [query path]
 */

/* The one text of the TXT record, as a character string; NULL: nobody is told that, or it is another question. */
const uint8_t *chaos_find(const struct plan *plan, const struct query *query);

#endif
