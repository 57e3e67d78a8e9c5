/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CAGE_NEEDS_H
#define CAGE_NEEDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "steerd/link/link.h"

/*
 * needs - what a prober with certain orders needs of the files of the machine.
 *
 * Always: the certificates that the system trusts, how names are resolved, the libraries.  For a `push` monitor with a
 * file: that file's directory, for files are exchanged by renaming.  For an `exec` monitor or a notification by a
 * command: programs of the system with all that comes with them, the command's own file, and one directory to write in.
 * Nothing else: neither steerd's configuration and state nor anyone's home.
 */
enum needs_use {
	NEEDS_READ = 1,
	NEEDS_LIST = 2, /* a directory; with NEEDS_READ all below it */
	NEEDS_EXECUTE = 4,
	NEEDS_WRITE = 8,
	NEEDS_CREATE = 16,
};

/* Where commands may write; their TMPDIR.  Not /tmp, where people try things, steerd among them. */
#define NEEDS_SCRATCH "/var/tmp"

/* What is there: it is another one when it was put in the place of what was there. */
struct needs_file {
	char *path;
	unsigned uses; /* enum needs_use */
	uint64_t device;
	uint64_t inode; /* 0: nothing is there */
};

struct needs {
	struct needs_file *files; /* heap, sorted by path, each once */
	size_t count;
	size_t capacity;
	bool has_commands;
};

/* Looks at the files, and at where the links among the system's certificates lead. */
void needs_find(const struct link_orders *orders, struct needs *ret_needs);
/* What is at the file's path now. */
void needs_look(struct needs_file *file);
void needs_done(struct needs *needs);

#endif
