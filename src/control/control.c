/* SPDX-License-Identifier: Apache-2.0 */
#include "steerd/control/control.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "inquire.h"
#include "json.h"
#include "reply.h"
#include "steerd/base/log.h"
#include "steerd/base/memory.h"
#include "steerd/control/frame.h"
#include "steerd/geo/geo.h"
#include "steerd/plan/snapshot.h"

/* Operators and their scripts; a loop that forgets to close does not take the descriptors of the rest. */
#define CONNECTIONS_MAX 64
/* To send a request that is one line, and to take a reply from the same machine. */
#define IO_LIMIT_S 10

/*
 * One connection: reads one request, answers it, ends.
 *
 *	reading ─▶ answered at once ──────────────▶ sending ─▶ gone
 *	      └──▶ waiting for control_finish() ────┤
 *	      └──▶ waiting for work to be done ─────┘
 *
 * Once a request is read, nothing more is read: a caller that went away is noticed when its reply is sent.
 */
struct control_call {
	TAILQ_ENTRY(control_call) entry;
	struct control *control;
	struct bufferevent *stream;
	struct event *deadline;	 /* of reading, then of sending */
	struct inquiry *inquiry; /* waited for; NULL: none */
	bool stops;		 /* steerd ends once the reply is sent */
	char by[72];
};

struct control {
	struct event_base *base;
	struct event *acceptor;
	int fd;
	int reserve_fd; /* given up for a moment when no other descriptor is left */
	char *path;
	struct control_actions actions;
	TAILQ_HEAD(, control_call) calls;
	size_t call_count;
};

/* ---- one connection ---- */

static void call_free(struct control_call *call)
{
	TAILQ_REMOVE(&call->control->calls, call, entry);
	call->control->call_count--;
	inquire_free(call->inquiry);
	event_free(call->deadline);
	bufferevent_free(call->stream);
	free(call);
}

static void arm_deadline(struct control_call *call)
{
	const struct timeval limit = {.tv_sec = IO_LIMIT_S};

	event_add(call->deadline, &limit);
}

static void on_deadline(evutil_socket_t fd, short what, void *context)
{
	(void)fd;
	(void)what;
	call_free(context);
}

static void on_closed(struct bufferevent *stream, short what, void *context)
{
	(void)stream;
	(void)what;
	call_free(context);
}

static void on_sent(struct bufferevent *stream, void *context)
{
	struct control_call *call = context;

	(void)stream;
	if (!call->stops) {
		call_free(call);
		return;
	}
	/* The connection stays until the process is gone: so the caller sees that it is. */
	event_del(call->deadline);
	call->control->actions.stop(call->control->actions.context);
}

static void send_reply(struct control_call *call, const struct text *body)
{
	static const char too_large[] =
		"{\"ok\": false, \"error\": \"the reply is too large: ask about a part\"}";
	struct text frame = {0};

	if (body->size <= FRAME_REPLY_MAX)
		frame_add(&frame, body->bytes, body->size);
	else
		frame_add(&frame, too_large, strlen(too_large));
	bufferevent_setcb(call->stream, NULL, on_sent, on_closed, call);
	bufferevent_write(call->stream, frame.bytes, frame.size);
	arm_deadline(call);
	text_done(&frame);
}

static void send_json(struct control_call *call, json_t *json)
{
	struct text body = {0};

	json_write(json, JSON_COMPACT, &body);
	json_decref(json);
	send_reply(call, &body);
	text_done(&body);
}

static void start_reading(struct control_call *call, enum control_reading what)
{
	/* no limit: large databases take their time */
	event_del(call->deadline);
	call->control->actions.read(call->control->actions.context, what, call);
}

static void start_stopping(struct control_call *call)
{
	json_t *json = reply_done("stopped");

	json_put(json, "pid", json_integer(getpid()));
	log_notice("stop asked for by %s", call->by);
	call->stops = true;
	send_json(call, json);
}

/* ---- explain: where a client is stands in database files, and verdicts must not wait until they are read ---- */

