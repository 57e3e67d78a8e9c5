/* SPDX-License-Identifier: Apache-2.0 */

/* The program is run here as the kernel would run it, so that it is seen for either architecture on any machine. */

#include <errno.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <cmocka.h>

#include "filter.h"
#include "steerd/base/memory.h"

#define REFUSED(error) (SECCOMP_RET_ERRNO | (error))

static uint32_t load(const struct seccomp_data *data, uint32_t offset)
{
	uint32_t value;

	assert_true(offset % 4 == 0 && offset + 4 <= sizeof(*data));
	memcpy(&value, (const char *)data + offset, sizeof(value));
	return value;
}

static uint32_t run(const struct sock_filter *program, size_t size, const struct seccomp_data *data)
{
	uint32_t accumulator = 0;

	for (size_t at = 0; at < size; at++) {
		const struct sock_filter *step = &program[at];
		bool holds = false;

		switch (step->code) {
		case BPF_LD | BPF_W | BPF_ABS:
			accumulator = load(data, step->k);
			continue;
		case BPF_RET | BPF_K:
			return step->k;
		case BPF_JMP | BPF_JA:
			at += step->k;
			continue;
		case BPF_JMP | BPF_JEQ | BPF_K:
			holds = accumulator == step->k;
			break;
		case BPF_JMP | BPF_JGE | BPF_K:
			holds = accumulator >= step->k;
			break;
		case BPF_JMP | BPF_JSET | BPF_K:
			holds = (accumulator & step->k) != 0;
			break;
		default:
			fail_msg("instruction %zu has code %#x", at, step->code);
		}
		at += holds ? step->jt : step->jf;
	}
	fail_msg("the program runs over its end");
	return 0;
}

#define X86_64 AUDIT_ARCH_X86_64
#define AARCH64 AUDIT_ARCH_AARCH64
#define X32 0x40000000

static const struct {
	const char *about;
	uint32_t arch;
	int number;
	uint64_t arguments[2];
	uint32_t want;
	uint32_t want_with_commands; /* 0: the same */
} cases[] = {
	{"read", X86_64, 0, {0}, SECCOMP_RET_ALLOW, 0},
	{"read", AARCH64, 63, {0}, SECCOMP_RET_ALLOW, 0},
	{"ptrace", X86_64, 101, {0}, REFUSED(EPERM), 0},
	{"ptrace", AARCH64, 117, {0}, REFUSED(EPERM), 0},
	{"getuid on the other one", X86_64, 117, {0}, SECCOMP_RET_ALLOW, 0},
	{"mount", X86_64, 165, {0}, REFUSED(EPERM), 0},
	{"mount", AARCH64, 40, {0}, REFUSED(EPERM), 0},
	{"sendfile on the other one", X86_64, 40, {0}, SECCOMP_RET_ALLOW, 0},
	{"bpf", AARCH64, 280, {0}, REFUSED(EPERM), 0},
	{"io_uring_setup", AARCH64, 425, {0}, REFUSED(EPERM), 0},
	{"execve", X86_64, 59, {0}, REFUSED(EPERM), SECCOMP_RET_ALLOW},
	{"execve", AARCH64, 221, {0}, REFUSED(EPERM), SECCOMP_RET_ALLOW},
	{"execveat", X86_64, 322, {0}, REFUSED(EPERM), SECCOMP_RET_ALLOW},
	{"execveat", AARCH64, 281, {0}, REFUSED(EPERM), SECCOMP_RET_ALLOW},
	{"clone3", X86_64, 435, {0}, REFUSED(ENOSYS), 0},
	{"clone3", AARCH64, 435, {0}, REFUSED(ENOSYS), 0},
	{"a thread", X86_64, 56, {CLONE_VM | CLONE_THREAD}, SECCOMP_RET_ALLOW, 0},
	{"a child", AARCH64, 220, {SIGCHLD}, SECCOMP_RET_ALLOW, 0},
	{"a user namespace", X86_64, 56, {CLONE_NEWUSER | SIGCHLD}, REFUSED(EPERM), 0},
	{"a user namespace", AARCH64, 220, {CLONE_NEWUSER | SIGCHLD}, REFUSED(EPERM), 0},
	{"a network of its own", X86_64, 56, {CLONE_NEWNET}, REFUSED(EPERM), 0},
	{"upper bits of flags are not looked at by the kernel", X86_64, 56,
		{UINT64_C(1) << 32 | SIGCHLD}, SECCOMP_RET_ALLOW, 0},
	{"IPv4", X86_64, 41, {AF_INET}, SECCOMP_RET_ALLOW, 0},
	{"IPv6", AARCH64, 198, {AF_INET6}, SECCOMP_RET_ALLOW, 0},
	{"the control socket", X86_64, 41, {AF_UNIX}, REFUSED(EAFNOSUPPORT), 0},
	{"the control socket", AARCH64, 198, {AF_UNIX}, REFUSED(EAFNOSUPPORT), 0},
	{"netlink", X86_64, 41, {AF_NETLINK}, REFUSED(EAFNOSUPPORT), 0},
	{"packets", X86_64, 41, {AF_PACKET}, REFUSED(EAFNOSUPPORT), 0},
	{"a family in the upper half is none", X86_64, 41, {UINT64_C(1) << 32 | AF_UNIX},
		REFUSED(EAFNOSUPPORT), 0},
	{"a pair of sockets is what libcurl wakes itself with", X86_64, 53, {AF_UNIX},
		SECCOMP_RET_ALLOW, 0},
	{"bytes to read", X86_64, 16, {0, FIONREAD}, SECCOMP_RET_ALLOW, 0},
	{"typing for the operator", X86_64, 16, {0, TIOCSTI}, REFUSED(EPERM), 0},
	{"typing for the operator", AARCH64, 29, {0, TIOCSTI}, REFUSED(EPERM), 0},
	{"pasting for the operator", X86_64, 16, {0, TIOCLINUX}, REFUSED(EPERM), 0},
	{"x32", X86_64, X32 | 0, {0}, SECCOMP_RET_KILL_PROCESS, 0},
	{"x32 by another name", X86_64, X32 | 101, {0}, SECCOMP_RET_KILL_PROCESS, 0},
	{"a number that is negative", X86_64, -1, {0}, SECCOMP_RET_KILL_PROCESS, 0},
	{"32 bits of x86", AUDIT_ARCH_I386, 0, {0}, SECCOMP_RET_KILL_PROCESS, 0},
	{"32 bits of ARM", AUDIT_ARCH_ARM, 0, {0}, SECCOMP_RET_KILL_PROCESS, 0},
	{"an architecture that nobody knows", 0, 0, {0}, SECCOMP_RET_KILL_PROCESS, 0},
};

