/* SPDX-License-Identifier: Apache-2.0 */

/* A child goes into the cage for each test, for nobody comes out of it; what it finds wrong it says through a pipe. */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "steerd/base/memory.h"
#include "steerd/cage/cage.h"

/* A directory with a secret, a script and a certificate file. */
struct scene {
	char directory[64];
	char secret[96];
	char script[96];
	char certificate[96];
	char pushed[96];
	int wrong; /* the pipe */
};

static void write_file(const char *path, const char *words, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, words, strlen(words)), strlen(words));
	close(fd);
}

static void make_scene(struct scene *scene)
{
	char directory[96];

	snprintf(scene->directory, sizeof(scene->directory), "/tmp/steerd-cage-XXXXXX");
	assert_non_null(mkdtemp(scene->directory));
	snprintf(scene->secret, sizeof(scene->secret), "%s/secret", scene->directory);
	snprintf(scene->script, sizeof(scene->script), "%s/script", scene->directory);
	snprintf(scene->certificate, sizeof(scene->certificate), "%s/ca.pem", scene->directory);
	snprintf(directory, sizeof(directory), "%s/pushed", scene->directory);
	snprintf(scene->pushed, sizeof(scene->pushed), "%s/pushed/edge.txt", scene->directory);
	assert_int_equal(mkdir(directory, 0700), 0);
	write_file(scene->secret, "secret\n", 0600);
	write_file(scene->certificate, "none\n", 0600);
	write_file(scene->pushed, "up\n", 0600);
	write_file(scene->script, "#!/bin/sh\nexec cat \"$1\"\n", 0700);
	setenv("SSL_CERT_FILE", scene->certificate, 1);
}

static void remove_scene(const struct scene *scene)
{
	char command[96];

	snprintf(command, sizeof(command), "rm -rf %s", scene->directory);
	assert_int_equal(system(command), 0);
}

/* ---- in the child ---- */

static void say(const struct scene *scene, const char *about, long got, long want)
{
	if (got != want)
		dprintf(scene->wrong, "%s: %ld, not %ld; ", about, got, want);
}

static bool has_landlock(long version)
{
	return syscall(SYS_landlock_create_ruleset, NULL, 0, 1) >= version;
}

/* 0 or the errno of opening it. */
static int open_error(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC, 0600);

	if (fd >= 0)
		close(fd);
	return fd >= 0 ? 0 : errno;
}

static int error_of(long result)
{
	return result < 0 ? errno : 0;
}

static int socket_error(int family)
{
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd >= 0)
		close(fd);
	return fd >= 0 ? 0 : errno;
}

/* The exit code of a program. */
static int run(const char *path, const char *argument)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		(void)!freopen("/dev/null", "w", stdout);
		(void)!freopen("/dev/null", "w", stderr);
		execl(path, path, argument, (char *)NULL);
		_exit(100 + errno);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void enter(
	const struct scene *scene, const struct link_orders *orders, struct cage **ret_cage)
{
	struct needs needs;
	struct text lacks = {0};

	needs_find(orders, &needs);
	cage_prepare(&lacks);
	say(scene, "lacks nothing", (long)lacks.size, 0);
	*ret_cage = cage_close(&needs, &lacks);
	say(scene, "takes the needs", (long)needs.count, 0);
	/* either it is closed, or it says what is open */
	if (!has_landlock(6))
		say(scene, "says what it lacks", lacks.size > 0, true);
	text_done(&lacks);
}

static void look_for_rights(const struct scene *scene)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

	say(scene, "capget", syscall(SYS_capget, &header, data), 0);
	for (size_t i = 0; i < COUNT_OF(data); i++) {
		say(scene, "effective", data[i].effective, 0);
		say(scene, "permitted", data[i].permitted, 0);
		say(scene, "inheritable", data[i].inheritable, 0);
	}
	if (getuid() == 0)
		say(scene, "bounding", prctl(PR_CAPBSET_READ, CAP_SYS_ADMIN), 0);
	say(scene, "no new privileges", prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 1);
	say(scene, "seccomp", prctl(PR_GET_SECCOMP), 2);
	say(scene, "dumpable", prctl(PR_GET_DUMPABLE), STEERD_SANITIZED);
}

static void try_calls(const struct scene *scene)
{
	if (!STEERD_SANITIZED)
		say(scene, "ptrace", error_of(ptrace(PTRACE_TRACEME, 0, NULL, NULL)), EPERM);
	say(scene, "mount", error_of(mount("none", "/mnt", "tmpfs", 0, NULL)), EPERM);
	say(scene, "unshare", error_of(unshare(CLONE_NEWUSER)), EPERM);
	say(scene, "clone",
		error_of(syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, NULL, NULL, NULL, 0)), EPERM);
	say(scene, "chroot", error_of(chroot("/")), EPERM);
	say(scene, "bpf", error_of(syscall(SYS_bpf, 0, NULL, 0)), EPERM);
	say(scene, "io_uring", error_of(syscall(SYS_io_uring_setup, 1, NULL)), EPERM);
	say(scene, "keyctl", error_of(syscall(SYS_keyctl, 0, 0, 0, 0, 0)), EPERM);
	say(scene, "a socket of Unix", socket_error(AF_UNIX), EAFNOSUPPORT);
	say(scene, "a socket of IPv4", socket_error(AF_INET), 0);
	if (has_landlock(6))
		say(scene, "a signal to steerd", error_of(kill(getppid(), 0)), EPERM);
}

