/* SPDX-License-Identifier: Apache-2.0 */
#include "steerd/control/command.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "steerd/base/memory.h"

/* A name in zone-file text may take four octets for each of its own. */
#define NAME_TEXT_MAX 1020
#define SUBJECT_TEXT_MAX 512

const struct argument argument_table[ARGUMENT_COUNT] = {
	[ARGUMENT_NONE] = {"", ARGUMENT_TEXT, false, 0, "", ""},
	[ARGUMENT_SUBJECT] = {"subject", ARGUMENT_TEXT, false, SUBJECT_TEXT_MAX, "SUBJECT",
		"MEMBER (of every pool that has it), POOL/MEMBER or site:NAME"},
	[ARGUMENT_NAME] = {"name", ARGUMENT_TEXT, false, NAME_TEXT_MAX, "NAME",
		"the domain name that the client asks for"},
	[ARGUMENT_TYPE] = {"type", ARGUMENT_TEXT, false, 16, "TYPE",
		"A (the default), AAAA, HTTPS or SVCB"},
	[ARGUMENT_STATE] = {"state", ARGUMENT_TEXT, false, 16, "up|down", "what it is to count as"},
	[ARGUMENT_HEALTH] = {"health", ARGUMENT_TEXT, false, 16, "up|degraded|down",
		"what its push monitor is to say"},
	[ARGUMENT_CLIENT] = {"client", ARGUMENT_TEXT, true, 64, "ADDRESS[/LENGTH]",
		"who asks: an address, or a subnet as resolvers send it"},
	[ARGUMENT_REASON] = {"reason", ARGUMENT_TEXT, true, 400, "TEXT",
		"shown in status until it is over; the next shift will thank you"},
	[ARGUMENT_FOR] = {"for", ARGUMENT_DURATION, true, 0, "TIME",
		"ends by itself after 30s, 15min, 2h or 7d; without it, when you say so"},
	[ARGUMENT_MONITOR] = {"monitor", ARGUMENT_TEXT, true, 64, "NAME",
		"only this one of its monitors"},
	[ARGUMENT_FORCE] = {"force", ARGUMENT_FLAG, true, 0, "",
		"also when it drops zones that are served now, or takes a serial back"},
};

