/* SPDX-License-Identifier: Apache-2.0 */
#include "frame.h"

/*
 * The body of LINK_VERDICTS is the table as health/verdict.h writes it.  That of LINK_STATES:
 *
 *	generation:8  row_count:4  state:2 bits...  crc:4 (of all before it)
 *
 * with zeros in the bits behind the last row.
 */
#define STATES_HEAD 12
#define CRC_SIZE 4

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

void link_write_states(const struct link_states *states, struct text *ret_frame)
{
	size_t start = frame_begin(ret_frame, LINK_STATES);
	size_t body = ret_frame->size;

	bytes_write_u64(ret_frame, states->generation);
	bytes_write_u32(ret_frame, (uint32_t)states->row_count);
	text_add_bytes(ret_frame, states->bits, link_states_size(states->row_count));
	bytes_write_u32(ret_frame, bytes_crc32(ret_frame->bytes + body, ret_frame->size - body));
	frame_end(ret_frame, start);
}

static bool has_rest(const struct link_states *states, size_t bits_size)
{
	unsigned used = states->row_count % 4 * 2;

	return used > 0 && states->bits[bits_size - 1] >> used != 0;
}

bool link_read_states(
	const uint8_t *body, size_t size, struct link_states *ret_states, struct err *err)
{
	struct bytes_reader reader = {.at = body, .left = size};
	struct link_states states = {.generation = bytes_read_u64(&reader)};

	states.row_count = bytes_read_u32(&reader);

	size_t bits_size = link_states_size(states.row_count);

	if (reader.failed || size != STATES_HEAD + bits_size + CRC_SIZE)
		return err_set(err, "the states are cut short, or too long");
	states.bits = bytes_read_raw(&reader, bits_size);
	if (bytes_read_u32(&reader) != bytes_crc32(body, size - CRC_SIZE))
		return err_set(err, "the checksum of the states is wrong");
	if (has_rest(&states, bits_size))
		return err_set(err, "there are more states than rows");
	*ret_states = states;
	return true;
}