static void try_files(const struct scene *scene)
{
	char path[64];

	if (!has_landlock(1))
		return;
	say(scene, "secret", open_error(scene->secret, O_RDONLY), EACCES);
	say(scene, "secret, to write", open_error(scene->secret, O_WRONLY), EACCES);
	say(scene, "a new file", open_error("/var/tmp/steerd-cage", O_WRONLY | O_CREAT), EACCES);
	say(scene, "the directory", open_error(scene->directory, O_RDONLY | O_DIRECTORY), EACCES);
	say(scene, "unlink", error_of(unlink(scene->secret)), EACCES);
	say(scene, "passwd", open_error("/etc/passwd", O_RDONLY), EACCES);
	say(scene, "home", open_error("/root", O_RDONLY | O_DIRECTORY), EACCES);
	snprintf(path, sizeof(path), "/proc/%d/environ", (int)getppid());
	say(scene, "steerd's environment", open_error(path, O_RDONLY), EACCES);
	say(scene, "certificates", open_error(scene->certificate, O_RDONLY), 0);
	say(scene, "certificates, to write", open_error(scene->certificate, O_WRONLY), EACCES);
	say(scene, "/dev/null", open_error("/dev/null", O_RDWR), 0);
	if (access("/etc/resolv.conf", F_OK) == 0)
		say(scene, "resolv.conf", open_error("/etc/resolv.conf", O_RDONLY), 0);
	say(scene, "libraries", open_error("/usr/lib", O_RDONLY | O_DIRECTORY), 0);
}

static void without_orders(struct scene *scene)
{
	const struct link_orders orders = {0};
	struct cage *cage;

	enter(scene, &orders, &cage);
	look_for_rights(scene);
	try_calls(scene);
	try_files(scene);
	say(scene, "a program", run("/bin/true", NULL), 100 + EPERM);
	cage_free(cage);
}

static void with_a_command(struct scene *scene)
{
	const char *const command[] = {scene->script, scene->secret, NULL};
	const struct settings_monitor monitor = {
		.kind = KIND_EXEC, .command = command, .command_count = 2};
	const struct link_orders orders = {.monitors = &monitor, .monitor_count = 1};
	char scratch[] = NEEDS_SCRATCH "/steerd-cage-XXXXXX";
	struct cage *cage;

	enter(scene, &orders, &cage);
	say(scene, "a program", run("/bin/true", NULL), 0);
	say(scene, "a script", run(scene->script, "/dev/null"), 0);
	say(scene, "unshare", error_of(unshare(CLONE_NEWUSER)), EPERM);
	if (has_landlock(1)) {
		say(scene, "a script that reads a secret", run(scene->script, scene->secret), 1);
		say(scene, "secret", open_error(scene->secret, O_RDONLY), EACCES);
		say(scene, "home", open_error("/root", O_RDONLY | O_DIRECTORY), EACCES);
	}

	int fd = mkstemp(scratch);

	say(scene, "scratch", fd >= 0 && unlink(scratch) == 0, true);
	cage_free(cage);
}

static void with_a_pushed_file(struct scene *scene)
{
	const struct settings_monitor monitor = {.kind = KIND_PUSH, .push_path = scene->pushed};
	const struct link_orders orders = {.monitors = &monitor, .monitor_count = 1};
	struct cage *cage;

	enter(scene, &orders, &cage);
	say(scene, "what was pushed", open_error(scene->pushed, O_RDONLY), 0);
	if (has_landlock(1)) {
		say(scene, "to write", open_error(scene->pushed, O_WRONLY), EACCES);
		say(scene, "secret", open_error(scene->secret, O_RDONLY), EACCES);
	}
	cage_free(cage);
}

static void covers(const struct scene *scene, const struct cage *cage,
	const struct settings_monitor *monitor, const char *why)
{
	const struct link_orders orders = {.monitors = monitor, .monitor_count = monitor ? 1 : 0};
	struct needs needs;
	struct text got = {0};

	needs_find(&orders, &needs);
	say(scene, why ? why : "the same", cage_covers(cage, &needs, &got), !why);
	if (why && strcmp(why, got.size > 0 ? got.bytes : "") != 0)
		dprintf(scene->wrong, "%s, not %s; ", got.bytes, why);
	text_done(&got);
	needs_done(&needs);
}

