/* SPDX-License-Identifier: Apache-2.0 */
#include "frame.h"

/*
 * The body of LINK_INQUIRY:
 *
 *	id:8  key  address
 *
 * and that of LINK_FINDINGS:
 *
 *	id:8  count:4  (section:1 name value number:8)...
 */
#define FINDING_SIZE_MIN (1 + 2 + 2 + 8)

void link_write_inquiry(const struct link_inquiry *inquiry, struct text *ret_frame)
{
	size_t start = frame_begin(ret_frame, LINK_INQUIRY);

	bytes_write_u64(ret_frame, inquiry->id);
	bytes_write_text(ret_frame, inquiry->key);
	bytes_write_address(ret_frame, &inquiry->address);
	frame_end(ret_frame, start);
}

bool link_read_inquiry(const uint8_t *body, size_t size, struct arena *arena,
	struct link_inquiry *ret_inquiry, struct err *err)
{
	struct bytes_reader reader = {.at = body, .left = size};
	struct link_inquiry inquiry = {.id = bytes_read_u64(&reader)};

	inquiry.key = frame_read_line(&reader, arena);
	inquiry.address = bytes_read_address(&reader);
	if (reader.failed || reader.left > 0 || !inquiry.key || inquiry.key[0] == '\0' ||
		inquiry.address.family == ADDRESS_NONE)
		return err_set(err, "the inquiry cannot be");
	*ret_inquiry = inquiry;
	return true;
}

void link_write_findings(const struct link_findings *findings, struct text *ret_frame)
{
	size_t start = frame_begin(ret_frame, LINK_FINDINGS);

	bytes_write_u64(ret_frame, findings->id);
	bytes_write_u32(ret_frame, (uint32_t)findings->count);
	for (size_t i = 0; i < findings->count; i++) {
		const struct finding *item = &findings->items[i];

		bytes_write_u8(ret_frame, (uint8_t)item->section);
		bytes_write_text(ret_frame, item->name);
		bytes_write_text(ret_frame, item->value);
		bytes_write_u64(ret_frame, item->number);
	}
	frame_end(ret_frame, start);
}

static bool read_finding(struct bytes_reader *reader, struct arena *arena, struct finding *finding)
{
	uint8_t section = bytes_read_u8(reader);

	finding->section = (enum finding_section)section;
	finding->name = frame_read_line(reader, arena);
	finding->value = frame_read_line(reader, arena);
	finding->number = bytes_read_u64(reader);
	return !reader->failed && section <= FINDING_VERDICT && finding->name && finding->value;
}

bool link_read_findings(const uint8_t *body, size_t size, struct arena *arena,
	struct link_findings *ret_findings, struct err *err)
{
	struct bytes_reader reader = {.at = body, .left = size};
	struct link_findings findings = {.id = bytes_read_u64(&reader)};

	findings.count = bytes_read_u32(&reader);
	/* before memory is asked for */
	if (reader.failed || findings.count > reader.left / FINDING_SIZE_MIN)
		return err_set(err, "the findings are cut short");

	struct finding *items = ARENA_ARRAY(arena, struct finding, findings.count);

	for (size_t i = 0; i < findings.count; i++)
		if (!read_finding(&reader, arena, &items[i]))
			return err_set(err, "finding %zu cannot be", i + 1);
	if (reader.left > 0)
		return err_set(err, "%zu octets follow the last finding", reader.left);
	findings.items = items;
	*ret_findings = findings;
	return true;
}
