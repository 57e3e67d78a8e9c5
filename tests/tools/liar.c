/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A prober that lies: it speaks the link of link/link.h on its descriptor 3, makes no check, and says what its
 * argument tells it to.
 *
 *	liar LIE
 *
 * On orders it says once that everything is up, and from then on, ten times a second, its lie; see the table of lies.
 * It ends when steerd closes the socket.  Where it has lied ten times it says so on its standard error.
 */

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "steerd/base/bytes.h"
#include "steerd/base/memory.h"
#include "steerd/link/link.h"

#define FD 3
#define TICK_MS 100

struct liar {
	struct text in;
	struct arena *arena; /* of the orders; NULL before the first */
	struct link_orders orders;
	size_t told; /* lies so far, since the orders */
};

/* ---- tables ---- */

/* A row for each target that has an address, all of one state. */
static struct verdict_table table_of(const struct liar *liar, enum verdict_state state)
{
	const struct target_list *targets = &liar->orders.targets;
	uint64_t now_unix_s = (uint64_t)time(NULL);
	struct verdict_table table = {.generation = targets->generation};

	/* room for one more: a lie may want it */
	table.rows = memory_new((targets->count + 1) * sizeof(table.rows[0]));
	for (target_id i = 0; i < targets->count; i++) {
		struct verdict *row = &table.rows[table.count];

		if (targets->targets[i].host)
			continue;
		table.count++;
		*row = (struct verdict){
			.target = i,
			.address = targets->targets[i].address,
			.state = (uint8_t)state,
			.since_unix_s = now_unix_s,
			.checked_at_unix_s = now_unix_s,
			.streak = 9,
			.last_passed = state == VERDICT_UP,
			.was_up = true,
		};
		if (state == VERDICT_DOWN)
			strcpy(row->reason, "this is a lie");
	}
	return table;
}

static void add_table(
	struct liar *liar, void (*spoil)(struct verdict_table *table), struct text *out)
{
	struct verdict_table table = table_of(liar, VERDICT_DOWN);

	spoil(&table);
	link_write_verdicts(&table, out);
	verdict_table_done(&table);
}

static void add_states(
	const struct liar *liar, uint64_t generation, size_t row_count, struct text *out)
{
	uint8_t *bits = memory_new(link_states_size(row_count) + 1);
	const struct link_states states = {
		.generation = generation, .row_count = row_count, .bits = bits};

	(void)liar;
	for (size_t i = 0; i < row_count; i++)
		link_states_set(bits, i, VERDICT_DOWN);
	link_write_states(&states, out);
	free(bits);
}

static void spoil_nothing(struct verdict_table *table)
{
	(void)table;
}
static void spoil_generation(struct verdict_table *table)
{
	table->generation++;
}
static void spoil_old_generation(struct verdict_table *table)
{
	table->generation--;
}
static void spoil_last_row(struct verdict_table *table)
{
	table->count--;
}
static void spoil_all_rows(struct verdict_table *table)
{
	table->count = 0;
}
static void spoil_one_more(struct verdict_table *table)
{
	table->rows[table->count] = table->rows[table->count - 1];
	table->rows[table->count++].target++;
}
static void spoil_targets(struct verdict_table *table)
{
	for (size_t i = 0; i < table->count; i++)
		table->rows[i].target += 1000;
}
static void spoil_addresses(struct verdict_table *table)
{
	for (size_t i = 0; i < table->count; i++)
		table->rows[i].address.bytes[3] ^= 0x40;
}
static void spoil_order(struct verdict_table *table)
{
	struct verdict first = table->rows[0];

	table->rows[0] = table->rows[table->count - 1];
	table->rows[table->count - 1] = first;
}

/* ---- lies: what each adds ---- */

static void tell_up(struct liar *liar, struct text *out)
{
	struct verdict_table table = table_of(liar, VERDICT_UP);

	link_write_verdicts(&table, out);
	verdict_table_done(&table);
}
static void tell_down(struct liar *liar, struct text *out)
{
	add_table(liar, spoil_nothing, out);
}
static void tell_down_states(struct liar *liar, struct text *out)
{
	struct verdict_table table = table_of(liar, VERDICT_UP);

	add_states(liar, table.generation, table.count, out);
	verdict_table_done(&table);
}
static void tell_generation(struct liar *liar, struct text *out)
{
	add_table(liar, spoil_generation, out);
}
static void tell_old_generation(struct liar *liar, struct text *out)
{
	add_table(liar, spoil_old_generation, out);
}
static void tell_short(struct liar *liar, struct text *out)
{
	add_table(liar, spoil_last_row, out);
}
static void tell_empty(struct liar *liar, struct text *out)
{
	add_table(liar, spoil_all_rows, out);
}
static void tell_long(struct liar *liar, struct text *out)
{
	add_table(liar, spoil_one_more, out);
}
static void tell_targets(struct liar *liar, struct text *out)
{
	add_table(liar, spoil_targets, out);
}
static void tell_addresses(struct liar *liar, struct text *out)
{
	add_table(liar, spoil_addresses, out);
}
static void tell_order(struct liar *liar, struct text *out)
{
	add_table(liar, spoil_order, out);
}

/* A whole frame, of which one bit has another value. */
static void tell_rotten(struct liar *liar, struct text *out)
{
	tell_down(liar, out);
	out->bytes[out->size / 2] ^= 1;
}

/* The frame says that it is as long as it is, and the table that it has more rows. */
static void tell_cut(struct liar *liar, struct text *out)
{
	struct text frame = {0};

	tell_down(liar, &frame);
	bytes_write_u32(out, 600);
	bytes_write_u8(out, LINK_VERDICTS);
	text_add_bytes(out, frame.bytes + LINK_FRAME_HEADER, 600);
	text_done(&frame);
}

