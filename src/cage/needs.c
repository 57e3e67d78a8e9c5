/* SPDX-License-Identifier: Apache-2.0 */
#include "steerd/cage/needs.h"

#include <dirent.h>
#include <libgen.h>
#include <limits.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "steerd/base/memory.h"

#define NEEDS_TREE (NEEDS_READ | NEEDS_LIST)
#define NEEDS_PROGRAMS (NEEDS_TREE | NEEDS_EXECUTE)

struct always {
	const char *path;
	unsigned uses;
};

static const struct always of_all[] = {
	{"/dev/null", NEEDS_READ | NEEDS_WRITE},
	{"/dev/random", NEEDS_READ},
	{"/dev/urandom", NEEDS_READ},
	{"/etc/gai.conf", NEEDS_READ},
	{"/etc/host.conf", NEEDS_READ},
	{"/etc/hosts", NEEDS_READ},
	{"/etc/ld.so.cache", NEEDS_READ},
	{"/etc/localtime", NEEDS_READ},
	{"/etc/nsswitch.conf", NEEDS_READ},
	{"/etc/resolv.conf", NEEDS_READ},
	{"/etc/services", NEEDS_READ},
	{"/lib", NEEDS_TREE},
	{"/lib64", NEEDS_TREE},
	{"/usr/lib", NEEDS_TREE},
	{"/usr/lib64", NEEDS_TREE},
	{"/usr/local/lib", NEEDS_TREE},
};

/* A command may be a script of any language, with what its interpreter reads.  Not all of /usr and /usr/local: the
 * latter has an etc, and may have steerd's. */
static const struct always of_commands[] = {
	{"/bin", NEEDS_PROGRAMS},
	{"/dev/zero", NEEDS_READ},
	{"/etc/group", NEEDS_READ},
	{"/etc/passwd", NEEDS_READ},
	{"/etc/protocols", NEEDS_READ},
	{"/lib", NEEDS_PROGRAMS},
	{"/lib64", NEEDS_PROGRAMS},
	{"/sbin", NEEDS_PROGRAMS},
	{"/usr/bin", NEEDS_PROGRAMS},
	{"/usr/lib", NEEDS_PROGRAMS},
	{"/usr/lib64", NEEDS_PROGRAMS},
	{"/usr/libexec", NEEDS_PROGRAMS},
	{"/usr/local/bin", NEEDS_PROGRAMS},
	{"/usr/local/lib", NEEDS_PROGRAMS},
	{"/usr/local/libexec", NEEDS_PROGRAMS},
	{"/usr/local/sbin", NEEDS_PROGRAMS},
	{"/usr/local/share", NEEDS_TREE},
	{"/usr/sbin", NEEDS_PROGRAMS},
	{"/usr/share", NEEDS_TREE},
	{NEEDS_SCRATCH, NEEDS_TREE | NEEDS_WRITE | NEEDS_CREATE},
};

static void add(struct needs *needs, const char *path, unsigned uses)
{
	needs->files = MEMORY_GROW(needs->files, needs->count, &needs->capacity);
	needs->files[needs->count++] = (struct needs_file){.path = memory_text(path), .uses = uses};
}

static void add_all(struct needs *needs, const struct always *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		add(needs, list[i].path, list[i].uses);
}

static void add_directory_of(struct needs *needs, const char *path, unsigned uses)
{
	char *copy = memory_text(path);

	add(needs, dirname(copy), uses);
	free(copy);
}

/* ---- certificates ---- */

/* Links in a directory of certificates lead to where the distribution and the administrator keep them. */
static void add_where_links_lead(struct needs *needs, const char *path)
{
	DIR *directory = opendir(path);
	char last[PATH_MAX] = "";

	if (!directory)
		return;
	for (const struct dirent *entry; (entry = readdir(directory));) {
		char link[PATH_MAX];
		char target[PATH_MAX];

		if (entry->d_type == DT_REG || entry->d_name[0] == '.' ||
			(size_t)snprintf(link, sizeof(link), "%s/%s", path, entry->d_name) >=
				sizeof(link) ||
			!realpath(link, target))
			continue;

		const char *where = dirname(target);

		/* hundreds of links lead to two or three directories */
		if (strcmp(where, last) != 0)
			add(needs, where, NEEDS_TREE);
		snprintf(last, sizeof(last), "%s", where);
	}
	closedir(directory);
}

