/* SPDX-License-Identifier: Apache-2.0 */
#include "frame.h"

/*
 * The body of LINK_VERDICTS is the table as health/verdict.h writes it.
 */
void link_write_verdicts(const struct verdict_table *verdicts, struct text *ret_frame)
{
	size_t start = frame_begin(ret_frame, LINK_VERDICTS);

	verdict_table_write(verdicts, ret_frame);
	frame_end(ret_frame, start);
}

bool link_read_verdicts(
	const uint8_t *body, size_t size, struct verdict_table *ret_table, struct err *err)
{
	return verdict_table_read(body, size, ret_table, err);
}
