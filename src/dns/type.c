/* SPDX-License-Identifier: Apache-2.0 */
#include "steerd/dns/type.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "steerd/base/memory.h"

/* IANA "Resource Record (RR) TYPEs", in order of number: type_find() halves it. */
static const struct type_row {
	uint16_t type;
	const char *name;
	const char *layout; /* NULL: no names, or names that must not be compressed */
} rows[] = {
	{1, "A", NULL},
	{2, "NS", "N"},
	{3, "MD", "N"},
	{4, "MF", "N"},
	{5, "CNAME", "N"},
	{6, "SOA", "NNlllll"},
	{7, "MB", "N"},
	{8, "MG", "N"},
	{9, "MR", "N"},
	{10, "NULL", NULL},
	{11, "WKS", NULL},
	{12, "PTR", "N"},
	{13, "HINFO", NULL},
	{14, "MINFO", "NN"},
	{15, "MX", "sN"},
	{16, "TXT", NULL},
	{17, "RP", NULL},
	{18, "AFSDB", NULL},
	{19, "X25", NULL},
	{20, "ISDN", NULL},
	{21, "RT", NULL},
	{22, "NSAP", NULL},
	{23, "NSAP-PTR", NULL},
	{24, "SIG", NULL},
	{25, "KEY", NULL},
	{26, "PX", NULL},
	{27, "GPOS", NULL},
	{28, "AAAA", NULL},
	{29, "LOC", NULL},
	{30, "NXT", NULL},
	{31, "EID", NULL},
	{32, "NIMLOC", NULL},
	{33, "SRV", NULL},
	{34, "ATMA", NULL},
	{35, "NAPTR", NULL},
	{36, "KX", NULL},
	{37, "CERT", NULL},
	{38, "A6", NULL},
	{39, "DNAME", NULL},
	{40, "SINK", NULL},
	{41, "OPT", NULL},
	{42, "APL", NULL},
	{43, "DS", NULL},
	{44, "SSHFP", NULL},
	{45, "IPSECKEY", NULL},
	{46, "RRSIG", NULL},
	{47, "NSEC", NULL},
	{48, "DNSKEY", NULL},
	{49, "DHCID", NULL},
	{50, "NSEC3", NULL},
	{51, "NSEC3PARAM", NULL},
	{52, "TLSA", NULL},
	{53, "SMIMEA", NULL},
	{55, "HIP", NULL},
	{56, "NINFO", NULL},
	{57, "RKEY", NULL},
	{58, "TALINK", NULL},
	{59, "CDS", NULL},
	{60, "CDNSKEY", NULL},
	{61, "OPENPGPKEY", NULL},
	{62, "CSYNC", NULL},
	{63, "ZONEMD", NULL},
	{64, "SVCB", NULL},
	{65, "HTTPS", NULL},
	{66, "DSYNC", NULL},
	{67, "HHIT", NULL},
	{68, "BRID", NULL},
	{99, "SPF", NULL},
	{100, "UINFO", NULL},
	{101, "UID", NULL},
	{102, "GID", NULL},
	{103, "UNSPEC", NULL},
	{104, "NID", NULL},
	{105, "L32", NULL},
	{106, "L64", NULL},
	{107, "LP", NULL},
	{108, "EUI48", NULL},
	{109, "EUI64", NULL},
	{128, "NXNAME", NULL},
	{249, "TKEY", NULL},
	{250, "TSIG", NULL},
	{251, "IXFR", NULL},
	{252, "AXFR", NULL},
	{253, "MAILB", NULL},
	{254, "MAILA", NULL},
	{255, "ANY", NULL},
	{256, "URI", NULL},
	{257, "CAA", NULL},
	{258, "AVC", NULL},
	{259, "DOA", NULL},
	{260, "AMTRELAY", NULL},
	{261, "RESINFO", NULL},
	{262, "WALLET", NULL},
	{263, "CLA", NULL},
	{264, "IPN", NULL},
	{32768, "TA", NULL},
	{32769, "DLV", NULL},
};

static const struct type_row *type_find(uint16_t type)
{
	size_t low = 0;
	size_t high = COUNT_OF(rows);

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (rows[middle].type == type)
			return &rows[middle];
		if (rows[middle].type < type)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

/* "TYPE" and a decimal number (RFC 3597 5). */
static bool unknown_parse(const char *text, uint16_t *ret_type)
{
	uint32_t number = 0;

	if (strncasecmp(text, "TYPE", 4) != 0 || text[4] == '\0')
		return false;
	for (const char *digit = text + 4; *digit != '\0'; digit++) {
		if (*digit < '0' || *digit > '9')
			return false;
		number = number * 10 + (uint32_t)(*digit - '0');
		if (number > UINT16_MAX)
			return false;
	}
	*ret_type = (uint16_t)number;
	return true;
}

bool type_parse(const char *text, uint16_t *ret_type)
{
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		if (strcasecmp(text, rows[i].name) == 0) {
			*ret_type = rows[i].type;
			return true;
		}
	return unknown_parse(text, ret_type);
}

void type_print(uint16_t type, char ret_text[static TYPE_TEXT_SIZE])
{
	const struct type_row *row = type_find(type);

	if (row)
		snprintf(ret_text, TYPE_TEXT_SIZE, "%s", row->name);
	else
		snprintf(ret_text, TYPE_TEXT_SIZE, "TYPE%u", type);
}

const char *type_layout(uint16_t type)
{
	const struct type_row *row = type_find(type);

	return row && row->layout ? row->layout : "";
}