static void add_certificate_directories(struct needs *needs, const char *list)
{
	char *copy = memory_text(list);
	char *rest = NULL;

	for (char *path = strtok_r(copy, ":", &rest); path; path = strtok_r(NULL, ":", &rest)) {
		add(needs, path, NEEDS_TREE);
		add_where_links_lead(needs, path);
	}
	free(copy);
}

/* As X509_STORE_set_default_paths() finds them: they are read when a certificate is to be verified, not before. */
static void add_certificates(struct needs *needs)
{
	const char *file = getenv(X509_get_default_cert_file_env());
	const char *directories = getenv(X509_get_default_cert_dir_env());
	char path[PATH_MAX];

	add(needs, file ? file : X509_get_default_cert_file(), NEEDS_READ);
	add_certificate_directories(needs, directories ? directories : X509_get_default_cert_dir());
	snprintf(path, sizeof(path), "%s/openssl.cnf", X509_get_default_cert_area());
	add(needs, path, NEEDS_READ);
}

/* ---- what orders name ---- */

static void add_command(struct needs *needs, const char *const *command)
{
	needs->has_commands = true;
	add(needs, command[0], NEEDS_READ | NEEDS_EXECUTE);
}

static void add_orders(struct needs *needs, const struct link_orders *orders)
{
	for (size_t i = 0; i < orders->monitor_count; i++) {
		const struct settings_monitor *monitor = &orders->monitors[i];

		if (monitor->command_count > 0)
			add_command(needs, monitor->command);
		if (monitor->push_path)
			add_directory_of(needs, monitor->push_path, NEEDS_TREE);
	}
	for (size_t i = 0; i < orders->notify_count; i++)
		if (orders->notifies[i].command_count > 0)
			add_command(needs, orders->notifies[i].command);
}

/* ---- the list ---- */

static int compare_paths(const void *a, const void *b)
{
	const struct needs_file *left = a;
	const struct needs_file *right = b;

	return strcmp(left->path, right->path);
}

/* Each path once, with all its uses. */
static void sort_out(struct needs *needs)
{
	size_t kept = 0;

	qsort(needs->files, needs->count, sizeof(needs->files[0]), compare_paths);
	for (size_t i = 0; i < needs->count; i++) {
		if (kept > 0 && strcmp(needs->files[kept - 1].path, needs->files[i].path) == 0) {
			needs->files[kept - 1].uses |= needs->files[i].uses;
			free(needs->files[i].path);
		} else {
			needs->files[kept++] = needs->files[i];
		}
	}
	needs->count = kept;
}

void needs_look(struct needs_file *file)
{
	struct stat stat_of;
	bool is_there = stat(file->path, &stat_of) == 0;

	file->device = is_there ? stat_of.st_dev : 0;
	file->inode = is_there ? stat_of.st_ino : 0;
}

void needs_find(const struct link_orders *orders, struct needs *ret_needs)
{
	struct needs needs = {0};

	add_all(&needs, of_all, COUNT_OF(of_all));
	add_certificates(&needs);
	if (STEERD_SANITIZED)
		add(&needs, "/proc", NEEDS_TREE); /* where a leak sanitizer looks for threads */
	add_orders(&needs, orders);
	if (needs.has_commands)
		add_all(&needs, of_commands, COUNT_OF(of_commands));
	sort_out(&needs);
	for (size_t i = 0; i < needs.count; i++)
		needs_look(&needs.files[i]);
	*ret_needs = needs;
}

void needs_done(struct needs *needs)
{
	for (size_t i = 0; i < needs->count; i++)
		free(needs->files[i].path);
	free(needs->files);
	*needs = (struct needs){0};
}
