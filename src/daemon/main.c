/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon.h"
#include "steerd/base/log.h"
#include "steerd/base/memory.h"
#include "steerd/daemon/options.h"

enum { EXIT_DONE = 0, EXIT_REFUSED = 1, EXIT_USAGE = 2 };

struct command_line {
	struct daemon_options daemon;
	enum log_level log_level;
	bool checks;
	bool ends; /* --help or --version was printed */
};

static void print_help(void)
{
	puts("usage: steerd [-c FILE] [--check] [--log-level LEVEL]\n"
	     "\n"
	     "An authoritative DNS server that answers with the nearest healthy backends.  Serves "
	     "in the\n"
	     "foreground, logs to stderr, and prints one line that begins with 'ready:' once it "
	     "answers.\n");
	option_print_help(stdout, options_steerd, options_steerd_count);
	puts("\nSIGHUP reads the files again, SIGTERM and SIGINT stop.  Exit codes:");
	for (size_t i = 0; i < options_steerd_exit_count; i++)
		printf("  %d  %s\n", options_steerd_exits[i].code, options_steerd_exits[i].meaning);
}

static bool parse_level(const char *text, enum log_level *ret_level, struct err *err)
{
	static const char *const names[] = {
		[LOG_LEVEL_ERR] = "err",
		[LOG_LEVEL_WARNING] = "warning",
		[LOG_LEVEL_NOTICE] = "notice",
		[LOG_LEVEL_INFO] = "info",
		[LOG_LEVEL_DEBUG] = "debug",
	};

	for (size_t i = 0; i < COUNT_OF(names); i++) {
		if (strcmp(text, names[i]) == 0) {
			*ret_level = (enum log_level)i;
			return true;
		}
	}
	return err_set(err, "log level '%s' is none of err, warning, notice, info, debug", text);
}

static bool apply(struct command_line *line, int id, const char *value, struct err *err)
{
	switch (id) {
	case STEERD_OPTION_CONFIG:
		line->daemon.settings_path = value;
		return true;
	case STEERD_OPTION_CHECK:
		line->checks = true;
		return true;
	case STEERD_OPTION_LOG_LEVEL:
		return parse_level(value, &line->log_level, err);
	case STEERD_OPTION_PROBER:
		line->daemon.prober_path = value;
		return strchr(value, '/') != NULL ||
			err_set(err, "'%s' is not a path: write './%s'", value, value);
	case STEERD_OPTION_VERSION:
		puts("steerd " STEERD_VERSION);
		line->ends = true;
		return true;
	case STEERD_OPTION_HELP:
		print_help();
		line->ends = true;
		return true;
	}
	return err_set(err, "option %d has no meaning", id);
}

static bool parse(char **argv, struct command_line *line, struct err *err)
{
	struct option_reader reader = {
		.options = options_steerd,
		.option_count = options_steerd_count,
		.arguments = argv + 1,
	};

	while (!line->ends) {
		const char *value = NULL;
		int id = 0;

		switch (option_next(&reader, &id, &value, err)) {
		case OPTION_END:
			return true;
		case OPTION_WRONG:
			return false;
		case OPTION_WORD:
			return err_set(err, "'%s' is not an option", value);
		case OPTION_IS:
			if (!apply(line, id, value, err))
				return false;
		}
	}
	return true;
}

/* A socket must not get the number that the log is written to. */
static void open_standard_files(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

static void confine(void)
{
	struct rlimit files;

	(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	umask(0027);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGHUP,
		SIG_IGN); /* until the loop takes it: a reload during the start is part of the start */
	/* each TCP connection takes a descriptor; what the hard limit grants is meant to be used */
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &files);
	}
}

int main(int argc, char **argv)
{
	struct command_line line = {
		.daemon = {.settings_path = OPTIONS_CONFIG_PATH,
			.prober_path = STEERD_LIBEXECDIR "/steerd-prober"},
		.log_level = LOG_LEVEL_INFO,
	};
	struct err err;

	(void)argc;
	open_standard_files();
	if (!parse(argv, &line, &err)) {
		fprintf(stderr, "steerd: %s\ntry 'steerd --help'\n", err.text);
		return EXIT_USAGE;
	}
	if (line.ends)
		return EXIT_DONE;
	if (line.checks)
		return daemon_check(line.daemon.settings_path) ? EXIT_DONE : EXIT_REFUSED;
	log_start("steerd", line.log_level);
	confine();
	if (!daemon_run(&line.daemon, &err)) {
		log_err("%s", err.text);
		return EXIT_REFUSED;
	}
	return EXIT_DONE;
}
