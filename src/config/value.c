/* SPDX-License-Identifier: Apache-2.0 */
#include "value.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "steerd/base/address.h"
#include "steerd/base/memory.h"

#define DIGITS "0123456789"
#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

#define NAME_MAX_BYTES 63
#define HOST_MAX_BYTES 253 /* RFC 1035 3.1: 255 on the wire */
#define LABEL_MAX_BYTES 63

/* The geography keeps the network half of IPv6 addresses: no network is longer in any database. */
#define GRANULARITY_IPV6_MAX 64

/* The digits at the start; NULL if there are none or they exceed `max`, else what follows them. */
static const char *leading_number(const char *text, uint64_t max, uint64_t *ret_number)
{
	uint64_t number = 0;
	size_t digits = strspn(text, DIGITS);

	if (digits == 0 || digits > 18)
		return NULL;
	for (size_t i = 0; i < digits; i++)
		number = number * 10 + (uint64_t)(text[i] - '0');
	if (number > max)
		return NULL;
	*ret_number = number;
	return text + digits;
}

bool value_number(const char *text, uint64_t *ret_number)
{
	uint64_t number;
	const char *rest = leading_number(text, UINT64_MAX, &number);

	if (!rest || *rest != '\0')
		return false;
	*ret_number = number;
	return true;
}

/* Longest first, so that printing finds the shortest text. */
static const struct {
	const char *name;
	uint64_t ms;
} units[] = {{"h", 3600000}, {"m", 60000}, {"s", 1000}, {"ms", 1}};

bool value_duration(const char *text, uint64_t *ret_ms)
{
	uint64_t number;
	const char *unit = leading_number(text, UINT32_MAX, &number);

	for (size_t i = 0; unit && i < COUNT_OF(units); i++) {
		if (strcmp(unit, units[i].name) != 0)
			continue;
		*ret_ms = number * units[i].ms;
		return true;
	}
	return false;
}

void value_duration_print(uint64_t ms, char ret_text[static VALUE_DURATION_SIZE])
{
	size_t unit = 0;

	while (units[unit].ms > 1 && (ms == 0 || ms % units[unit].ms != 0))
		unit++;
	snprintf(ret_text, VALUE_DURATION_SIZE, "%" PRIu64 "%s", ms / units[unit].ms,
		units[unit].name);
}

bool value_decimal(const char *text, double *ret_number)
{
	const char *digits = text + strspn(text, "+-");
	char *rest;

	/* strtod() also takes hexadecimal numbers, infinity and blanks in front */
	if (digits > text + 1 || strspn(digits, DIGITS ".") != strlen(digits))
		return false;

	double number = strtod(text, &rest);

	if (rest == text || *rest != '\0' || !isfinite(number))
		return false;
	*ret_number = number;
	return true;
}

bool value_status(const char *text, uint16_t *ret_first, uint16_t *ret_last)
{
	uint64_t first, last;
	const char *rest = leading_number(text, 599, &first);

	if (!rest)
		return false;
	last = first;
	if (*rest == '-')
		rest = leading_number(rest + 1, 599, &last);
	if (!rest || *rest != '\0' || first < 100 || last < first)
		return false;
	*ret_first = (uint16_t)first;
	*ret_last = (uint16_t)last;
	return true;
}

bool value_granularity(const char *text, uint8_t *ret_ipv4, uint8_t *ret_ipv6)
{
	uint64_t ipv4, ipv6;
	const char *rest = leading_number(text, 32, &ipv4);

	if (!rest || *rest != '/')
		return false;
	rest = leading_number(rest + 1, GRANULARITY_IPV6_MAX, &ipv6);
	if (!rest || *rest != '\0' || ipv4 == 0 || ipv6 == 0)
		return false;
	*ret_ipv4 = (uint8_t)ipv4;
	*ret_ipv6 = (uint8_t)ipv6;
	return true;
}

bool value_is_name(const char *text)
{
	size_t size = strspn(text, LETTERS DIGITS "._-");

	return size > 0 && size <= NAME_MAX_BYTES && text[size] == '\0' &&
		strchr("._-", *text) == NULL;
}

bool value_is_host(const char *text)
{
	struct address address;
	const char *label = text;

	if (strlen(text) > HOST_MAX_BYTES || address_parse(text, &address))
		return false;
	for (;;) {
		size_t size = strspn(label, LETTERS DIGITS "-_");

		if (size == 0 || size > LABEL_MAX_BYTES || label[0] == '-' ||
			label[size - 1] == '-')
			return false;
		label += size;
		if (*label == '\0')
			return true;
		if (*label != '.')
			return false;
		label++;
	}
}

bool value_is_url_path(const char *text)
{
	if (*text != '/')
		return false;
	for (; *text != '\0'; text++)
		if (*text <= ' ' || *text > '~')
			return false;
	return true;
}
