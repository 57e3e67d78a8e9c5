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

/* Largest first, so that printing finds the shortest text; the last is 1. */
struct unit {
	const char *name;
	uint64_t factor;
};
static const struct unit durations[] = {
	{"h", 3600000}, {"m", 60000}, {"s", 1000}, {"ms", 1}, {NULL, 0}};
static const struct unit sizes[] = {{"TiB", UINT64_C(1) << 40}, {"GiB", 1 << 30}, {"MiB", 1 << 20},
	{"KiB", 1 << 10}, {"", 1}, {NULL, 0}};
static const struct unit rates[] = {
	{"Gbit/s", 1000000000}, {"Mbit/s", 1000000}, {"kbit/s", 1000}, {"bit/s", 1}, {NULL, 0}};
static const struct unit percents[] = {{"%", 1}, {NULL, 0}};

static bool quantity(const char *text, const struct unit *units, uint64_t *ret_number)
{
	uint64_t number;
	const char *name = leading_number(text, UINT64_MAX, &number);

	for (; name && units->name; units++) {
		if (strcmp(name, units->name) != 0)
			continue;
		if (number > UINT64_MAX / units->factor)
			return false;
		*ret_number = number * units->factor;
		return true;
	}
	return false;
}

static void print_quantity(
	uint64_t number, const struct unit *units, char ret_text[static VALUE_TEXT_SIZE])
{
	while (units->factor > 1 && (number == 0 || number % units->factor != 0))
		units++;
	snprintf(ret_text, VALUE_TEXT_SIZE, "%" PRIu64 "%s", number / units->factor, units->name);
}

bool value_duration(const char *text, uint64_t *ret_ms)
{
	return quantity(text, durations, ret_ms);
}

bool value_size(const char *text, uint64_t *ret_bytes)
{
	return quantity(text, sizes, ret_bytes);
}

bool value_rate(const char *text, uint64_t *ret_bits_s)
{
	return quantity(text, rates, ret_bits_s);
}

bool value_percent(const char *text, uint64_t *ret_percent)
{
	return quantity(text, percents, ret_percent);
}

void value_duration_print(uint64_t ms, char ret_text[static VALUE_TEXT_SIZE])
{
	print_quantity(ms, durations, ret_text);
}

void value_size_print(uint64_t bytes, char ret_text[static VALUE_TEXT_SIZE])
{
	print_quantity(bytes, sizes, ret_text);
}

void value_rate_print(uint64_t bits_s, char ret_text[static VALUE_TEXT_SIZE])
{
	print_quantity(bits_s, rates, ret_text);
}

void value_percent_print(uint64_t percent, char ret_text[static VALUE_TEXT_SIZE])
{
	print_quantity(percent, percents, ret_text);
}

static bool hexadecimal(char digit, uint8_t *ret_value)
{
	if (digit >= '0' && digit <= '9')
		*ret_value = (uint8_t)(digit - '0');
	else if (digit >= 'a' && digit <= 'f')
		*ret_value = (uint8_t)(digit - 'a' + 10);
	else if (digit >= 'A' && digit <= 'F')
		*ret_value = (uint8_t)(digit - 'A' + 10);
	else
		return false;
	return true;
}

bool value_digest(const char *text, uint8_t ret_digest[static VALUE_DIGEST_SIZE])
{
	if (strlen(text) != VALUE_DIGEST_SIZE * 2)
		return false;
	for (size_t i = 0; i < VALUE_DIGEST_SIZE; i++) {
		uint8_t high, low;

		if (!hexadecimal(text[2 * i], &high) || !hexadecimal(text[2 * i + 1], &low))
			return false;
		ret_digest[i] = (uint8_t)(high << 4 | low);
	}
	return true;
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

bool value_is_path_within(const char *path, const char *directory, size_t directory_size)
{
	bool is_root = directory_size == 1 && directory[0] == '/';

	if (directory_size == 0 || is_root)
		return true;
	return strncmp(path, directory, directory_size) == 0 &&
		(path[directory_size] == '/' || path[directory_size] == '\0');
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

/* "hooks.example", "192.0.2.1" or "[2001:db8::1]", and a port. */
static bool is_authority(char *text)
{
	char *colon = strrchr(text, ':');
	uint64_t port = 443;
	struct address address;
	size_t size;

	if (colon && !strchr(colon, ']')) {
		if (!value_number(colon + 1, &port))
			return false;
		*colon = '\0';
	}
	if (port == 0 || port > UINT16_MAX)
		return false;
	size = strlen(text);
	if (size == 0 || text[0] != '[' || text[size - 1] != ']')
		return value_is_host(text) ||
			(address_parse(text, &address) && address.family == ADDRESS_IPV4);
	text[size - 1] = '\0';
	return address_parse(text + 1, &address) && address.family == ADDRESS_IPV6;
}

bool value_is_url(const char *text)
{
	static const char *const schemes[] = {"https://", "http://"};
	char authority[HOST_MAX_BYTES + sizeof(":65535")];

	for (size_t i = 0; i < COUNT_OF(schemes); i++) {
		if (strncmp(text, schemes[i], strlen(schemes[i])) != 0)
			continue;
		text += strlen(schemes[i]);

		size_t size = strcspn(text, "/?#");

		if (size >= sizeof(authority))
			return false;
		memcpy(authority, text, size);
		authority[size] = '\0';
		return is_authority(authority) && !strchr(text + size, '#') &&
			(text[size] == '\0' || value_is_url_path(text + size));
	}
	return false;
}

bool value_is_token(const char *text)
{
	return *text != '\0' && strspn(text, LETTERS DIGITS "!#$%&'*+-.^_`|~") == strlen(text);
}

bool value_is_line(const char *text)
{
	for (; *text != '\0'; text++)
		if ((uint8_t)*text < ' ' || *text == 0x7f)
			return false;
	return true;
}
