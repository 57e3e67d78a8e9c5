/* SPDX-License-Identifier: Apache-2.0 */
#include "steerd/outbound/reach.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "steerd/base/internal.h"

/* A socket that is connected, which for UDP sends nothing, has the address that it would send from: to reach itself a
 * machine sends from the very address that it sends to. */
static bool is_of_this_machine(const struct address_port *to)
{
	struct sockaddr_storage sockaddr;
	socklen_t size = address_to_sockaddr(to, &sockaddr);
	int fd = socket(sockaddr.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct address_port from;

	if (fd < 0)
		return false;

	bool is_known = connect(fd, (struct sockaddr *)&sockaddr, size) == 0;

	size = sizeof(sockaddr);
	is_known = is_known && getsockname(fd, (struct sockaddr *)&sockaddr, &size) == 0 &&
		address_from_sockaddr((struct sockaddr *)&sockaddr, &from);
	close(fd);
	return is_known && address_is_equal(&from.address, &to->address);
}

static bool is_own(const struct reach *reach, const struct address_port *to)
{
	for (size_t i = 0; i < reach->own_count; i++) {
		const struct address_port *own = &reach->own[i];

		if (own->port != to->port)
			continue;
		if (address_is_equal(&own->address, &to->address))
			return true;
		if (own->address.family == to->address.family && address_is_any(&own->address) &&
			is_of_this_machine(to))
			return true;
	}
	return false;
}

bool reach_is_internal(
	const struct reach *reach, const struct address_port *to, struct text *ret_what)
{
	struct address_port reached = {.port = to->port};
	const char *is = internal_what(&to->address, &reached.address);
	char text[ADDRESS_PORT_TEXT_SIZE];
	char reached_text[ADDRESS_TEXT_SIZE];

	address_print(&to->address, text);
	address_print(&reached.address, reached_text);
	if (is && !address_is_equal(&reached.address, &to->address))
		text_print(ret_what, "%s holds %s, which is %s", text, reached_text, is);
	else if (is)
		text_print(ret_what, "%s is %s", text, is);
	if (is)
		return true;
	if (!is_own(reach, &reached))
		return false;
	address_port_print(to, text);
	text_print(ret_what, "%s is a socket of steerd itself", text);
	return true;
}

bool reach_is_allowed(const struct reach *reach, const struct address_port *to,
	bool allows_internal, struct text *ret_why)
{
	struct text what = {0};

	if (allows_internal)
		return true;

	bool is_allowed = !reach_is_internal(reach, to, &what);

	if (!is_allowed)
		text_print(ret_why,
			"not checked: %s; 'allow-internal: yes' in the monitor allows it",
			what.bytes);
	text_done(&what);
	return is_allowed;
}
