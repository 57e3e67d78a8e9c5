/* SPDX-License-Identifier: Apache-2.0 */
#include "steerd/cage/cage.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "filter.h"
#include "steerd/base/memory.h"

struct cage {
	struct needs needs;
	bool has_files;	 /* it is closed around the files */
	bool has_filter; /* and the system calls */
};

/* ---- the first half ---- */

static void drop_capabilities(struct text *ret_lacks)
{
	const struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	const struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {0};

	/* The bounding set is for who may take of it: without that right, and with what is set below, nothing in it can
	 * be had.  It ends where the kernel knows no further capability. */
	for (unsigned long capability = 0; prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) == 0;)
		capability++;
	(void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	/* a filter of a service manager may be in the way */
	if (syscall(SYS_capset, &header, none) < 0)
		text_print(ret_lacks,
			"capabilities cannot be given up (%s): the prober keeps what steerd has\n",
			strerror(errno));
}

void cage_prepare(struct text *ret_lacks)
{
	drop_capabilities(ret_lacks);
	(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	/* no core file, no ptrace() by others of the same user, /proc/PID is root's; a leak sanitizer traces itself */
	if (!STEERD_SANITIZED)
		(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

/* ---- files ---- */

/* As the kernel has them: its header may be older than it. */
#define FILE_TRUNCATE (1ULL << 14)  /* version 3 */
#define FILE_IOCTL_DEV (1ULL << 15) /* version 5 */
#define NET_BIND_TCP (1ULL << 0)    /* version 4 */
#define SCOPE_UNIX (1ULL << 0)	    /* version 6: abstract sockets */
#define SCOPE_SIGNAL (1ULL << 1)    /* version 6 */

#define OF_A_FILE                                                                                  \
	(LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_WRITE_FILE |                              \
		LANDLOCK_ACCESS_FS_READ_FILE | FILE_TRUNCATE | FILE_IOCTL_DEV)

struct ruleset {
	uint64_t files;
	uint64_t net;
	uint64_t scopes;
};

/* What each version of Landlock added, and what it means to be without. */
static const struct {
	long version;
	struct ruleset adds;
	const char *without;
} versions[] = {
	{1, {.files = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1}, NULL},
	{2, {.files = LANDLOCK_ACCESS_FS_REFER}, NULL}, /* refused by the ones before */
	{3, {.files = FILE_TRUNCATE}, "empty any file that its user may write"},
	{4, {.net = NET_BIND_TCP}, "take a TCP port"},
	{5, {.files = FILE_IOCTL_DEV}, NULL}, /* it opens no device of which that could be asked */
	{6, {.scopes = SCOPE_UNIX | SCOPE_SIGNAL}, "end other processes of its user"},
};

static const struct {
	unsigned use;
	uint64_t access;
} accesses[] = {
	{NEEDS_READ, LANDLOCK_ACCESS_FS_READ_FILE},
	{NEEDS_LIST, LANDLOCK_ACCESS_FS_READ_DIR},
	{NEEDS_EXECUTE, LANDLOCK_ACCESS_FS_EXECUTE},
	{NEEDS_WRITE, LANDLOCK_ACCESS_FS_WRITE_FILE | FILE_TRUNCATE},
	{NEEDS_CREATE,
		LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_DIR |
			LANDLOCK_ACCESS_FS_MAKE_SYM | LANDLOCK_ACCESS_FS_MAKE_FIFO |
			LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR |
			LANDLOCK_ACCESS_FS_REFER},
};

/* What this version knows; what it lacks is said. */
static struct ruleset known_to(long version, struct text *ret_lacks)
{
	struct ruleset known = {0};
	struct text without = {0};

	for (size_t i = 0; i < COUNT_OF(versions); i++) {
		if (versions[i].version <= version) {
			known.files |= versions[i].adds.files;
			known.net |= versions[i].adds.net;
			known.scopes |= versions[i].adds.scopes;
		} else if (versions[i].without) {
			text_print(&without, "%s%s", without.size > 0 ? ", " : "",
				versions[i].without);
		}
	}
	if (without.size > 0)
		text_print(ret_lacks,
			"the kernel's Landlock is of version %ld: a prober that was taken over "
			"could "
			"%s\n",
			version, without.bytes);
	text_done(&without);
	return known;
}

static void allow(int rules, const struct needs_file *file, uint64_t known)
{
	struct landlock_path_beneath_attr rule = {
		.parent_fd = open(file->path, O_PATH | O_CLOEXEC)};
	struct stat stat_of;

	/* what is not there, or not for us, needs no rule */
	if (rule.parent_fd < 0)
		return;
	for (size_t i = 0; i < COUNT_OF(accesses); i++)
		if (file->uses & accesses[i].use)
			rule.allowed_access |= accesses[i].access;
	rule.allowed_access &= known;
	if (fstat(rule.parent_fd, &stat_of) == 0 && !S_ISDIR(stat_of.st_mode))
		rule.allowed_access &= OF_A_FILE;
	(void)syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
	close(rule.parent_fd);
}

static bool close_around_files(const struct needs *needs, struct text *ret_lacks)
{
	long version =
		syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);

	if (version < 1) {
		text_add(ret_lacks,
			"the kernel has no Landlock: a prober that was taken over could read and "
			"write what its user can, the state directory among it\n");
		return false;
	}

	const struct ruleset known = known_to(version, ret_lacks);
	int rules = (int)syscall(SYS_landlock_create_ruleset, &known, sizeof(known), 0);

	for (size_t i = 0; rules >= 0 && i < needs->count; i++)
		allow(rules, &needs->files[i], known.files);

	bool is_closed = rules >= 0 && syscall(SYS_landlock_restrict_self, rules, 0) == 0;

	if (!is_closed)
		text_print(ret_lacks, "the kernel's Landlock refuses our rules (%s)\n",
			strerror(errno));
	if (rules >= 0)
		close(rules);
	return is_closed;
}

/* ---- system calls ---- */

static bool close_around_calls(const struct needs *needs, struct text *ret_lacks)
{
	const struct filter_options options = {
		.has_commands = needs->has_commands, .has_tracing = STEERD_SANITIZED};
	struct sock_filter instructions[FILTER_SIZE_MAX];
	struct sock_fprog program = {.filter = instructions,
		.len = (unsigned short)filter_build(&options, instructions)};

	/* with all threads, if a library has started any */
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program) == 0)
		return true;
	text_print(ret_lacks,
		"the kernel takes no filter of system calls (%s): a prober that was taken over "
		"could make any, as its user\n",
		strerror(errno));
	return false;
}

