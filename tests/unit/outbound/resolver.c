/* SPDX-License-Identifier: Apache-2.0 */
#include "resolver.h"

#include <arpa/inet.h>
#include <event2/event.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "steerd/base/address.h"
#include "steerd/base/bytes.h"

#define TYPE_A 1
#define TYPE_AAAA 28

static void write_record(struct text *out, uint16_t type, const char *address_text)
{
	struct address address;

	assert_true(address_parse(address_text, &address));
	bytes_write_u16(out, 0xc00c); /* the name of the question */
	bytes_write_u16(out, type);
	bytes_write_u16(out, 1);
	bytes_write_u32(out, 3600);
	bytes_write_u16(out, (uint16_t)address_size(&address));
	text_add_bytes(out, address.bytes, address_size(&address));
}

/* That of the lookup which asks from that port; each begins with the question for IPv4. */
static const struct resolver_script *script_of(
	struct resolver *resolver, uint16_t port, uint16_t type)
{
	if (type == TYPE_A) {
		size_t next = resolver->lookup_count++ % RESOLVER_LOOKUPS;

		resolver->lookups[next] = (struct resolver_lookup){port, resolver->script};
		return resolver->script;
	}
	for (size_t i = 1; i <= RESOLVER_LOOKUPS && i <= resolver->lookup_count; i++) {
		const struct resolver_lookup *lookup =
			&resolver->lookups[(resolver->lookup_count - i) % RESOLVER_LOOKUPS];

		if (lookup->port == port)
			return lookup->script;
	}
	return resolver->script;
}

/* The question of a query without EDNS is all that follows its header. */
static void write_answer(struct resolver *resolver, uint16_t port, const uint8_t *query,
	size_t size, struct text *out)
{
	uint16_t type = (uint16_t)(query[size - 4] << 8 | query[size - 3]);
	const struct resolver_script *script = script_of(resolver, port, type);
	uint8_t rcode = type == TYPE_A ? script->rcode_ipv4 : script->rcode_ipv6;
	const char *const *addresses = type == TYPE_A ? script->ipv4 : script->ipv6;
	uint16_t count = 0;

	while (rcode == 0 && count < 4 && addresses[count])
		count++;
	text_add_bytes(out, query, 2);
	bytes_write_u16(out, (uint16_t)(0x8180 | rcode));
	bytes_write_u16(out, 1);
	bytes_write_u16(out, count);
	bytes_write_u32(out, 0);
	text_add_bytes(out, query + 12, size - 12);
	for (uint16_t i = 0; i < count; i++)
		write_record(out, type, addresses[i]);
	resolver->asked += script == resolver->script;
	resolver->asked_ipv6 += script == resolver->script && type == TYPE_AAAA;
}

static void on_query(evutil_socket_t fd, short what, void *context)
{
	struct resolver *resolver = context;
	struct sockaddr_in from;
	socklen_t from_size = sizeof(from);
	uint8_t query[512];
	ssize_t size = recvfrom(fd, query, sizeof(query), 0, (struct sockaddr *)&from, &from_size);
	struct text out = {0};

	(void)what;
	assert_true(size > 16);
	write_answer(resolver, from.sin_port, query, (size_t)size, &out);
	assert_int_equal(
		sendto(fd, out.bytes, out.size, 0, (struct sockaddr *)&from, from_size), out.size);
	text_done(&out);
}

void resolver_open(struct resolver *resolver, const struct resolver_script *script)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(address);

	*resolver = (struct resolver){0};
	resolver->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(resolver->fd, (struct sockaddr *)&address, size), 0);
	assert_int_equal(getsockname(resolver->fd, (struct sockaddr *)&address, &size), 0);
	snprintf(resolver->address, sizeof(resolver->address), "127.0.0.1:%u",
		ntohs(address.sin_port));
	resolver_say(resolver, script);
}

void resolver_serve(struct resolver *resolver, struct event_base *base)
{
	resolver->readable =
		event_new(base, resolver->fd, EV_READ | EV_PERSIST, on_query, resolver);
	event_add(resolver->readable, NULL);
}

void resolver_say(struct resolver *resolver, const struct resolver_script *script)
{
	resolver->script = script;
	resolver->asked = 0;
	resolver->asked_ipv6 = 0;
}

void resolver_close(struct resolver *resolver)
{
	event_free(resolver->readable);
	close(resolver->fd);
}
