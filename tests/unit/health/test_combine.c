/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "guard_combine.h"
#include "steerd/base/memory.h"

/*
 * Conditions are read from text: a digit is what monitor 0 to 9 says, !X not, (2 X Y Z) at least two of three, (* X Y) all
 * of them.
 */
#define NODES 32
#define MONITORS 10

struct tree {
	struct guard_condition nodes[NODES];
	size_t count;
	target_id targets[MONITORS];
};

static size_t parse(struct tree *tree, const char **at);

/* Items stand together, so they are read aside first. */
static void parse_list(struct tree *tree, size_t node, const char **at)
{
	struct guard_condition items[8];
	struct guard_condition *to;
	size_t count = 0;
	char least = *(*at)++;

	while (**at != ')') {
		if (**at == ' ') {
			(*at)++;
			continue;
		}
		items[count++] = tree->nodes[parse(tree, at)];
	}
	(*at)++;
	to = &tree->nodes[tree->count];
	tree->count += count;
	assert_true(tree->count <= NODES);
	memcpy(to, items, count * sizeof(items[0]));
	tree->nodes[node] = (struct guard_condition){
		.kind = GUARD_AT_LEAST,
		.at_least = (uint16_t)(least == '*' ? count : (size_t)(least - '0')),
		.items = to,
		.item_count = count,
	};
}

static size_t parse(struct tree *tree, const char **at)
{
	size_t node = tree->count++;
	char letter = *(*at)++;

	assert_true(node < NODES);
	if (letter == '!')
		tree->nodes[node] = (struct guard_condition){
			.kind = GUARD_NOT,
			.items = &tree->nodes[parse(tree, at)],
			.item_count = 1,
		};
	else if (letter == '(')
		parse_list(tree, node, at);
	else
		tree->nodes[node] = (struct guard_condition){
			.kind = GUARD_TARGETS, .targets = &tree->targets[letter - '0']};
	return node;
}

/* What the monitors say: U up, D down, G degraded, ? unknown, - is not there, * not checked. */
static const struct {
	const char *condition;
	const char *seen;
	char want;
} cases[] = {
	{"0", "U", 'U'},
	{"0", "G", 'G'},
	{"0", "D", 'D'},
	{"0", "?", '?'},
	{"0", "-", '?'},
	{"0", "*", 'U'},

	{"!0", "U", 'D'},
	{"!0", "G", 'D'},
	{"!0", "D", 'U'},
	{"!0", "?", '?'},
	{"!!0", "G", 'U'},
	{"!!0", "?", '?'},

	{"(* 0 1)", "UU", 'U'},
	{"(* 0 1)", "UD", 'D'},
	{"(* 0 1)", "DU", 'D'},
	{"(* 0 1)", "UG", 'G'},
	{"(* 0 1)", "GG", 'G'},
	{"(* 0 1)", "GD", 'D'},
	{"(* 0 1)", "U?", 'U'},
	{"(* 0 1)", "??", '?'},
	{"(* 0 1)", "G?", 'G'},
	{"(* 0 1)", "D?", 'D'},
	{"(* 0)", "?", '?'},

	{"(1 0 1)", "UU", 'U'},
	{"(1 0 1)", "UD", 'U'},
	{"(1 0 1)", "DD", 'D'},
	{"(1 0 1)", "UG", 'U'},
	{"(1 0 1)", "GD", 'G'},
	{"(1 0 1)", "GG", 'G'},
	{"(1 0 1)", "D?", '?'},
	{"(1 0 1)", "G?", '?'},
	{"(1 0 1)", "U?", 'U'},
	{"(1 0 1)", "-D", '?'},

	{"(2 0 1 2)", "UUU", 'U'},
	{"(2 0 1 2)", "UUD", 'U'},
	{"(2 0 1 2)", "UDD", 'D'},
	{"(2 0 1 2)", "UGD", 'G'},
	{"(2 0 1 2)", "UUG", 'U'},
	{"(2 0 1 2)", "GGD", 'G'},
	{"(2 0 1 2)", "UGG", 'G'},
	{"(2 0 1 2)", "U?D", 'U'},
	{"(2 0 1 2)", "?DD", 'D'},
	{"(2 0 1 2)", "??D", '?'},
	{"(2 0 1 2)", "G?D", 'G'},
	{"(2 0 1 2)", "??G", '?'},
	{"(2 0 1 2)", "U?G", 'U'},
	{"(0 0 1)", "DD", 'U'},
	{"(3 0 1)", "UU", 'D'},

	{"(* 0 !1)", "UD", 'U'},
	{"(* 0 !1)", "UU", 'D'},
	{"(* 0 !1)", "U?", 'U'},
	{"(* (1 0 1) (1 2 3))", "UDDU", 'U'},
	{"(* (1 0 1) (1 2 3))", "UDDD", 'D'},
	{"(* (1 0 1) (1 2 3))", "UDGD", 'G'},
	{"(* (1 0 1) (1 2 3))", "????", '?'},
	{"(1 (* 0 1) (* 2 3))", "UDUU", 'U'},
	{"(1 (* 0 1) (* 2 3))", "UDDU", 'D'},
	{"!(1 0 1)", "DD", 'U'},
	{"!(1 0 1)", "D?", '?'},
	{"!(1 0 1)", "DG", 'D'},
};