static void later_orders(struct scene *scene)
{
	const struct link_orders orders = {0};
	const char *const command[] = {"/bin/true", NULL};
	const struct settings_monitor exec = {
		.kind = KIND_EXEC, .command = command, .command_count = 1};
	const struct settings_monitor push = {.kind = KIND_PUSH, .push_path = "/nonexistent/file"};
	struct cage *cage;

	enter(scene, &orders, &cage);
	covers(scene, cage, NULL, NULL);
	covers(scene, cage, &exec, "programs are to be started");
	if (has_landlock(1))
		covers(scene, cage, &push, "'/nonexistent' is to be read");
	cage_free(cage);
}

static void files_are_exchanged(struct scene *scene)
{
	const struct link_orders orders = {0};
	struct text why = {0};
	struct cage *cage;
	int told[2];
	char word;

	/* the parent renames: in here it is not allowed */
	assert_int_equal(pipe(told), 0);

	pid_t other = fork();

	if (other == 0) {
		char path[128];

		snprintf(path, sizeof(path), "%s.new", scene->certificate);
		_exit(read(told[0], &word, 1) == 1 && rename(path, scene->certificate) == 0 ? 0
											    : 1);
	}
	enter(scene, &orders, &cage);
	say(scene, "is current", cage_is_current(cage, &why), true);
	say(scene, "told", write(told[1], "x", 1), 1);
	waitpid(other, NULL, 0);
	if (has_landlock(1)) {
		char want[128];

		snprintf(want, sizeof(want), "'%s' is another file now", scene->certificate);
		say(scene, "is not current", cage_is_current(cage, &why), false);
		say(scene, "why", strcmp(why.size > 0 ? why.bytes : "", want), 0);
	}
	text_done(&why);
	cage_free(cage);
}

/* ---- in the parent ---- */

static void in_a_child(void (*test)(struct scene *), struct scene *scene)
{
	int ends[2];
	char wrong[2048] = "";
	size_t size = 0;
	int status;

	assert_int_equal(pipe(ends), 0);

	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		close(ends[0]);
		scene->wrong = ends[1];
		test(scene);
		_exit(0);
	}
	close(ends[1]);
	for (ssize_t got; (got = read(ends[0], wrong + size, sizeof(wrong) - 1 - size)) > 0;)
		size += (size_t)got;
	close(ends[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (wrong[0] != '\0')
		fail_msg("%s", wrong);
	assert_int_equal(status, 0);
}

static void cage_as(void (*test)(struct scene *))
{
	struct scene scene;

	if (!has_landlock(1))
		print_message("this kernel has no Landlock: files are not looked at\n");
	make_scene(&scene);
	in_a_child(test, &scene);
	remove_scene(&scene);
}

static void orders_of_nothing(void **state)
{
	(void)state;
	cage_as(without_orders);
}

static void orders_with_a_command(void **state)
{
	(void)state;
	cage_as(with_a_command);
}

static void orders_with_a_pushed_file(void **state)
{
	(void)state;
	cage_as(with_a_pushed_file);
}

static void orders_that_need_more(void **state)
{
	(void)state;
	cage_as(later_orders);
}

static void a_file_that_was_exchanged(void **state)
{
	struct scene scene;
	char path[128];

	(void)state;
	make_scene(&scene);
	snprintf(path, sizeof(path), "%s.new", scene.certificate);
	write_file(path, "another\n", 0600);
	in_a_child(files_are_exchanged, &scene);
	remove_scene(&scene);
}

/* The links of a directory of certificates lead out of it; each directory is there once. */
static void where_links_lead(void **state)
{
	const struct link_orders orders = {0};
	struct scene scene;
	struct needs needs;
	char path[160];
	size_t found = 0;

	(void)state;
	make_scene(&scene);
	snprintf(path, sizeof(path), "%s/certs", scene.directory);
	assert_int_equal(mkdir(path, 0700), 0);
	setenv("SSL_CERT_DIR", path, 1);
	snprintf(path, sizeof(path), "%s/certs/1.0", scene.directory);
	assert_int_equal(symlink("../pushed/edge.txt", path), 0);
	snprintf(path, sizeof(path), "%s/certs/2.0", scene.directory);
	assert_int_equal(symlink("../pushed/edge.txt", path), 0);
	snprintf(path, sizeof(path), "%s/pushed", scene.directory);
	needs_find(&orders, &needs);
	for (size_t i = 0; i < needs.count; i++) {
		found += strcmp(needs.files[i].path, path) == 0;
		assert_true(i == 0 || strcmp(needs.files[i - 1].path, needs.files[i].path) < 0);
		assert_int_equal(needs.files[i].uses & (NEEDS_EXECUTE | NEEDS_CREATE), 0);
	}
	assert_int_equal(found, 1);
	assert_false(needs.has_commands);
	needs_done(&needs);
	unsetenv("SSL_CERT_DIR");
	remove_scene(&scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(orders_of_nothing),
		cmocka_unit_test(orders_with_a_command),
		cmocka_unit_test(orders_with_a_pushed_file),
		cmocka_unit_test(orders_that_need_more),
		cmocka_unit_test(a_file_that_was_exchanged),
		cmocka_unit_test(where_links_lead),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
