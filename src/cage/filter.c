/* SPDX-License-Identifier: Apache-2.0 */
#include "filter.h"

#include <assert.h>
#include <errno.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "steerd/base/memory.h"

#define NONE (-1) /* the architecture has no such call */

/* Numbers with this bit are those of x32, a second set for the same calls on x86-64. */
#define X32_BIT 0x40000000

enum rule { REFUSED, UNKNOWN, STARTS, TRACES };

/* Numbers by architecture: from 424 on they are the same everywhere. */
static const struct {
	const char *name;
	enum rule rule;
	int16_t x86_64;
	int16_t aarch64;
} calls[] = {
	/* into other processes */
	{"ptrace", TRACES, 101, 117},
	{"process_vm_readv", REFUSED, 310, 270},
	{"process_vm_writev", REFUSED, 311, 271},
	{"process_madvise", REFUSED, 440, 440},
	{"pidfd_getfd", REFUSED, 438, 438},
	{"kcmp", REFUSED, 312, 272},
	/* another view of files */
	{"mount", REFUSED, 165, 40},
	{"umount2", REFUSED, 166, 39},
	{"pivot_root", REFUSED, 155, 41},
	{"chroot", REFUSED, 161, 51},
	{"open_tree", REFUSED, 428, 428},
	{"move_mount", REFUSED, 429, 429},
	{"fsopen", REFUSED, 430, 430},
	{"fsconfig", REFUSED, 431, 431},
	{"fsmount", REFUSED, 432, 432},
	{"fspick", REFUSED, 433, 433},
	{"mount_setattr", REFUSED, 442, 442},
	{"open_tree_attr", REFUSED, 467, 467},
	{"name_to_handle_at", REFUSED, 303, 264},
	{"open_by_handle_at", REFUSED, 304, 265},
	{"mknod", REFUSED, 133, NONE},
	{"mknodat", REFUSED, 259, 33},
	{"fanotify_init", REFUSED, 300, 262},
	/* another world; and clone() below */
	{"unshare", REFUSED, 272, 97},
	{"setns", REFUSED, 308, 268},
	{"clone3", UNKNOWN, 435,
		435}, /* its flags are in memory, unseen: the C library takes clone() */
	/* into the kernel */
	{"bpf", REFUSED, 321, 280},
	{"perf_event_open", REFUSED, 298, 241},
	{"userfaultfd", REFUSED, 323, 282},
	{"io_uring_setup", REFUSED, 425, 425},
	{"io_uring_enter", REFUSED, 426, 426},
	{"io_uring_register", REFUSED, 427, 427},
	{"init_module", REFUSED, 175, 105},
	{"finit_module", REFUSED, 313, 273},
	{"delete_module", REFUSED, 176, 106},
	{"kexec_load", REFUSED, 246, 104},
	{"kexec_file_load", REFUSED, 320, 294},
	{"lookup_dcookie", REFUSED, 212, 18},
	{"modify_ldt", REFUSED, 154, NONE},
	{"iopl", REFUSED, 172, NONE},
	{"ioperm", REFUSED, 173, NONE},
	{"personality", REFUSED, 135, 92},
	{"uselib", REFUSED, 134, NONE},
	{"vmsplice", REFUSED, 278, 75},
	{"mbind", REFUSED, 237, 235},
	{"set_mempolicy", REFUSED, 238, 237},
	{"migrate_pages", REFUSED, 256, 238},
	{"move_pages", REFUSED, 279, 239},
	{"add_key", REFUSED, 248, 217},
	{"request_key", REFUSED, 249, 218},
	{"keyctl", REFUSED, 250, 219},
	/* of the whole machine */
	{"reboot", REFUSED, 169, 142},
	{"swapon", REFUSED, 167, 224},
	{"swapoff", REFUSED, 168, 225},
	{"acct", REFUSED, 163, 89},
	{"quotactl", REFUSED, 179, 60},
	{"quotactl_fd", REFUSED, 443, 443},
	{"syslog", REFUSED, 103, 116},
	{"vhangup", REFUSED, 153, 58},
	{"sethostname", REFUSED, 170, 161},
	{"setdomainname", REFUSED, 171, 162},
	{"settimeofday", REFUSED, 164, 170},
	{"clock_settime", REFUSED, 227, 112},
	{"adjtimex", REFUSED, 159, 171},
	{"clock_adjtime", REFUSED, 305, 266},
	{"nfsservctl", REFUSED, 180, 42},
	/* it connects, and is not connected to */
	{"listen", REFUSED, 50, 201},
	{"accept", REFUSED, 43, 202},
	{"accept4", REFUSED, 288, 242},
	/* programs */
	{"execve", STARTS, 59, 221},
	{"execveat", STARTS, 322, 281},
};

/* Calls whose arguments decide. */
struct architecture {
	uint32_t audit;
	uint16_t clone;
	uint16_t socket;
	uint16_t ioctl;
	bool has_x32;
};

static const struct architecture architectures[] = {
	{AUDIT_ARCH_X86_64, 56, 41, 16, true},
	{AUDIT_ARCH_AARCH64, 220, 198, 29, false},
};