struct search {
	struct control_call *call;
	struct request request;
	const struct snapshot *snapshot; /* held */
	struct address address;
	struct geo_place place;
};

static void search_run(void *context)
{
	struct search *search = context;

	geo_find_place(search->snapshot->geo_request, &search->address, &search->place);
}

static void search_done(void *context)
{
	struct search *search = context;
	const struct control_actions *actions = &search->call->control->actions;
	struct control_facts facts = {0};
	struct err err;

	actions->describe(actions->context, &facts);

	json_t *json = reply_explain(&facts, &search->request, &search->place, &err);

	send_json(search->call, json ? json : reply_refused(err.text));
	snapshot_release(search->snapshot);
	request_done(&search->request);
	free(search);
}

/* Takes the request over; false if the client cannot be read, which the reply will say. */
static bool start_search(struct control_call *call, struct request *request)
{
	const struct control_actions *actions = &call->control->actions;
	struct control_facts facts = {0};
	struct prefix client;
	struct err err;

	if (!prefix_parse(request->text[ARGUMENT_CLIENT], &client, &err))
		return false;

	struct search *search = memory_new(sizeof(*search));

	actions->describe(actions->context, &facts);
	search->call = call;
	search->request = *request;
	search->snapshot = snapshot_hold(facts.plan->snapshot);
	search->address = client.address;
	*request = (struct request){0};
	/* it may have to wait for a reload */
	event_del(call->deadline);
	actions->work(actions->context, &(struct control_work){search_run, search_done, search});
	return true;
}

static void on_inquired(void *context, json_t *json)
{
	struct control_call *call = context;

	call->inquiry = NULL;
	send_json(call, json);
}

static void start_inquiry(struct control_call *call, const struct request *request)
{
	struct err err;

	/* as long as the slowest monitor's time limit */
	event_del(call->deadline);
	call->inquiry = inquire_start(&call->control->actions, request, on_inquired, call, &err);
	if (!call->inquiry)
		send_json(call, reply_refused(err.text));
}

static void obey(struct control_call *call, struct request *request)
{
	struct text body = {0};

	switch (request->command) {
	case COMMAND_EXPLAIN:
		if (start_search(call, request))
			return;
		break;
	case COMMAND_CHECK:
		start_reading(call, CONTROL_CHECK);
		return;
	case COMMAND_RELOAD:
		start_reading(call,
			request->number[ARGUMENT_FORCE] ? CONTROL_RELOAD_FORCE : CONTROL_RELOAD);
		return;
	case COMMAND_STOP:
		start_stopping(call);
		return;
	case COMMAND_PROBE:
		start_inquiry(call, request);
		return;
	case COMMAND_STATUS:
	case COMMAND_DRAIN:
	case COMMAND_UNDRAIN:
	case COMMAND_FORCE:
	case COMMAND_RELEASE:
	case COMMAND_RETURN:
	case COMMAND_PUSH:
	case COMMAND_METRICS:
	case COMMAND_COUNT:
		break;
	}
	control_reply(&call->control->actions, request, call->by, &body);
	send_reply(call, &body);
	text_done(&body);
}

static void on_readable(struct bufferevent *stream, void *context)
{
	struct control_call *call = context;
	struct evbuffer *input = bufferevent_get_input(stream);
	size_t size = evbuffer_get_length(input);
	const unsigned char *bytes = evbuffer_pullup(input, -1);
	size_t body_size = 0;
	struct request request;
	struct err err;
	enum frame_state state = frame_find(bytes, size, FRAME_REQUEST_MAX, &body_size);

	if (state == FRAME_PARTIAL)
		return;
	bufferevent_disable(stream, EV_READ);
	if (state == FRAME_TOO_LARGE) {
		send_json(call, reply_refused("the request is empty or larger than 64 KiB"));
		return;
	}
	if (!request_read(bytes + FRAME_HEADER, body_size, &request, &err)) {
		send_json(call, reply_refused(err.text));
		return;
	}
	obey(call, &request);
	request_done(&request);
}

/* ---- the socket ---- */