static void tell_states_short(struct liar *liar, struct text *out)
{
	add_states(liar, liar->orders.targets.generation, liar->orders.targets.count - 1, out);
}
static void tell_states_long(struct liar *liar, struct text *out)
{
	add_states(liar, liar->orders.targets.generation, liar->orders.targets.count + 100, out);
}
static void tell_states_generation(struct liar *liar, struct text *out)
{
	add_states(liar, liar->orders.targets.generation + 1, liar->orders.targets.count, out);
}

static void tell_garbage(struct liar *liar, struct text *out)
{
	(void)liar;
	for (unsigned i = 0; i < 4096; i++)
		bytes_write_u8(out, (uint8_t)(i * 2654435761u >> 13 | 0x80));
}

static void tell_findings(struct liar *liar, struct text *out)
{
	static const struct finding items[] = {{FINDING_VERDICT, "down", "this is a lie", 0}};
	const struct link_findings findings = {.id = 1, .items = items, .count = 1};

	tell_up(liar, out);
	link_write_findings(&findings, out);
}

/* A frame of which an octet comes each time: never silent, and never a word. */
static void tell_drops(struct liar *liar, struct text *out)
{
	if (liar->told == 0) {
		bytes_write_u32(out, 1 << 20);
		bytes_write_u8(out, LINK_VERDICTS);
	}
	bytes_write_u8(out, 'x');
}

/* The truth, more often than anybody wants to hear it. */
static void tell_flood(struct liar *liar, struct text *out)
{
	for (int i = 0; i < 200; i++)
		tell_up(liar, out);
}

static void tell_nothing(struct liar *liar, struct text *out)
{
	(void)liar;
	(void)out;
}

static const struct {
	const char *name;
	void (*tell)(struct liar *liar, struct text *out);
	bool is_first; /* told at once, without any truth before it */
} lies[] = {
	{"up", tell_up, false}, /* no lie where everything is */
	{"down", tell_down, false},
	{"down-at-once", tell_down, true},
	{"down-states", tell_down_states, false},
	{"generation", tell_generation, true},
	{"old-generation", tell_old_generation, false},
	{"short", tell_short, false},
	{"empty", tell_empty, false},
	{"long", tell_long, false},
	{"targets", tell_targets, false},
	{"addresses", tell_addresses, false},
	{"order", tell_order, false},
	{"rotten", tell_rotten, false},
	{"cut", tell_cut, false},
	{"states-first", tell_down_states, true},
	{"states-short", tell_states_short, false},
	{"states-long", tell_states_long, false},
	{"states-generation", tell_states_generation, false},
	{"garbage", tell_garbage, false},
	{"findings", tell_findings, false},
	{"flood", tell_flood, false},
	{"drops", tell_drops, false},
	{"nothing", tell_nothing, true},
};

/* ---- the link ---- */

/* Waits where steerd does not read; ends with the socket. */
static void send_all(const struct text *out)
{
	for (size_t sent = 0; sent < out->size;) {
		ssize_t size = send(FD, out->bytes + sent, out->size - sent, MSG_NOSIGNAL);

		if (size <= 0)
			exit(0);
		sent += (size_t)size;
	}
}

static void say(struct liar *liar, void (*tell)(struct liar *liar, struct text *out))
{
	struct text out = {0};

	tell(liar, &out);
	send_all(&out);
	text_done(&out);
}

/* True if new orders came; anything else that steerd sends is not listened to. */
static bool take_orders(struct liar *liar)
{
	enum link_kind kind;
	const uint8_t *body;
	size_t size;
	struct err err;

	if (!link_find_frame(liar->in.bytes, liar->in.size, &kind, &body, &size))
		exit(1);
	if (size == 0)
		return false;
	if (kind == LINK_ORDERS) {
		if (liar->arena) {
			verdict_table_done(&liar->orders.verdicts);
			arena_free(liar->arena);
		}
		liar->arena = arena_new();
		liar->told = 0;
		if (!link_read_orders(
			    body, size - LINK_FRAME_HEADER, liar->arena, &liar->orders, &err)) {
			fprintf(stderr, "liar: %s\n", err.text);
			exit(1);
		}
	}
	liar->in.size -= size;
	memmove(liar->in.bytes, liar->in.bytes + size, liar->in.size);
	return kind == LINK_ORDERS;
}

static bool receive(struct liar *liar)
{
	char piece[65536];
	ssize_t size = recv(FD, piece, sizeof(piece), 0);

	if (size <= 0)
		exit(0);
	text_add_bytes(&liar->in, piece, (size_t)size);
	return take_orders(liar);
}

int main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : "generation";
	struct liar liar = {0};
	size_t lie = 0;

	while (lie < COUNT_OF(lies) && strcmp(lies[lie].name, name) != 0)
		lie++;
	if (lie == COUNT_OF(lies)) {
		fprintf(stderr, "liar: '%s' is no lie\n", name);
		return 2;
	}
	for (;;) {
		struct pollfd poll_fd = {.fd = FD, .events = POLLIN};

		if (poll(&poll_fd, 1, TICK_MS) > 0) {
			if (receive(&liar) && !lies[lie].is_first)
				say(&liar, tell_up);
		} else if (liar.arena) {
			say(&liar, lies[lie].tell);
			if (++liar.told == 10)
				fprintf(stderr, "liar: told ten times: %s\n", name);
		}
	}
}