static const char letters[] = {[VERDICT_UNKNOWN] = '?',
	[VERDICT_UP] = 'U',
	[VERDICT_DEGRADED] = 'G',
	[VERDICT_DOWN] = 'D'};

static enum verdict_state state_of(char letter)
{
	for (uint8_t state = 0; state < sizeof(letters); state++)
		if (letters[state] == letter)
			return (enum verdict_state)state;
	fail_msg("'%c' is no state", letter);
	return VERDICT_UNKNOWN;
}

struct seen {
	struct verdict rows[MONITORS];
	uint32_t first[MONITORS + 1];
	struct verdict_table table;
	struct guard_view view;
};

static void see(struct tree *tree, struct seen *seen, const char *text)
{
	*seen = (struct seen){.table = {.rows = seen->rows}};
	seen->view = (struct guard_view){&seen->table, seen->first, strlen(text)};
	for (size_t i = 0; i < seen->view.target_count; i++) {
		tree->targets[i] = text[i] == '*' ? TARGET_NONE : (target_id)i;
		if (text[i] != '-' && text[i] != '*')
			seen->rows[seen->table.count++] = (struct verdict){
				.target = (target_id)i,
				.address = address_of_in((const uint8_t[]){192, 0, 2, 1}),
				.state = (uint8_t)state_of(text[i]),
			};
		seen->first[i + 1] = (uint32_t)seen->table.count;
	}
}

static void conditions(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct tree tree = {0};
		struct seen seen;
		struct address address = address_of_in((const uint8_t[]){192, 0, 2, 1});
		struct guard_member member = {.addresses = &address, .address_count = 1};
		const char *at = cases[i].condition;
		enum verdict_state got;

		member.condition = &tree.nodes[parse(&tree, &at)];
		see(&tree, &seen, cases[i].seen);
		got = guard_combine(&member, &seen.view, 0, &address);
		if (letters[got] != cases[i].want)
			fail_msg("%s of %s: %c", cases[i].condition, cases[i].seen, letters[got]);
	}
}

static void no_condition(void **state)
{
	struct guard_view view = {0};
	struct guard_member member = {0};

	(void)state;
	assert_int_equal(guard_combine(&member, &view, 0, &(struct address){0}), VERDICT_UP);
}

/* A target that has no row yet, and one that is not in the table at all. */
static void targets_without_rows(void **state)
{
	struct tree tree = {0};
	struct seen seen;
	size_t count = 99;

	(void)state;
	see(&tree, &seen, "U-D");
	assert_int_equal(guard_combine_rows(&seen.view, 0, &count)->state, VERDICT_UP);
	assert_int_equal(count, 1);
	guard_combine_rows(&seen.view, 1, &count);
	assert_int_equal(count, 0);
	assert_int_equal(guard_combine_rows(&seen.view, 2, &count)->state, VERDICT_DOWN);
	assert_null(guard_combine_rows(&seen.view, 3, &count));
	assert_int_equal(count, 0);
	assert_null(guard_combine_rows(&seen.view, TARGET_NONE, &count));
}

/* Each address of an endpoint has a target of its own; a host name has one whose rows are looked through. */
static void which_row(void **state)
{
	const struct address one = address_of_in((const uint8_t[]){192, 0, 2, 1});
	const struct address two = address_of_in((const uint8_t[]){192, 0, 2, 2});
	struct verdict rows[] = {
		{.target = 0, .address = one, .state = VERDICT_DOWN},
		{.target = 0, .address = two, .state = VERDICT_UP},
		{.target = 1, .address = two, .state = VERDICT_DEGRADED},
	};
	const uint32_t first[] = {0, 2, 3};
	const struct verdict_table table = {.rows = rows, .count = 3};
	const struct guard_view view = {&table, first, 2};
	const target_id targets[] = {0, 1};
	const struct guard_condition condition = {.targets = targets};
	const struct guard_member host = {.is_host = true, .condition = &condition};
	const struct guard_member endpoint = {.address_count = 2, .condition = &condition};

	(void)state;
	assert_int_equal(guard_combine(&host, &view, 0, &one), VERDICT_DOWN);
	assert_int_equal(guard_combine(&host, &view, 1, &two), VERDICT_UP);
	assert_int_equal(guard_combine(&endpoint, &view, 0, &one), VERDICT_DOWN);
	assert_int_equal(guard_combine(&endpoint, &view, 1, &two), VERDICT_DEGRADED);
	assert_int_equal(guard_combine(&host, &view, 0, &(struct address){.family = ADDRESS_IPV6}),
		VERDICT_UNKNOWN);
}

static void count_target(void *context, target_id target)
{
	*(target_id *)context += target + 1;
}

static void all_targets(void **state)
{
	struct tree tree = {0};
	struct seen seen;
	struct guard_member member = {.address_count = 1};
	const char *at = "(* 0 !1 (1 2 3) 0)";
	target_id sum = 0;

	(void)state;
	member.condition = &tree.nodes[parse(&tree, &at)];
	see(&tree, &seen, "UU*U");
	guard_combine_targets(&member, count_target, &sum);
	assert_int_equal(sum, 1 + 2 + 4 + 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(conditions),
		cmocka_unit_test(no_condition),
		cmocka_unit_test(targets_without_rows),
		cmocka_unit_test(which_row),
		cmocka_unit_test(all_targets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