static void look(bool has_commands)
{
	const struct filter_options options = {.has_commands = has_commands};
	struct sock_filter program[FILTER_SIZE_MAX];
	size_t size = filter_build(&options, program);

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		const struct seccomp_data data = {.nr = cases[i].number,
			.arch = cases[i].arch,
			.args = {cases[i].arguments[0], cases[i].arguments[1]}};
		uint32_t want = has_commands && cases[i].want_with_commands
			? cases[i].want_with_commands
			: cases[i].want;
		uint32_t got = run(program, size, &data);

		if (got != want)
			fail_msg("%s, %#x: %#x, not %#x", cases[i].about, cases[i].arch, got, want);
	}
}

static void without_commands(void **state)
{
	(void)state;
	look(false);
}

static void with_commands(void **state)
{
	(void)state;
	look(true);
}

/* The numbers of the machine that this runs on, as its own headers have them. */
static const int here[] = {SYS_ptrace, SYS_process_vm_readv, SYS_process_vm_writev,
	SYS_process_madvise, SYS_pidfd_getfd, SYS_kcmp, SYS_mount, SYS_umount2, SYS_pivot_root,
	SYS_chroot, SYS_open_tree, SYS_move_mount, SYS_fsopen, SYS_fsconfig, SYS_fsmount,
	SYS_fspick, SYS_mount_setattr, SYS_name_to_handle_at, SYS_open_by_handle_at, SYS_mknodat,
	SYS_fanotify_init, SYS_unshare, SYS_setns, SYS_bpf, SYS_perf_event_open, SYS_userfaultfd,
	SYS_io_uring_setup, SYS_io_uring_enter, SYS_io_uring_register, SYS_init_module,
	SYS_finit_module, SYS_delete_module, SYS_kexec_load, SYS_kexec_file_load,
	SYS_lookup_dcookie, SYS_personality, SYS_vmsplice, SYS_mbind, SYS_set_mempolicy,
	SYS_migrate_pages, SYS_move_pages, SYS_add_key, SYS_request_key, SYS_keyctl, SYS_reboot,
	SYS_swapon, SYS_swapoff, SYS_acct, SYS_quotactl, SYS_quotactl_fd, SYS_syslog, SYS_vhangup,
	SYS_sethostname, SYS_setdomainname, SYS_settimeofday, SYS_clock_settime, SYS_adjtimex,
	SYS_clock_adjtime, SYS_nfsservctl, SYS_listen, SYS_accept, SYS_accept4, SYS_execve,
	SYS_execveat};

/* What checks cannot do without. */
static const int needed[] = {SYS_read, SYS_write, SYS_close, SYS_openat, SYS_fstat, SYS_mmap,
	SYS_munmap, SYS_brk, SYS_connect, SYS_sendto, SYS_recvfrom, SYS_recvmsg, SYS_sendmsg,
	SYS_getsockopt, SYS_setsockopt, SYS_epoll_ctl, SYS_epoll_pwait, SYS_timerfd_create,
	SYS_eventfd2, SYS_pipe2, SYS_socketpair, SYS_futex, SYS_getrandom, SYS_clock_gettime,
	SYS_kill, SYS_tgkill, SYS_wait4, SYS_waitid, SYS_pidfd_open, SYS_exit_group,
	SYS_rt_sigaction, SYS_clone, SYS_madvise};

static void numbers_are_those_of_the_headers(void **state)
{
	const struct filter_options options = {0};
	struct sock_filter program[FILTER_SIZE_MAX];
	size_t size = filter_build(&options, program);
	struct seccomp_data data = {.arch = SYS_mount == 165 ? X86_64 : AARCH64};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(here); i++) {
		data.nr = here[i];
		if (run(program, size, &data) != REFUSED(EPERM))
			fail_msg("call %d is not refused", here[i]);
	}
	for (size_t i = 0; i < COUNT_OF(needed); i++) {
		data.nr = needed[i];
		if (run(program, size, &data) != SECCOMP_RET_ALLOW)
			fail_msg("call %d is refused", needed[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_commands),
		cmocka_unit_test(with_commands),
		cmocka_unit_test(numbers_are_those_of_the_headers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