/* CLONE_NEWTIME is not one of clone()'s. */
#define NAMESPACES                                                                                 \
	(CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER |             \
		CLONE_NEWPID | CLONE_NEWNET)

/* ---- instructions ---- */

struct writer {
	struct sock_filter *program;
	size_t size;
};

static void put(struct writer *writer, uint16_t code, uint32_t value)
{
	assert(writer->size < FILTER_SIZE_MAX);
	writer->program[writer->size++] = (struct sock_filter){.code = code, .k = value};
}

/* A jump over so many of the next instructions when the comparison holds, and over so many when not. */
static void put_jump(
	struct writer *writer, uint16_t comparison, uint32_t value, const uint8_t over[static 2])
{
	put(writer, (uint16_t)(BPF_JMP | comparison | BPF_K), value);
	writer->program[writer->size - 1].jt = over[0];
	writer->program[writer->size - 1].jf = over[1];
}

static void put_load(struct writer *writer, size_t offset)
{
	put(writer, BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset);
}

static void put_return(struct writer *writer, uint32_t action)
{
	put(writer, BPF_RET | BPF_K, action);
}

static uint32_t fail_with(int error)
{
	return SECCOMP_RET_ERRNO | (uint32_t)error;
}

/* Where the lower half of an argument lies; both architectures have it first. */
static size_t argument(size_t index)
{
	return offsetof(struct seccomp_data, args) + index * sizeof(uint64_t);
}

static const uint8_t unless_equal[2] = {0, 1};

/* ---- calls ---- */

static void put_calls(struct writer *writer, const struct filter_options *options, size_t which)
{
	for (size_t i = 0; i < COUNT_OF(calls); i++) {
		int number = which == 0 ? calls[i].x86_64 : calls[i].aarch64;

		if (number == NONE || (calls[i].rule == STARTS && options->has_commands) ||
			(calls[i].rule == TRACES && options->has_tracing))
			continue;
		put_jump(writer, BPF_JEQ, (uint32_t)number, unless_equal);
		put_return(writer, fail_with(calls[i].rule == UNKNOWN ? ENOSYS : EPERM));
	}
}

/* Without namespaces.  What has an argument judged is over with it: nothing further down is about it. */
static void put_clone(struct writer *writer, const struct architecture *architecture)
{
	put_jump(writer, BPF_JEQ, architecture->clone, (const uint8_t[]){0, 4});
	put_load(writer, argument(0));
	put_jump(writer, BPF_JSET, NAMESPACES, (const uint8_t[]){0, 1});
	put_return(writer, fail_with(EPERM));
	put_return(writer, SECCOMP_RET_ALLOW);
}

/* Above all no socket of Unix, for there is one that commands steerd; nor packets, nor the kernel's own. */
static void put_socket(struct writer *writer, const struct architecture *architecture)
{
	put_jump(writer, BPF_JEQ, architecture->socket, (const uint8_t[]){0, 5});
	put_load(writer, argument(0));
	put_jump(writer, BPF_JEQ, AF_INET, (const uint8_t[]){2, 0});
	put_jump(writer, BPF_JEQ, AF_INET6, (const uint8_t[]){1, 0});
	put_return(writer, fail_with(EAFNOSUPPORT));
	put_return(writer, SECCOMP_RET_ALLOW);
}

/* Words put into the terminal that steerd was started from would be typed there. */
static void put_ioctl(struct writer *writer, const struct architecture *architecture)
{
	put_jump(writer, BPF_JEQ, architecture->ioctl, (const uint8_t[]){0, 5});
	put_load(writer, argument(1));
	put_jump(writer, BPF_JEQ, TIOCSTI, (const uint8_t[]){1, 0});
	put_jump(writer, BPF_JEQ, TIOCLINUX, (const uint8_t[]){0, 1});
	put_return(writer, fail_with(EPERM));
	put_return(writer, SECCOMP_RET_ALLOW);
}

/* One architecture; skipped whole by the others. */
static void put_architecture(
	struct writer *writer, const struct filter_options *options, size_t which)
{
	const struct architecture *architecture = &architectures[which];

	put_load(writer, offsetof(struct seccomp_data, arch));
	put_jump(writer, BPF_JEQ, architecture->audit, (const uint8_t[]){1, 0});

	size_t skip = writer->size;

	put(writer, BPF_JMP | BPF_JA, 0);
	put_load(writer, offsetof(struct seccomp_data, nr));
	if (architecture->has_x32) {
		put_jump(writer, BPF_JGE, X32_BIT, (const uint8_t[]){0, 1});
		put_return(writer, SECCOMP_RET_KILL_PROCESS);
	}
	put_clone(writer, architecture);
	put_socket(writer, architecture);
	put_ioctl(writer, architecture);
	put_calls(writer, options, which);
	put_return(writer, SECCOMP_RET_ALLOW);
	writer->program[skip].k = (uint32_t)(writer->size - skip - 1);
}

size_t filter_build(
	const struct filter_options *options, struct sock_filter ret_program[FILTER_SIZE_MAX])
{
	struct writer writer = {.program = ret_program};

	for (size_t i = 0; i < COUNT_OF(architectures); i++)
		put_architecture(&writer, options, i);
	put_return(&writer, SECCOMP_RET_KILL_PROCESS);
	return writer.size;
}
