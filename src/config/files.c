/* SPDX-License-Identifier: Apache-2.0 */

/* The files that settings name for the prober: read here, because it has no right to. */

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "complaints.h"
#include "steerd/base/file.h"
#include "steerd/config/settings.h"
#include "value.h"

#define CONTENT_MAX_BYTES ((size_t)1 << 20)
/* They all go to the prober in one frame, whose size is bounded. */
#define CONTENTS_MAX_BYTES ((size_t)32 << 20)

/* By path; of those with the same path the first in the file stands first. */
static int compare_files(const void *left, const void *right)
{
	const struct settings_file *a = *(struct settings_file *const *)left;
	const struct settings_file *b = *(struct settings_file *const *)right;
	int order = strcmp(a->path, b->path);

	if (order != 0)
		return order;
	if (a->place.line != b->place.line)
		return a->place.line < b->place.line ? -1 : 1;
	return a->place.column < b->place.column ? -1 : 1;
}

static const char *const pem_beginnings[] = {
	[FILE_CERTIFICATES] = "-----BEGIN ",
	[FILE_KEY] = "-----BEGIN ",
	[FILE_SECRET] = NULL,
};

/* Certificates and keys are looked at by the prober, whose loss is survivable. */
static bool is_content(const struct settings_file *file, const struct text *bytes, struct err *err)
{
	const char *beginning = pem_beginnings[file->holds];

	if (bytes->size == 0)
		return err_set(err, "'%s' is empty", file->path);
	if (beginning && !memmem(bytes->bytes, bytes->size, beginning, strlen(beginning)))
		return err_set(err, "'%s' is no PEM file", file->path);
	return true;
}

static void check_mode(const struct settings_file *file, struct complaints *complaints)
{
	struct stat status;

	if (file->holds == FILE_CERTIFICATES || stat(file->path, &status) < 0 ||
		!(status.st_mode & S_IROTH))
		return;
	complain_warn(complaints, file->place, "'%s': everyone may read '%s' (its mode is %04o)",
		file->key, show(file->path).text, (unsigned)status.st_mode & 07777);
}

/* Adds its size to `total`. */
static void read_file(struct settings *settings, struct settings_file *file, size_t *total,
	struct complaints *complaints)
{
	struct text bytes = {0};
	struct err err;
	bool done = file_read(file->path, CONTENT_MAX_BYTES, &bytes, &err) &&
		is_content(file, &bytes, &err);

	if (done && *total + bytes.size > CONTENTS_MAX_BYTES)
		done = err_set(
			&err, "all files together have more than %zu bytes", CONTENTS_MAX_BYTES);
	if (done) {
		file->bytes = arena_copy(settings->arena, bytes.bytes, bytes.size + 1);
		file->size = bytes.size;
		*total += bytes.size;
		check_mode(file, complaints);
	} else {
		file->why = arena_text(settings->arena, err.text);
		complain(complaints, file->place, "'%s': %s", file->key, err.text);
	}
	text_done(&bytes);
}

/* The same as check_monitor.c says, where links lead to it. */
static void check_push(const struct settings *settings, const struct settings_monitor *monitor,
	struct complaints *complaints)
{
	char *directory = file_path_beside(monitor->push_path, ".");
	char *real_directory = realpath(directory, NULL);
	char *real_state = realpath(settings->state_path, NULL);

	if (real_directory && real_state &&
		value_is_path_within(real_state, real_directory, strlen(real_directory)))
		complain(complaints, monitor->place,
			"the directory of '%s' holds the state directory '%s', which the prober "
			"must not read",
			show(monitor->push_path).text, show(settings->state_path).text);
	free(directory);
	free(real_directory);
	free(real_state);
}

void settings_read_files(struct settings *settings, struct report *report)
{
	struct settings_file **files = (struct settings_file **)settings->files;
	struct complaints complaints = {.path = settings->path};
	size_t total = 0;

	if (settings->file_count > 0)
		qsort(files, settings->file_count, sizeof(files[0]), compare_files);
	for (size_t i = 0; i < settings->file_count; i++) {
		if (i == 0 || strcmp(files[i - 1]->path, files[i]->path) != 0) {
			read_file(settings, files[i], &total, &complaints);
			continue;
		}
		files[i]->bytes = files[i - 1]->bytes;
		files[i]->size = files[i - 1]->size;
		files[i]->why = files[i - 1]->why;
	}
	for (size_t i = 0; i < settings->monitor_count; i++)
		if (settings->monitors[i].push_path)
			check_push(settings, &settings->monitors[i], &complaints);
	complaints_tell(&complaints, report);
}