const struct command command_table[COMMAND_COUNT] = {
	[COMMAND_STATUS] = {"status", "what is wrong, and the state of everything",
		"Shows what needs attention first, then the prober, overrides, zones and pools "
		"with\n"
		"each member's state, since when and why.  With SUBJECT (here also a pool), only "
		"that.\n",
		"steerctl status\n"
		"steerctl status downloads/fra-1\n"
		"steerctl status site:fra\n"
		"steerctl status --json | jq -r '.problems[]'\n",
		{{ARGUMENT_SUBJECT, false}}},
	[COMMAND_EXPLAIN] = {"explain", "why a client gets the answer that it gets",
		"Shows where steerd believes the client to be and which file says so, each "
		"candidate with\n"
		"the one reason for which it is kept or dropped, and the sets of addresses that "
		"are answered\n"
		"with their shares: what dig gets with +subnet=ADDRESS/LENGTH.\n",
		"steerctl explain dl.files.example --client 198.51.100.7\n"
		"steerctl explain dl.files.example AAAA --client 2001:db8:7::/56\n",
		{{ARGUMENT_NAME, true}, {ARGUMENT_TYPE, false}, {ARGUMENT_CLIENT, true}}},
	[COMMAND_CHECK] = {"check", "read the files again, change nothing, name every mistake",
		"steerd reads its configuration, zones and databases as `reload` would, and says "
		"what it\n"
		"found.  Nothing changes.  With -c FILE no steerd needs to run: the same is done "
		"here.\n"
		"The exit code is 1 if there is any mistake.\n",
		"steerctl check && steerctl reload\n"
		"steerctl -c /etc/steerd/steerd.yaml check\n",
		{{ARGUMENT_NONE, false}}},
	[COMMAND_RELOAD] = {"reload", "read the files again and serve them",
		"Configuration, zones and databases are built aside and then swapped in at once.  "
		"Health,\n"
		"overrides and open connections stay.  If there is any mistake, all of them are "
		"printed,\n"
		"nothing changes, and the exit code is 1.  A zones directory that lacks zones "
		"which are\n"
		"served now is a mistake, unless --force; so is a zone whose serial is older than "
		"the "
		"one\n"
		"that is served (RFC 1982).\n",
		"steerctl reload\n"
		"steerctl reload --force\n",
		{{ARGUMENT_FORCE, false}}},
	[COMMAND_DRAIN] = {"drain", "send no new clients to a member or a site",
		"Clients are steered elsewhere within milliseconds, resolvers follow as their TTL "
		"ends.  It is\n"
		"kept over restarts.  If no other member is left, answers go on as if all were up\n"
		"(when-all-down), and a warning says so.\n",
		"steerctl drain downloads/fra-1 --reason 'new disks' --for 2h\n"
		"steerctl drain site:fra --reason 'power work, ticket 4711'\n",
		{{ARGUMENT_SUBJECT, true}, {ARGUMENT_REASON, false}, {ARGUMENT_FOR, false}}},
	[COMMAND_UNDRAIN] = {"undrain", "end a drain",
		"Its checks rule again at once.  Name the subject as the drain did: a drained site "
		"is not\n"
		"ended by undraining one of its members.\n",
		"steerctl undrain downloads/fra-1\n"
		"steerctl undrain site:fra\n",
		{{ARGUMENT_SUBJECT, true}}},
	[COMMAND_FORCE] = {"force", "count a member or a site as up or down, whatever checks say",
		"Checks go on and are shown, but do not decide until `release`, or until the time "
		"given with\n"
		"--for is over.  It is kept over restarts.\n",
		"steerctl force up downloads/fra-1 --reason 'check is broken, backend is fine' "
		"--for 1h\n"
		"steerctl force down site:iad\n",
		{{ARGUMENT_STATE, true}, {ARGUMENT_SUBJECT, true}, {ARGUMENT_REASON, false},
			{ARGUMENT_FOR, false}}},
	[COMMAND_RELEASE] = {"release", "end a force (or a drain): checks rule again",
		"Name the subject as the override did; `steerctl status` lists them.\n",
		"steerctl release downloads/fra-1\n"
		"steerctl release site:iad\n",
		{{ARGUMENT_SUBJECT, true}}},
	[COMMAND_RETURN] = {"return", "let a recovered member back that waits for your word",
		"A member of a pool with `manual-return: yes` that went down stays out when its "
		"checks pass\n"
		"again, until this is said.  Its share then grows as `slow-start` says.\n",
		"steerctl return downloads/fra-1\n"
		"steerctl return site:fra\n",
		{{ARGUMENT_SUBJECT, true}}},
	[COMMAND_PROBE] = {"probe", "check a member now, and show everything that is seen",
		"Runs each of its checks once, beside their schedule, and prints each phase with "
		"its time,\n"
		"the certificates, the header fields and the verdict.  It changes no state.  The "
		"exit code\n"
		"is 1 if any of them fails.\n",
		"steerctl probe downloads/fra-1\n"
		"steerctl probe fra-1 --monitor big-file\n"
		"steerctl probe site:fra --json | jq '.checks[].verdict'\n",
		{{ARGUMENT_SUBJECT, true}, {ARGUMENT_MONITOR, false}}},
	[COMMAND_PUSH] = {"push", "say how a member is, for its push monitor",
		"What is said is what its push monitor finds at each check of each of its "
		"addresses, until\n"
		"the monitor's `max-age` is over: say it again before that.\n",
		"steerctl push downloads/fra-1 down --reason 'array rebuilds'\n"
		"steerctl push fra-1 up --monitor storage\n",
		{{ARGUMENT_SUBJECT, true}, {ARGUMENT_HEALTH, true}, {ARGUMENT_REASON, false},
			{ARGUMENT_MONITOR, false}}},
	[COMMAND_METRICS] = {"metrics", "numbers for a monitoring system",
		"Prints all that is counted and believed in the text format of Prometheus: "
		"queries, pools,\n"
		"members, checks, certificates, the prober.  A timer may put it where the textfile "
		"collector\n"
		"of the node exporter reads it.  With --json the text is in one string: what is "
		"there is in\n"
		"`status --json` too, as JSON.\n",
		"steerctl metrics\n"
		"steerctl metrics | grep ^steerd_certificate_end_seconds\n"
		"steerctl metrics >/var/lib/node_exporter/steerd.prom.new && \\\n"
		"    mv /var/lib/node_exporter/steerd.prom.new "
		"/var/lib/node_exporter/steerd.prom\n",
		{{ARGUMENT_NONE, false}}},
	[COMMAND_STOP] = {"stop", "end steerd",
		"State is saved first.  Returns when the process has ended.\n", "steerctl stop\n",
		{{ARGUMENT_NONE, false}}},
};

