/* SPDX-License-Identifier: Apache-2.0 */
#include "steerd/config/secrets.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_MAX 4096
#define DIGITS (2 * SIPHASH_KEY_SIZE)

/* -1 if it is none. */
static int digit_value(char digit)
{
	if (digit >= '0' && digit <= '9')
		return digit - '0';
	if (digit >= 'a' && digit <= 'f')
		return digit - 'a' + 10;
	if (digit >= 'A' && digit <= 'F')
		return digit - 'A' + 10;
	return -1;
}

/* The octet at which a line is no secret any more; `size` if it is one. */
static size_t parse_secret(const char *line, size_t size, struct siphash_key *ret_key)
{
	uint8_t octets[SIPHASH_KEY_SIZE] = {0};
	size_t used = 0;

	while (used < size && used < DIGITS && digit_value(line[used]) >= 0) {
		int value = digit_value(line[used]);

		octets[used / 2] = (uint8_t)(octets[used / 2] << 4 | value);
		used++;
	}
	*ret_key = siphash_key_read(octets);
	explicit_bzero(octets, sizeof(octets));
	return used;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* One line, without its end; what it says is not repeated in a mistake. */
static void parse_line(const char *line, size_t size, struct report_place place,
	struct secrets *secrets, struct report *report)
{
	const char *comment = memchr(line, '#', size);
	size_t begin = 0;
	struct siphash_key key;

	if (comment)
		size = (size_t)(comment - line);
	while (size > 0 && is_blank(line[size - 1]))
		size--;
	while (begin < size && is_blank(line[begin]))
		begin++;
	if (begin == size)
		return;

	size_t used = parse_secret(line + begin, size - begin, &key);

	place.column = (unsigned)(begin + used + 1);
	if (used != DIGITS || begin + used != size) {
		report_error(report, place, "a secret is %d hexadecimal digits and nothing else",
			DIGITS);
	} else if (secrets->count == SECRETS_MAX) {
		place.column = (unsigned)(begin + 1);
		report_error(report, place,
			"there are %d secrets already: the one that makes cookies, and one more",
			SECRETS_MAX);
	} else {
		secrets->keys[secrets->count++] = key;
	}
	explicit_bzero(&key, sizeof(key));
}

bool secrets_parse(const char *bytes, size_t size, const char *path, struct secrets *ret_secrets,
	struct report *report)
{
	size_t errors_before = report->error_count;
	struct secrets secrets = {0};
	const char *end = bytes + size;
	unsigned number = 1;

	for (const char *line = bytes; line < end; number++) {
		const char *stop = memchr(line, '\n', (size_t)(end - line));

		if (!stop)
			stop = end;
		parse_line(line, (size_t)(stop - line),
			(struct report_place){.path = path, .line = number}, &secrets, report);
		line = stop + 1;
	}
	if (secrets.count == 0 && report->error_count == errors_before)
		report_error(
			report, (struct report_place){.path = path}, "there is no secret in it");

	bool done = report->error_count == errors_before;

	if (done)
		*ret_secrets = secrets;
	explicit_bzero(&secrets, sizeof(secrets));
	return done;
}

/* A whole file; not by base/file.h, because what is read there leaves traces in memory. */
struct source {
	char bytes[FILE_MAX + 1];
	size_t size;
	struct stat status;
};

static bool read_whole(int fd, struct source *source, struct err *err)
{
	if (fstat(fd, &source->status) < 0)
		return err_os(err, "cannot look at it");
	if (!S_ISREG(source->status.st_mode))
		return err_set(err, "it is not a regular file");

	ssize_t size = read(fd, source->bytes, sizeof(source->bytes));

	if (size < 0)
		return err_os(err, "cannot read it");
	if (size > FILE_MAX)
		return err_set(err, "it is longer than %d bytes", FILE_MAX);
	source->size = (size_t)size;
	return true;
}

static bool read_file(int fd, struct source *source, struct err *err)
{
	if (fd < 0)
		return err_os(err, "cannot open it");

	bool done = read_whole(fd, source, err);

	close(fd);
	return done;
}

enum secrets_found secrets_read(
	const char *path, struct secrets *ret_secrets, struct report *report)
{
	const struct report_place place = {.path = path};
	struct source source;
	struct err err;
	bool done = false;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0 && errno == ENOENT)
		return SECRETS_ABSENT;
	if (fd < 0 && errno == EACCES)
		return SECRETS_FORBIDDEN;
	if (read_file(fd, &source, &err))
		done = secrets_parse(source.bytes, source.size, path, ret_secrets, report);
	else
		report_error(report, place, "%s", err.text);
	explicit_bzero(source.bytes, sizeof(source.bytes));
	if (!done)
		return SECRETS_REFUSED;
	ret_secrets->since_unix_s = (uint64_t)source.status.st_mtime;
	if (source.status.st_mode & (S_IRWXG | S_IRWXO))
		report_warning(report, place, "others may use it: its mode should be %04o",
			(unsigned)SECRETS_MODE);
	return SECRETS_READ;
}

size_t secrets_print(const struct siphash_key *key, char ret_text[static SECRETS_TEXT_SIZE])
{
	static const char digits[] = "0123456789abcdef";
	uint8_t octets[SIPHASH_KEY_SIZE];
	size_t used = (size_t)snprintf(ret_text, SECRETS_TEXT_SIZE,
		"# DNS cookies: the first secret makes them, a second one is accepted as well.\n"
		"# Whoever knows them can forge cookies; servers of one name share them.\n");

	siphash_key_write(key, octets);
	for (size_t i = 0; i < SIPHASH_KEY_SIZE; i++) {
		ret_text[used++] = digits[octets[i] >> 4];
		ret_text[used++] = digits[octets[i] & 0xf];
	}
	ret_text[used++] = '\n';
	ret_text[used] = '\0';
	explicit_bzero(octets, sizeof(octets));
	return used;
}
