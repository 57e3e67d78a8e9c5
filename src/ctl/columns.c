/* SPDX-License-Identifier: Apache-2.0 */
#include "columns.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "steerd/base/memory.h"

static const char *const codes[] = {
	[COLOUR_NONE] = "",
	[COLOUR_GOOD] = "\033[32m",
	[COLOUR_WARN] = "\033[33m",
	[COLOUR_BAD] = "\033[1;31m",
	[COLOUR_FAINT] = "\033[2m",
	[COLOUR_BOLD] = "\033[1m",
};

const char *colour_begin(enum colour colour, bool use_colour)
{
	return use_colour ? codes[colour] : "";
}

const char *colour_end(enum colour colour, bool use_colour)
{
	return use_colour && colour != COLOUR_NONE ? "\033[0m" : "";
}

bool colour_is_wanted(FILE *out)
{
	const char *refused = getenv("NO_COLOR");

	return isatty(fileno(out)) && !(refused && *refused);
}

void columns_add(struct columns *columns, enum colour colour, const char *text)
{
	if (!columns->is_open) {
		columns->rows = MEMORY_GROW(columns->rows, columns->count, &columns->capacity);
		columns->rows[columns->count++] = (struct columns_row){0};
		columns->cell = 0;
		columns->is_open = true;
	}

	struct columns_row *row = &columns->rows[columns->count - 1];

	row->cells[columns->cell] = text && *text ? memory_text(text) : NULL;
	row->colours[columns->cell++] = colour;
}

void columns_addf(struct columns *columns, enum colour colour, const char *fmt, ...)
{
	va_list args;
	char text[512];

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	columns_add(columns, colour, text);
}

void columns_end_row(struct columns *columns)
{
	columns->is_open = false;
}

/* Characters, not octets: names and reasons may be UTF-8. */
static size_t width_of(const char *text)
{
	size_t width = 0;

	for (; text && *text; text++)
		width += ((unsigned char)*text & 0xc0) != 0x80;
	return width;
}

static void print_row(
	const struct columns_row *row, const size_t *widths, FILE *out, bool use_colour)
{
	size_t last = COLUMNS_MAX;

	while (last > 0 && !row->cells[last - 1])
		last--;
	for (size_t i = 0; i < last; i++) {
		const char *text = row->cells[i] ? row->cells[i] : "";
		size_t gap = i + 1 < last && widths[i] > 0 ? widths[i] - width_of(text) + 2 : 0;

		fprintf(out, "%s%s%s%s%*s", i == 0 ? "  " : "",
			colour_begin(row->colours[i], use_colour), text,
			colour_end(row->colours[i], use_colour), (int)gap, "");
	}
	fputc('\n', out);
}

void columns_print(struct columns *columns, FILE *out, bool use_colour)
{
	size_t widths[COLUMNS_MAX] = {0};

	for (size_t r = 0; r < columns->count; r++) {
		for (size_t i = 0; i < COLUMNS_MAX; i++) {
			size_t width = width_of(columns->rows[r].cells[i]);

			widths[i] = width > widths[i] ? width : widths[i];
		}
	}
	for (size_t r = 0; r < columns->count; r++) {
		print_row(&columns->rows[r], widths, out, use_colour);
		for (size_t i = 0; i < COLUMNS_MAX; i++)
			free(columns->rows[r].cells[i]);
	}
	free(columns->rows);
	*columns = (struct columns){0};
}
