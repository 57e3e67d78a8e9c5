/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include <string.h>
#include <strings.h>

#include "service.h"

#include "steerd/dns/dns.h"
#include "steerd/dns/type.h"

/* Types that only this room needs a name for. */
enum { TYPE_SIG = 24, TYPE_KEY = 25, TYPE_NXT = 30, TYPE_RRSIG = 46, TYPE_NSEC = 47 };

/* Octets of a set's records: header, a question for the longest name, OPT with its options fit beside it. */
#define SET_SIZE_MAX 65000
#define RECORD_FIXED_SIZE 12 /* pointer, type, class, TTL, RDLENGTH */

/* What messages are made of: each of them has a name, many a type and another line. */
struct words {
	struct draft_text name;
	struct draft_text other;
	struct draft_where where;
	char type[TYPE_TEXT_SIZE];
};

static struct report_place place_of(const struct draft *draft, const struct draft_record *record)
{
	return draft_place(draft, record->file, record->line);
}

static const char *type_words(uint16_t type, struct words *words)
{
	type_print(type, words->type);
	return words->type;
}

static bool is_wildcard(const struct draft_name *name)
{
	return name->wire[0] == 1 && name->wire[1] == '*';
}

/* ---- delegations ---- */

/*
 * What is at or below a delegation, or below a DNAME: of the two, the upper one hides the other.  Parents stand before
 * their children, so one walk is enough.
 */
static void find_cuts(struct draft *draft)
{
	for (struct draft_name *name = draft->apex; name; name = name->next) {
		struct draft_name *parent = name->parent;

		if (parent && parent->flags & (DRAFT_HAS_DNAME | DRAFT_IS_BELOW_DNAME)) {
			name->flags |= DRAFT_IS_BELOW_DNAME;
			continue;
		}
		if (parent)
			name->cut = parent->cut;
		if (parent && !name->cut && draft_first(name, DNS_TYPE_NS))
			name->cut = name;
		if (!name->cut && draft_first(name, DNS_TYPE_DNAME))
			name->flags |= DRAFT_HAS_DNAME;
	}
}

static void mark_servers(struct draft *draft)
{
	for (struct draft_name *name = draft->apex; name; name = name->next) {
		struct draft_record *record = draft_first(name, DNS_TYPE_NS);

		for (; record; record = draft_next(record)) {
			struct name_key key;
			struct draft_name *server;

			if (name_key_read(record->rdata, record->rdata_size, &key) == 0 ||
				!draft_holds(draft, &key))
				continue;
			server = draft_find(draft, &key, 0);
			if (server)
				server->flags |= DRAFT_IS_SERVER;
		}
	}
}

/* ---- sets ---- */

static bool is_same_data(const struct draft_record *a, const struct draft_record *b)
{
	const char *layout = type_layout(a->type);

	if (a->rdata_size != b->rdata_size)
		return false;
	/* where RDATA is a name alone, case is no difference (RFC 4343 3); length octets are below 'A' */
	if (strcmp(layout, "N") == 0) {
		for (size_t i = 0; i < a->rdata_size; i++) {
			uint8_t x = a->rdata[i];
			uint8_t y = b->rdata[i];

			if (x != y &&
				((x | 0x20) != (y | 0x20) || (x | 0x20) < 'a' || (x | 0x20) > 'z'))
				return false;
		}
		return true;
	}
	return memcmp(a->rdata, b->rdata, a->rdata_size) == 0;
}

static void drop_duplicates(
	struct draft *draft, struct draft_name *name, struct draft_record *first)
{
	for (struct draft_record *kept = first; kept; kept = draft_next(kept)) {
		struct draft_record *before = kept;

		for (struct draft_record *other; (other = draft_next(before));) {
			struct words words;

			if (!is_same_data(kept, other) && !service_is_same(name, kept, other)) {
				before = other;
				continue;
			}
			report_warning(draft->report, place_of(draft, other),
				"'%s' has the same %s at %s; this one is dropped",
				draft_print(draft, name->wire, &words.name),
				type_words(other->type, &words),
				draft_where(draft, kept, other->file, &words.where));
			before->next = other->next;
		}
	}
}

/* RFC 2181 5.2: one set, one TTL. */
static void level_ttls(
	struct draft *draft, const struct draft_name *name, struct draft_record *first)
{
	struct draft_record *lowest = first;
	struct draft_record *other = NULL;
	struct words words;

