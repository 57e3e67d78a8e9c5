/* SPDX-License-Identifier: Apache-2.0 */
#include "network.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "embedded.h"
#include "point.h"
#include "steerd/base/file.h"
#include "steerd/base/memory.h"

#define FILE_SIZE_MAX ((size_t)256 << 20)

/* After so many mistakes it is not a networks file at all. */
#define MISTAKES_MAX 1000

void networks_done(struct networks *networks)
{
	free(networks->items);
	*networks = (struct networks){0};
}

static char *trim(char *text)
{
	char *end = text + strlen(text);

	while (isspace((unsigned char)*text))
		text++;
	while (end > text && isspace((unsigned char)end[-1]))
		end--;
	*end = '\0';
	return text;
}

/* Splits at commas; the number of fields, which may be more than there is room for. */
static size_t split(char *line, char **ret_fields, size_t field_max)
{
	size_t count = 0;

	for (char *field; (field = strsep(&line, ","));) {
		if (count < field_max)
			ret_fields[count] = trim(field);
		count++;
	}
	return count;
}

static bool parse_degrees(
	const char *text, const char *name, double most, double *ret_degrees, struct err *err)
{
	char *end;
	double degrees = strtod(text, &end);

	/* strtod() also takes hexadecimal, "nan" and "infinity" */
	if (*text == '\0' || *end != '\0' || text[strspn(text, "+-.0123456789")] != '\0')
		return err_set(err, "%s '%s' is not a number of degrees", name, text);
	if (!(fabs(degrees) <= most))
		return err_set(err, "%s '%s' is not between -%g and %g", name, text, most, most);
	*ret_degrees = degrees;
	return true;
}

static bool parse_site(const char *name, const struct geo_request *request, struct network *network,
	struct err *err)
{
	for (size_t i = 0; i < request->site_count; i++) {
		if (strcmp(request->sites[i].name, name) != 0)
			continue;
		network->site = (uint16_t)i;
		network->at = request->sites[i].at;
		return true;
	}
	return err_set(err, "there is no site '%s'", name);
}

static bool check_prefix(const struct prefix *prefix, struct err *err)
{
	char text[PREFIX_TEXT_SIZE];
	struct prefix inner;

	prefix_print(prefix, text);
	if (embedded_find(prefix, &inner, NULL))
		return err_set(err, "'%s' holds IPv4 addresses: name the IPv4 network", text);
	if (prefix->address.family == ADDRESS_IPV6 && prefix->bits > 64)
		return err_set(
			err, "'%s' is longer than /64, the smallest network told apart", text);
	return true;
}

static bool parse_line(
	char *line, const struct geo_request *request, struct network *network, struct err *err)
{
	char *fields[3];
	size_t count = split(line, fields, COUNT_OF(fields));

	if (count != 2 && count != 3)
		return err_set(err,
			"it has %zu field%s, not 'prefix,site' or "
			"'prefix,latitude,longitude'",
			count, count == 1 ? "" : "s");
	if (!prefix_parse(fields[0], &network->prefix, err) || !check_prefix(&network->prefix, err))
		return false;
	if (count == 2)
		return parse_site(fields[1], request, network, err);
	network->site = POINT_NO_SITE;
	return parse_degrees(fields[1], "latitude", 90, &network->at.latitude, err) &&
		parse_degrees(fields[2], "longitude", 180, &network->at.longitude, err);
}

static int by_prefix(const void *left, const void *right)
{
	const struct network *a = left;
	const struct network *b = right;
	int order = address_compare(&a->prefix.address, &b->prefix.address);

	if (order != 0)
		return order;
	if (a->prefix.bits != b->prefix.bits)
		return a->prefix.bits - b->prefix.bits;
	return a->line < b->line ? -1 : 1;
}

static void report_twins(const struct networks *networks, const char *path, struct report *report)
{
	for (size_t i = 1; i < networks->count; i++) {
		const struct network *first = &networks->items[i - 1];
		const struct network *second = &networks->items[i];
		char text[PREFIX_TEXT_SIZE];

		if (first->prefix.bits != second->prefix.bits ||
			!address_is_equal(&first->prefix.address, &second->prefix.address))
			continue;
		prefix_print(&second->prefix, text);
		report_error(report, (struct report_place){path, second->line, 0},
			"'%s' is already on line %u", text, first->line);
	}
}

/* One line, which ends with a zero byte; `size` is its length without. */
static void take_line(char *line, size_t size, struct report_place place,
	const struct geo_request *request, struct networks *networks, struct report *report)
{
	struct network network = {.line = place.line};
	struct err err;

	if (strlen(line) != size) {
		report_error(report, place, "there is a zero byte in the line");
		return;
	}
	line[strcspn(line, "#")] = '\0';
	line = trim(line);
	if (*line == '\0')
		return;
	if (!parse_line(line, request, &network, &err)) {
		report_error(report, place, "%s", err.text);
		return;
	}
	networks->items = MEMORY_GROW(networks->items, networks->count, &networks->capacity);
	networks->items[networks->count++] = network;
}

void networks_parse(char *bytes, size_t size, const struct geo_request *request,
	struct networks *networks, struct report *report)
{
	struct report_place place = {request->networks_path, 0, 0};
	size_t errors_before = report->error_count;
	char *end = bytes + size;

	for (char *line = bytes, *newline; line < end; line = newline + 1) {
		newline = memchr(line, '\n', (size_t)(end - line));
		if (!newline)
			newline = end;
		*newline = '\0';
		place.line++;
		if (report->error_count - errors_before >= MISTAKES_MAX) {
			report_error(report, place, "too many mistakes: the rest is not read");
			break;
		}
		take_line(line, (size_t)(newline - line), place, request, networks, report);
	}
	if (networks->count > 0)
		qsort(networks->items, networks->count, sizeof(networks->items[0]), by_prefix);
	report_twins(networks, request->networks_path, report);
}

void networks_read(const char *path, const struct geo_request *request, struct networks *networks,
	struct report *report)
{
	struct text file = {0};
	struct err err;

	if (!file_read(path, FILE_SIZE_MAX, &file, &err)) {
		report_error(report, (struct report_place){path, 0, 0}, "%s", err.text);
		return;
	}
	networks_parse(file.bytes, file.size, request, networks, report);
	text_done(&file);
}

const struct network *networks_find(const struct networks *networks, const struct address *address)
{
	const struct network *best = NULL;

	for (size_t i = 0; i < networks->count; i++)
		if (prefix_contains(&networks->items[i].prefix, address) &&
			(!best || networks->items[i].prefix.bits > best->prefix.bits))
			best = &networks->items[i];
	return best;
}