enum command_id command_find(const char *name)
{
	enum command_id id = 0;

	while (id < COMMAND_COUNT && strcmp(command_table[id].name, name) != 0)
		id++;
	return id;
}

void command_usage(enum command_id id, char ret_text[static COMMAND_USAGE_SIZE])
{
	const struct command *command = &command_table[id];
	size_t used = (size_t)snprintf(ret_text, COMMAND_USAGE_SIZE, "%s", command->name);

	for (size_t i = 0; i < COMMAND_ARGUMENTS_MAX; i++) {
		const struct argument *argument = &argument_table[command->arguments[i].id];
		bool is_required = command->arguments[i].is_required;

		if (argument == &argument_table[ARGUMENT_NONE])
			break;
		used += (size_t)snprintf(ret_text + used, COMMAND_USAGE_SIZE - used,
			" %s%s%s%s%s%s", is_required ? "" : "[", argument->is_option ? "--" : "",
			argument->is_option ? argument->key : "",
			argument->is_option && *argument->shown ? " " : "", argument->shown,
			is_required ? "" : "]");
		if (used >= COMMAND_USAGE_SIZE)
			break;
	}
}

bool command_check_word(enum argument_id id, const char *text, struct err *err)
{
	if (id == ARGUMENT_STATE)
		return strcmp(text, "up") == 0 || strcmp(text, "down") == 0 ||
			err_set(err, "'%s' is neither 'up' nor 'down'", text);
	if (id == ARGUMENT_HEALTH)
		return strcmp(text, "up") == 0 || strcmp(text, "degraded") == 0 ||
			strcmp(text, "down") == 0 ||
			err_set(err, "'%s' is neither 'up' nor 'degraded' nor 'down'", text);
	return true;
}

bool command_parse_duration(const char *text, uint64_t *ret_seconds, struct err *err)
{
	static const struct {
		const char *name;
		uint64_t seconds;
	} units[] = {{"", 1}, {"s", 1}, {"m", 60}, {"min", 60}, {"h", 3600}, {"d", 86400}};
	size_t digits = strspn(text, "0123456789");

	if (digits == 0 || digits > 9)
		return err_set(err, "'%s' is not a time: say 30s, 15min, 2h or 7d", text);

	uint64_t number = strtoull(text, NULL, 10);

	for (size_t i = 0; i < COUNT_OF(units); i++) {
		if (strcmp(text + digits, units[i].name) != 0)
			continue;
		if (number == 0)
			return err_set(err, "'%s' is over before it begins", text);
		if (number > COMMAND_DURATION_MAX_S / units[i].seconds)
			return err_set(
				err, "'%s' is longer than ten years: leave it out for ever", text);
		*ret_seconds = number * units[i].seconds;
		return true;
	}
	return err_set(err, "'%s' is not a time: say 30s, 15min, 2h or 7d", text);
}