	/* RFC 4034 3: each signature has the TTL of what it signs */
	if (first->type == TYPE_RRSIG || first->type == TYPE_SIG)
		return;
	for (struct draft_record *record = draft_next(first); record; record = draft_next(record)) {
		if (record->ttl_s != first->ttl_s && !other)
			other = record;
		if (record->ttl_s < lowest->ttl_s)
			lowest = record;
	}
	if (!other)
		return;
	report_warning(draft->report, place_of(draft, other),
		"'%s' has %s records with TTL %u and, at %s, %u; the lowest, %u, serves (RFC 2181 "
		"5.2)",
		draft_print(draft, name->wire, &words.name), type_words(first->type, &words),
		other->ttl_s, draft_where(draft, first, other->file, &words.where), first->ttl_s,
		lowest->ttl_s);

	uint32_t ttl_s = lowest->ttl_s;

	for (struct draft_record *record = first; record; record = draft_next(record))
		record->ttl_s = ttl_s;
}

static bool fits_message(
	struct draft *draft, const struct draft_name *name, const struct draft_record *first)
{
	size_t size = 0;
	struct words words;

	for (const struct draft_record *record = first; record; record = draft_next(record))
		size += RECORD_FIXED_SIZE + record->rdata_size + service_growth(name, record);
	if (size <= SET_SIZE_MAX)
		return true;
	report_error(draft->report, place_of(draft, first),
		"the %s records of '%s' take %zu octets, more than a message holds",
		type_words(first->type, &words), draft_print(draft, name->wire, &words.name), size);
	return false;
}

static void check_sets(struct draft *draft, struct draft_name *name)
{
	struct draft_record *first = name->records;

	while (first) {
		struct draft_record *last = first;

		if (fits_message(draft, name, first) && draft_next(first)) {
			drop_duplicates(draft, name, first);
			level_ttls(draft, name, first);
		}
		while (draft_next(last))
			last = draft_next(last);
		first = last->next;
	}
}

/* ---- rules for one name ---- */

/* RFC 1034 3.6.2, but for the records of DNSSEC (RFC 4034 3 and 4, RFC 2181 10.1). */
static bool may_be_beside_cname(uint16_t type)
{
	return type == DNS_TYPE_CNAME || type == TYPE_RRSIG || type == TYPE_NSEC ||
		type == TYPE_SIG || type == TYPE_KEY || type == TYPE_NXT;
}

static void check_alone(
	struct draft *draft, const struct draft_name *name, uint16_t type, const char *rule)
{
	const struct draft_record *first = draft_first(name, type);
	const struct draft_record *second = first ? draft_next(first) : NULL;
	struct words words;

	if (second)
		report_error(draft->report, place_of(draft, second),
			"'%s' has a second %s; the first is at %s (%s)",
			draft_print(draft, name->wire, &words.name), type_words(type, &words),
			draft_where(draft, first, second->file, &words.where), rule);
}

static void check_cname(struct draft *draft, const struct draft_name *name)
{
	const struct draft_record *cname = draft_first(name, DNS_TYPE_CNAME);
	const struct draft_record *other = name->records;
	struct words words;

	if (!cname)
		return;
	check_alone(draft, name, DNS_TYPE_CNAME, "RFC 2181 10.1");
	while (other && may_be_beside_cname(other->type))
		other = other->next;
	if (other)
		report_error(draft->report, place_of(draft, cname),
			"'%s' has a CNAME, so it cannot also have the %s at %s (RFC 1034 3.6.2)",
			draft_print(draft, name->wire, &words.name),
			type_words(other->type, &words),
			draft_where(draft, other, cname->file, &words.where));
}

static void check_dname(struct draft *draft, const struct draft_name *name)
{
	const struct draft_record *dname = draft_first(name, DNS_TYPE_DNAME);
	struct words words;

	if (!dname)
		return;
	check_alone(draft, name, DNS_TYPE_DNAME, "RFC 6672 2.4");
	if (is_wildcard(name) && name->flags & DRAFT_HAS_DNAME)
		report_error(draft->report, place_of(draft, dname),
			"the wildcard '%s' cannot have a DNAME (RFC 6672 3.3)",
			draft_print(draft, name->wire, &words.name));
}