/* ---- the second half ---- */

struct cage *cage_close(struct needs *needs, struct text *ret_lacks)
{
	struct cage *cage = memory_new(sizeof(*cage));

	cage->needs = *needs;
	*needs = (struct needs){0};
	cage->has_files = close_around_files(&cage->needs, ret_lacks);
	cage->has_filter = close_around_calls(&cage->needs, ret_lacks);
	return cage;
}

static int compare_path(const void *path, const void *file)
{
	return strcmp(path, ((const struct needs_file *)file)->path);
}

static bool has_file(const struct cage *cage, const struct needs_file *wanted)
{
	const struct needs_file *file = bsearch(wanted->path, cage->needs.files, cage->needs.count,
		sizeof(cage->needs.files[0]), compare_path);

	return file && (wanted->uses & ~file->uses) == 0;
}

bool cage_covers(const struct cage *cage, const struct needs *needs, struct text *ret_why)
{
	if (needs->has_commands && !cage->needs.has_commands &&
		(cage->has_files || cage->has_filter)) {
		text_add(ret_why, "programs are to be started");
		return false;
	}
	for (size_t i = 0; cage->has_files && i < needs->count; i++) {
		if (has_file(cage, &needs->files[i]))
			continue;
		text_print(ret_why, "'%s' is to be read", needs->files[i].path);
		return false;
	}
	return true;
}

bool cage_is_current(const struct cage *cage, struct text *ret_why)
{
	for (size_t i = 0; cage->has_files && i < cage->needs.count; i++) {
		const struct needs_file *file = &cage->needs.files[i];
		struct needs_file now = *file;

		needs_look(&now);
		/* what was taken away may come back */
		if (now.inode == 0 || (now.inode == file->inode && now.device == file->device))
			continue;
		text_print(ret_why, "'%s' is another file now", file->path);
		return false;
	}
	return true;
}

void cage_free(struct cage *cage)
{
	if (!cage)
		return;
	needs_done(&cage->needs);
	free(cage);
}
