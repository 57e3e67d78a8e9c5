/* SPDX-License-Identifier: Apache-2.0 */
#include "steerd/base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "steerd/base/memory.h"

static bool fd_read_all(int fd, size_t max_bytes, struct text *text, struct err *err)
{
	struct stat status;

	if (fstat(fd, &status) < 0)
		return err_os(err, "cannot look at it");
	if (!S_ISREG(status.st_mode))
		return err_set(err, "it is not a regular file");
	if (status.st_size > 0 && (size_t)status.st_size <= max_bytes) {
		/* One allocation of the right size: databases are large. */
		text->capacity = (size_t)status.st_size + 2;
		text->bytes = memory_resize(text->bytes, text->capacity);
	}

	for (;;) {
		char block[65536];
		size_t room = text->capacity > text->size + 1 ? text->capacity - text->size - 1 : 0;
		char *into = room > sizeof(block) ? text->bytes + text->size : block;
		ssize_t got = read(fd, into, into == block ? sizeof(block) : room);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return err_os(err, "cannot read it");
		if (got == 0)
			break;
		if (into == block)
			text_add_bytes(text, block, (size_t)got);
		else
			text->size += (size_t)got;
		if (text->size > max_bytes)
			return err_set(err, "it is larger than %zu bytes", max_bytes);
	}
	text_add_bytes(text, "", 0);
	return true;
}

bool file_read(const char *path, size_t max_bytes, struct text *ret_text, struct err *err)
{
	/* O_NONBLOCK: opening a FIFO must not wait for a writer. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct text text = {0};

	if (fd < 0)
		return err_os(err, "cannot open '%s'", path);

	bool done =
		fd_read_all(fd, max_bytes, &text, err) || err_within(err, "cannot read '%s'", path);

	close(fd);
	if (done)
		*ret_text = text;
	else
		text_done(&text);
	return done;
}

static bool write_all(int fd, const char *bytes, size_t size)
{
	while (size > 0) {
		ssize_t put = write(fd, bytes, size);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return false;
		bytes += put;
		size -= (size_t)put;
	}
	return true;
}

static void sync_directory_of(const char *path)
{
	char *directory = file_path_beside(path, ".");
	int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	free(directory);
	if (fd < 0)
		return;
	(void)fsync(fd); /* a file system that cannot is as safe as it gets */
	close(fd);
}

bool file_replace(const char *path, unsigned mode, const void *bytes, size_t size, struct err *err)
{
	struct text beside = {0};
	bool done = false;

	text_print(&beside, "%s.new", path);

	/* what a crash left there may have another mode */
	(void)unlink(beside.bytes);

	int fd = open(beside.bytes, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, (mode_t)mode);

	if (fd < 0) {
		err_os(err, "cannot write '%s'", beside.bytes);
		goto out;
	}

	bool written = write_all(fd, bytes, size) && fsync(fd) == 0;

	if (!written)
		err_os(err, "cannot write '%s'", beside.bytes);
	if (close(fd) < 0 && written)
		written = err_os(err, "cannot write '%s'", beside.bytes);
	if (!written)
		goto out;
	if (rename(beside.bytes, path) < 0) {
		err_os(err, "cannot replace '%s'", path);
		goto out;
	}
	sync_directory_of(path);
	done = true;
out:
	text_done(&beside);
	return done;
}

char *file_path_beside(const char *base_file, const char *path)
{
	struct text whole = {0};
	const char *slash = strrchr(base_file, '/');

	if (*path != '/' && slash)
		text_add_bytes(&whole, base_file, (size_t)(slash - base_file) + 1);
	text_add(&whole, path);
	return whole.bytes;
}
