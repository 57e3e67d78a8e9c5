/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Runs a fuzz target over its corpus: each argument is a file, or a directory of files.  Without
 * arguments fuzz_NAME takes tests/fuzz/corpus/NAME of the source tree, which automake names in
 * `srcdir`.
 */

#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "steerd/base/file.h"
#include "steerd/base/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t replayed;

static void replay_file(const char *path)
{
	struct text bytes = {0};
	struct err err;

	if (!file_read(path, (size_t)64 << 20, &bytes, &err)) {
		fprintf(stderr, "%s\n", err.text);
		exit(1);
	}
	/* a copy of the exact size, so that the address sanitizer sees one byte too many */
	uint8_t *exact = malloc(bytes.size > 0 ? bytes.size : 1);

	if (!exact)
		exit(1);
	memcpy(exact, bytes.bytes, bytes.size);
	(void)LLVMFuzzerTestOneInput(exact, bytes.size);
	free(exact);
	text_done(&bytes);
	replayed++;
}

static void replay_directory(const char *path)
{
	DIR *directory = opendir(path);

	if (!directory) {
		perror(path);
		exit(1);
	}
	for (struct dirent *entry; (entry = readdir(directory));) {
		struct text whole = {0};

		if (entry->d_name[0] == '.')
			continue;
		text_print(&whole, "%s/%s", path, entry->d_name);
		replay_file(whole.bytes);
		text_done(&whole);
	}
	closedir(directory);
}

static void replay_default(const char *program)
{
	const char *mark = strstr(program, "fuzz_");
	const char *source = getenv("srcdir");
	struct text path = {0};

	/* the last one: a directory may be called so too */
	for (const char *next = mark; next; next = strstr(next + 1, "fuzz_"))
		mark = next;
	if (!mark) {
		fprintf(stderr, "%s: is not called fuzz_NAME; name a corpus\n", program);
		exit(1);
	}
	text_print(&path, "%s/tests/fuzz/corpus/%s", source ? source : ".", mark + 5);
	replay_directory(path.bytes);
	text_done(&path);
}

int main(int argc, char **argv)
{
	if (argc == 1)
		replay_default(argv[0]);
	for (int i = 1; i < argc; i++) {
		struct stat status;

		if (stat(argv[i], &status) < 0) {
			perror(argv[i]);
			return 1;
		}
		if (S_ISDIR(status.st_mode))
			replay_directory(argv[i]);
		else
			replay_file(argv[i]);
	}
	printf("%s: %zu inputs replayed\n", argv[0], replayed);
	return replayed > 0 ? 0 : 1; /* a corpus that is not found proves nothing */
}