/* By the local list of users: a directory service that hangs must not hold steerd. */
static void print_user(uid_t uid, char *ret_name, size_t size)
{
	FILE *users = fopen("/etc/passwd", "re");

	snprintf(ret_name, size, "uid %u", (unsigned)uid);
	if (!users)
		return;
	for (const struct passwd *user; (user = fgetpwent(users));) {
		if (user->pw_uid != uid)
			continue;
		snprintf(ret_name, size, "%s", user->pw_name);
		break;
	}
	fclose(users);
}

/* Who logged in, if the kernel knows: behind sudo and su, "root" says little.  UINT32_MAX: it does not. */
static uid_t find_login(pid_t pid)
{
	char path[64];
	unsigned long uid = UINT32_MAX;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/loginuid", (int)pid);
	file = fopen(path, "re");
	if (!file)
		return UINT32_MAX;
	if (fscanf(file, "%lu", &uid) != 1)
		uid = UINT32_MAX;
	fclose(file);
	return (uid_t)uid;
}

static void print_peer(int fd, char *ret_by, size_t size)
{
	struct ucred peer = {.uid = UINT32_MAX};
	socklen_t peer_size = sizeof(peer);
	char user[32];
	char login[32];
	uid_t login_uid;

	(void)getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &peer_size);
	login_uid = find_login(peer.pid);
	print_user(peer.uid, user, sizeof(user));
	print_user(login_uid, login, sizeof(login));
	if (login_uid == UINT32_MAX || login_uid == peer.uid)
		snprintf(ret_by, size, "%s", user);
	else
		snprintf(ret_by, size, "%s as %s", login, user);
}

static void call_start(struct control *control, int fd)
{
	struct control_call *call = memory_new(sizeof(*call));

	call->control = control;
	call->stream = bufferevent_socket_new(control->base, fd, BEV_OPT_CLOSE_ON_FREE);
	call->deadline = evtimer_new(control->base, on_deadline, call);
	print_peer(fd, call->by, sizeof(call->by));
	TAILQ_INSERT_TAIL(&control->calls, call, entry);
	control->call_count++;
	bufferevent_setcb(call->stream, on_readable, NULL, on_closed, call);
	bufferevent_enable(call->stream, EV_READ | EV_WRITE);
	arm_deadline(call);
}