/* What is at or below a delegation and served all the same. */
static bool is_seen_at_cut(const struct draft_name *name, uint16_t type)
{
	bool is_address = type == DNS_TYPE_A || type == DNS_TYPE_AAAA;

	if (is_address && name->flags & DRAFT_IS_SERVER)
		return true; /* glue */
	return name->cut == name &&
		(type == DNS_TYPE_NS || type == DNS_TYPE_DS || type == TYPE_NSEC ||
			type == TYPE_RRSIG);
}

static void check_hidden(struct draft *draft, const struct draft_name *name)
{
	struct words words;

	for (const struct draft_record *record = name->records; record; record = record->next) {
		bool is_first =
			record == name->records || draft_first(name, record->type) == record;

		if (!is_first)
			continue;
		if (name->cut && !is_seen_at_cut(name, record->type))
			report_warning(draft->report, place_of(draft, record),
				"the %s at '%s' is never served: it is hidden by the delegation of "
				"'%s' at %s",
				type_words(record->type, &words),
				draft_print(draft, name->wire, &words.name),
				draft_print(draft, name->cut->wire, &words.other),
				draft_where(draft, draft_first(name->cut, DNS_TYPE_NS),
					record->file, &words.where));
		else if (name->flags & DRAFT_IS_BELOW_DNAME)
			report_warning(draft->report, place_of(draft, record),
				"the %s at '%s' is never served: it lies below a DNAME, where "
				"nothing may be (RFC 6672 2.4)",
				type_words(record->type, &words),
				draft_print(draft, name->wire, &words.name));
	}
}

static void check_soa(struct draft *draft, const struct draft_name *name)
{
	const struct draft_record *soa = draft_first(name, DNS_TYPE_SOA);
	struct words words;

	if (!soa)
		return;
	if (name != draft->apex)
		report_error(draft->report, place_of(draft, soa),
			"'%s' has a SOA, which only the apex '%s' may have (RFC 1035 5.2)",
			draft_print(draft, name->wire, &words.name), draft->apex_text);
	else
		check_alone(draft, name, DNS_TYPE_SOA, "RFC 1035 5.2");
}

static void check_wildcard(struct draft *draft, const struct draft_name *name)
{
	const struct draft_record *ns = draft_first(name, DNS_TYPE_NS);
	struct words words;

	if (ns && is_wildcard(name) && name->cut == name)
		report_error(draft->report, place_of(draft, ns),
			"the wildcard '%s' cannot be delegated (RFC 4592 4.2)",
			draft_print(draft, name->wire, &words.name));
}

/* ---- name servers ---- */

/* The wildcard that gives a name which does not exist its data (RFC 4592 3.3.1). */
static const struct draft_name *find_source(const struct draft *draft, const struct name_key *key)
{
	unsigned apex_label = (unsigned)(key->label_count - draft->apex_key.label_count);

	for (unsigned label = 1; label <= apex_label; label++) {
		const struct draft_name *encloser = draft_find(draft, key, label);
		uint8_t wildcard[DNS_NAME_MAX + 2] = {1, '*'};
		struct name_key source;

		if (!encloser)
			continue;
		memcpy(wildcard + 2, encloser->wire, encloser->size);
		if (name_key_read(wildcard, (size_t)encloser->size + 2, &source) == 0)
			return NULL;
		return draft_find(draft, &source, 0);
	}
	return NULL;
}

/* The deepest name of the draft that is, or encloses, the key. */
static const struct draft_name *find_encloser(const struct draft *draft, const struct name_key *key)
{
	const struct draft_name *name = NULL;

	for (unsigned label = 0; !name; label++)
		name = draft_find(draft, key, label);
	return name;
}

static void check_server(
	struct draft *draft, const struct draft_name *owner, const struct draft_record *ns)
{
	struct name_key key;
	struct words words;

	if (name_key_read(ns->rdata, ns->rdata_size, &key) == 0 || !draft_holds(draft, &key))
		return;

	const struct draft_name *encloser = find_encloser(draft, &key);
	const struct draft_name *cut = encloser->cut;
	const struct draft_name *server = draft_find(draft, &key, 0);
	bool is_redirected = encloser->flags & DRAFT_IS_BELOW_DNAME ||
		(!server && encloser->flags & DRAFT_HAS_DNAME);

	/* below another delegation its own servers know the address */
	if (cut && cut != owner)
		return;
	if (!server && !cut && !is_redirected)
		server = find_source(draft, &key);
	if (is_redirected || (server && draft_first(server, DNS_TYPE_CNAME))) {
		report_warning(draft->report, place_of(draft, ns),
			"the name server '%s' of '%s' is an alias (RFC 2181 10.3)",
			draft_print(draft, key.wire, &words.name),
			draft_print(draft, owner->wire, &words.other));
		return;
	}
	if (server &&
		(server->flags & DRAFT_IS_STEERED || draft_first(server, DNS_TYPE_A) ||
			draft_first(server, DNS_TYPE_AAAA)))
		return;
	report_warning(draft->report, place_of(draft, ns),
		"the name server '%s' of '%s' has no address here (RFC 1912 2.8)",
		draft_print(draft, key.wire, &words.name),
		draft_print(draft, owner->wire, &words.other));
}

static void check_servers(struct draft *draft, const struct draft_name *name)
{
	const struct draft_record *ns = draft_first(name, DNS_TYPE_NS);

	if ((name->cut && name->cut != name) || name->flags & DRAFT_IS_BELOW_DNAME)
		return; /* hidden */
	for (; ns; ns = draft_next(ns))
		check_server(draft, name, ns);
}

/* ---- the zone ---- */

static void check_steers(struct draft *draft)
{
	for (const struct draft_steer *steer = draft->steers; steer; steer = steer->next) {
		const struct draft_record *cname = draft_first(steer->name, DNS_TYPE_CNAME);
		struct report_place place = draft_place(draft, steer->file, steer->line);
		struct words words;

		draft_print(draft, steer->name->wire, &words.name);
		if (cname)
			report_error(draft->report, place,
				"'%s' has a CNAME at %s, so it cannot be steered (RFC 1034 3.6.2)",
				words.name.bytes,
				draft_where(draft, cname, steer->file, &words.where));
		if (steer->name->flags & DRAFT_IS_BELOW_DNAME)
			report_error(draft->report, place,
				"'%s' cannot be steered: it lies below a DNAME (RFC 6672 2.4)",
				words.name.bytes);
		if (steer->name->cut)
			report_error(draft->report, place,
				"'%s' cannot be steered: it belongs to the delegation of '%s' at "
				"%s",
				words.name.bytes,
				draft_print(draft, steer->name->cut->wire, &words.other),
				draft_where(draft, draft_first(steer->name->cut, DNS_TYPE_NS),
					steer->file, &words.where));
	}
}

static void check_apex(struct draft *draft)
{
	struct report_place place = draft_place(draft, 0, 0);

	/* what could not be read may have been just this */
	if (draft->unread_count > 0)
		return;
	if (!draft_first(draft->apex, DNS_TYPE_SOA))
		report_error(draft->report, place, "the zone has no SOA (RFC 1035 5.2)");
	if (!draft_first(draft->apex, DNS_TYPE_NS))
		report_error(
			draft->report, place, "the zone has no NS at its apex (RFC 1034 4.2.1)");
}

/* Two serials that are half the circle apart are neither older nor newer: then the file decides. */
static bool is_older(uint32_t serial, uint32_t than)
{
	uint32_t behind = than - serial;

	return behind != 0 && behind < UINT32_C(1) << 31;
}

void check_serial(const struct draft *draft, uint32_t serving)
{
	const struct draft_record *soa = draft_first(draft->apex, DNS_TYPE_SOA);

	if (!soa)
		return;

	uint32_t serial = draft_read_soa(soa).serial;

	if (is_older(serial, serving))
		report_error(draft->report, place_of(draft, soa),
			"the serial %u is older than %u, which is served (RFC 1982 3.2); with "
			"--force "
			"it replaces it",
			serial, serving);
}

void check_draft(struct draft *draft)
{
	check_apex(draft);
	find_cuts(draft);
	mark_servers(draft);
	for (struct draft_name *name = draft->apex; name; name = name->next) {
		if (!name->records)
			continue;
		service_check(draft, name);
		check_sets(draft, name);
		check_soa(draft, name);
		check_cname(draft, name);
		check_dname(draft, name);
		check_wildcard(draft, name);
		if (name->cut || name->flags & DRAFT_IS_BELOW_DNAME)
			check_hidden(draft, name);
		if (draft->unread_count == 0)
			check_servers(draft, name);
	}
	check_steers(draft);
}