/* Without a free descriptor accept() would fail, and the loop would turn, for ever. */
static void refuse_one(struct control *control)
{
	close(control->reserve_fd);

	int fd = accept4(control->fd, NULL, NULL, SOCK_CLOEXEC);

	if (fd >= 0)
		close(fd);
	control->reserve_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static void on_connection(evutil_socket_t listener, short what, void *context)
{
	struct control *control = context;
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	(void)what;
	if (fd < 0 && (errno == EMFILE || errno == ENFILE))
		refuse_one(control);
	if (fd < 0)
		return;
	if (control->call_count >= CONNECTIONS_MAX) {
		close(fd);
		return;
	}
	call_start(control, fd);
}

static bool make_directory_of(const char *path, struct err *err)
{
	char *directory = memory_text(path);
	char *slash = strrchr(directory, '/');
	bool made = true;

	if (slash && slash != directory) {
		*slash = '\0';
		if (mkdir(directory, 0755) < 0 && errno != EEXIST)
			made = err_set(err,
				"cannot make the directory of the control socket '%s': %s; make "
				"it, or set "
				"'control' to another place",
				path, strerror(errno));
	}
	free(directory);
	return made;
}

/* A socket that nobody listens on is left from a process that was killed. */
static bool remove_stale(int fd, const struct sockaddr_un *address, struct err *err)
{
	struct stat status;

	if (lstat(address->sun_path, &status) < 0)
		return errno == ENOENT ||
			err_os(err, "cannot look at the control socket '%s'", address->sun_path);
	if (!S_ISSOCK(status.st_mode))
		return err_set(err, "'%s' is in the way of the control socket", address->sun_path);
	if (connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0)
		return err_set(err, "another steerd listens on the control socket '%s'",
			address->sun_path);
	if (errno != ECONNREFUSED)
		return err_os(
			err, "cannot tell who owns the control socket '%s'", address->sun_path);
	return unlink(address->sun_path) == 0 ||
		err_os(err, "cannot remove the stale control socket '%s'", address->sun_path);
}

static bool bind_socket(int fd, const struct sockaddr_un *address, struct err *err)
{
	mode_t mask = umask(0117); /* 0660 from the first moment */
	bool bound = bind(fd, (const struct sockaddr *)address, sizeof(*address)) == 0 &&
		listen(fd, CONNECTIONS_MAX) == 0;

	if (!bound)
		err_os(err, "cannot make the control socket '%s'", address->sun_path);
	umask(mask);
	return bound;
}

static int stream_socket(void)
{
	return socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

static int open_socket(const char *path, struct err *err)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	if (strlen(path) >= sizeof(address.sun_path)) {
		err_set(err, "the path of the control socket '%s' is longer than %zu octets", path,
			sizeof(address.sun_path) - 1);
		return -1;
	}
	memcpy(address.sun_path, path, strlen(path) + 1);

	int probe = stream_socket();
	int fd = stream_socket();
	bool done = fd >= 0 && probe >= 0;

	if (!done)
		err_os(err, "cannot make a socket");
	done = done && make_directory_of(path, err) && remove_stale(probe, &address, err) &&
		bind_socket(fd, &address, err);
	if (probe >= 0)
		close(probe);
	if (done)
		return fd;
	if (fd >= 0)
		close(fd);
	return -1;
}

struct control *control_start(struct event_base *base, const char *path,
	const struct control_actions *actions, struct err *err)
{
	int fd = open_socket(path, err);

	if (fd < 0)
		return NULL;

	struct control *control = memory_new(sizeof(*control));

	control->base = base;
	control->fd = fd;
	control->reserve_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	control->path = memory_text(path);
	control->actions = *actions;
	TAILQ_INIT(&control->calls);
	control->acceptor = event_new(base, fd, EV_READ | EV_PERSIST, on_connection, control);
	event_add(control->acceptor, NULL);
	return control;
}

void control_stop(struct control *control)
{
	if (!control)
		return;
	/* first the name, then the listener: who starts next finds either us or nothing */
	unlink(control->path);
	event_free(control->acceptor);
	close(control->fd);
	close(control->reserve_fd);
	while (!TAILQ_EMPTY(&control->calls))
		call_free(TAILQ_FIRST(&control->calls));
	free(control->path);
	free(control);
}

void control_finish(struct control_call *call, const struct control_outcome *outcome)
{
	send_json(call, reply_outcome(outcome));
}

void control_reply(const struct control_actions *actions, const struct request *request,
	const char *by, struct text *ret_json)
{
	struct control_facts facts = {0};
	struct err err;
	json_t *json = NULL;

	switch (request->command) {
	case COMMAND_STATUS:
		actions->describe(actions->context, &facts);
		json = reply_status(&facts, request, &err);
		break;
	case COMMAND_EXPLAIN:
		actions->describe(actions->context, &facts);
		json = reply_explain(&facts, request, NULL, &err);
		break;
	case COMMAND_DRAIN:
	case COMMAND_UNDRAIN:
	case COMMAND_FORCE:
	case COMMAND_RELEASE:
		json = reply_override(actions, request, by, &err);
		break;
	case COMMAND_RETURN:
		json = reply_return(actions, request, by, &err);
		break;
	case COMMAND_PUSH:
		json = reply_push(actions, request, by, &err);
		break;
	case COMMAND_METRICS:
		actions->describe(actions->context, &facts);
		json = reply_metrics(&facts);
		break;
	case COMMAND_CHECK:
	case COMMAND_RELOAD:
	case COMMAND_PROBE:
	case COMMAND_STOP:
	case COMMAND_COUNT:
		err_set(&err, "this is not answered at once");
		break;
	}
	if (!json)
		json = reply_refused(err.text);
	json_write(json, JSON_COMPACT, ret_json);
	json_decref(json);
}
