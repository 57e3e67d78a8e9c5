/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../tool/hex.h"
#include "steerd/base/memory.h"
#include "steerd/base/random.h"
#include "steerd/base/text.h"
#include "steerd/dns/query.h"
#include "steerd/dns/type.h"
#include "steerd/dns/wire.h"

/* Headers: id 1234, flags, then the four counts. */
#define RD "1234 0100"
#define ONE "0001 0000 0000 0000"      /* a question */
#define WITH_OPT "0001 0000 0000 0001" /* and one additional record */
#define QUESTION "02'dl' 07'example' 00 0001 0001"
#define PLAIN RD ONE QUESTION
#define EDNS RD WITH_OPT QUESTION
#define OPT(size, ttl, rdata_size) "00 0029" size ttl rdata_size
/* An OPT whose one option is a client subnet of so many octets. */
#define ECS(rdata_size, option_size) EDNS OPT("04d0", "00000000", rdata_size) "0008" option_size
/* The same with a cookie, and what is read of it. */
#define COOKIE(rdata_size, option_size) EDNS OPT("04d0", "00000000", rdata_size) "000a" option_size
#define EIGHT "0102030405060708"
#define GOT "edns 1232 cookie "
#define BAD_OPTION "FORMERR 1234 0100 dl.example. A 1 edns 1232"
/* Options and records of which there may be only so many. */
#define EIGHT_OPTIONS                                                                              \
	"fde9 0000 fde9 0000 fde9 0000 fde9 0000 fde9 0000 fde9 0000 fde9 0000 fde9 0000 "
#define THIRTY_TWO_OPTIONS EIGHT_OPTIONS EIGHT_OPTIONS EIGHT_OPTIONS EIGHT_OPTIONS
#define EMPTY_RECORD "00 fde8 0001 00000000 0000 "
#define FIVE_RECORDS EMPTY_RECORD EMPTY_RECORD EMPTY_RECORD EMPTY_RECORD EMPTY_RECORD
#define FIFTEEN_RECORDS FIVE_RECORDS FIVE_RECORDS FIVE_RECORDS
#define TSIG "03'key' 00 00fa 00ff 00000000 0004 01020304"

static const struct {
	const char *about;
	const char *message;
	const char *want; /* as summary() says it */
} cases[] = {
	/* RFC 1035 4.1.1, 4.1.2 */
	{"plain", PLAIN, "OK 1234 0100 dl.example. A 1"},
	{"upper case is folded", RD ONE "02'dL' 07'EXAMPLE' 00 001c 0001",
		"OK 1234 0100 dl.example. AAAA 1"},
	{"the root", RD ONE "00 0002 0001", "OK 1234 0100 . NS 1"},
	{"every flag a query may have", "1234 07ff" ONE QUESTION, "OK 1234 07ff dl.example. A 1"},
	{"any class is read", RD ONE "00 0010 0003", "OK 1234 0100 . TXT 3"},

	{"nothing at all", "", "SILENCE"},
	{"one octet short of a header", "1234 0100 0001 0000 0000 00", "SILENCE"},
	{"a response", "1234 8180" ONE QUESTION, "SILENCE"},
	{"a malformed response", "1234 8180" ONE, "SILENCE"},
	{"a response with another opcode", "1234 a000" ONE QUESTION, "SILENCE"},

	/* RFC 9619 4 */
	{"a header alone", "1234 0100 0000 0000 0000 0000", "FORMERR 1234 0100"},
	{"no question (RFC 9619 4)",
		"1234 0100 0000 0000 0000 0001" OPT("04d0", "00000000", "0000"),
		"FORMERR 1234 0100 edns 1232"},
	{"two questions", RD "0002 0000 0000 0000" QUESTION QUESTION, "FORMERR 1234 0100"},
	{"65535 questions", RD "ffff 0000 0000 0000" QUESTION, "FORMERR 1234 0100"},
	/* RFC 9267 2 to 6: pointers, lengths and counts are not believed */
	{"a question announced, none there", RD ONE, "FORMERR 1234 0100"},
	{"the name ends with the message", RD ONE "02'dl'", "FORMERR 1234 0100"},
	{"a label runs out of the message", RD ONE "02'd'", "FORMERR 1234 0100"},
	{"no type", RD ONE "02'dl' 00", "FORMERR 1234 0100"},
	{"half a class", RD ONE "02'dl' 00 0001 00", "FORMERR 1234 0100"},
	{"a pointer in the question's name", RD ONE "02'dl' c00c 0001 0001", "FORMERR 1234 0100"},
	{"a pointer to itself", RD ONE "c00c 0001 0001", "FORMERR 1234 0100"},
	{"a label of type 01", RD ONE "41'dl' 00 0001 0001", "FORMERR 1234 0100"},
	{"a label of type 10", RD ONE "82'dl' 00 0001 0001", "FORMERR 1234 0100"},
	{"an octet too many", PLAIN "00", "FORMERR 1234 0100 dl.example. A 1"},
	{"a record that no count announces", PLAIN OPT("04d0", "00000000", "0000"),
		"FORMERR 1234 0100 dl.example. A 1"},
	{"a record in the answer section", RD "0001 0001 0000 0000" QUESTION TSIG,
		"FORMERR 1234 0100 dl.example. A 1"},
	{"a record in the authority section", RD "0001 0000 0001 0000" QUESTION TSIG,
		"FORMERR 1234 0100 dl.example. A 1"},

	/* RFC 1995 3 */
	{"IXFR has its SOA in the authority section",
		RD "0001 0000 0001 0000 00 00fb 0001 c00c 0006 0001 00000000 0016"
		   "00 00 00000001 00000000 00000000 00000000 00000000",
		"OK 1234 0100 . IXFR 1"},
	{"IXFR with two", RD "0001 0000 0002 0000 00 00fb 0001" TSIG TSIG,
		"FORMERR 1234 0100 . IXFR 1"},
	{"IXFR with one in the answer section", RD "0001 0001 0000 0000 00 00fb 0001" TSIG,
		"FORMERR 1234 0100 . IXFR 1"},
	{"an OPT in the authority section",
		RD "0001 0000 0001 0000 00 00fb 0001" OPT("04d0", "00000000", "0000"),
		"FORMERR 1234 0100 . IXFR 1"},

	/* RFC 6891 6.1.2 to 6.2.3 */
	{"EDNS", EDNS OPT("04d0", "00000000", "0000"), "OK 1234 0100 dl.example. A 1 edns 1232"},
	/* RFC 3225 3 */
	{"DO", EDNS OPT("1000", "00008000", "0000"), "OK 1234 0100 dl.example. A 1 edns 4096 do"},
	{"flags that nobody defined", EDNS OPT("0200", "00007fff", "0000"),
		"OK 1234 0100 dl.example. A 1 edns 512"},
	{"an extended rcode in a query means nothing", EDNS OPT("0200", "ff000000", "0000"),
		"OK 1234 0100 dl.example. A 1 edns 512"},
	{"less than 512 counts as 512", EDNS OPT("01ff", "00000000", "0000"),
		"OK 1234 0100 dl.example. A 1 edns 512"},
	{"nothing counts as 512", EDNS OPT("0000", "00000000", "0000"),
		"OK 1234 0100 dl.example. A 1 edns 512"},
	{"65535", EDNS OPT("ffff", "00000000", "0000"), "OK 1234 0100 dl.example. A 1 edns 65535"},
	{"an option that nobody knows", EDNS OPT("04d0", "00000000", "0007") "fde9 0003 010203",
		"OK 1234 0100 dl.example. A 1 edns 1232"},
	{"options without content", EDNS OPT("04d0", "00000000", "0008") "000d 0000 000c 0000",
		"OK 1234 0100 dl.example. A 1 edns 1232"},
	/* RFC 5001 2.1 */
	{"NSID", EDNS OPT("04d0", "00000000", "0004") "0003 0000",
		"OK 1234 0100 dl.example. A 1 edns 1232 nsid"},
	{"NSID between other options",
		EDNS OPT("04d0", "00000000", "000c") "000c 0000 0003 0000 000d 0000",
		"OK 1234 0100 dl.example. A 1 edns 1232 nsid"},
	{"NSID with content", EDNS OPT("04d0", "00000000", "0006") "0003 0002 0102",
		"OK 1234 0100 dl.example. A 1 edns 1232 nsid"},
	{"NSID twice", EDNS OPT("04d0", "00000000", "0008") "0003 0000 0003 0000",
		"OK 1234 0100 dl.example. A 1 edns 1232 nsid"},
	{"NSID in the content of another option",
		EDNS OPT("04d0", "00000000", "0008") "000c 0004 0003 0000",
		"OK 1234 0100 dl.example. A 1 edns 1232"},
	{"NSID longer than the OPT", EDNS OPT("04d0", "00000000", "0004") "0003 0001",
		"FORMERR 1234 0100 dl.example. A 1 edns 1232"},
	{"half an NSID", EDNS OPT("04d0", "00000000", "0003") "0003 00",
		"FORMERR 1234 0100 dl.example. A 1 edns 1232"},
	{"the NSID of EDNS 1 may have another form",
		EDNS OPT("04d0", "00010000", "0004") "0003 0000",
		"BADVERS 1234 0100 dl.example. A 1 edns 1232 version 1"},

	{"a client cookie", COOKIE("000c", "0008") EIGHT,
		"OK 1234 0100 dl.example. A 1 " GOT EIGHT},
	{"with a server cookie of 8 octets", COOKIE("0014", "0010") EIGHT EIGHT,
		"OK 1234 0100 dl.example. A 1 " GOT EIGHT EIGHT},
	{"of 9", COOKIE("0015", "0011") EIGHT EIGHT "09",
		"OK 1234 0100 dl.example. A 1 " GOT EIGHT EIGHT "09"},
	{"of 16", COOKIE("001c", "0018") EIGHT EIGHT EIGHT,
		"OK 1234 0100 dl.example. A 1 " GOT EIGHT EIGHT EIGHT},
	{"of 32", COOKIE("002c", "0028") EIGHT EIGHT EIGHT EIGHT EIGHT,
		"OK 1234 0100 dl.example. A 1 " GOT EIGHT EIGHT EIGHT EIGHT EIGHT},
	{"32 options", EDNS OPT("04d0", "00000000", "0080") THIRTY_TWO_OPTIONS,
		"OK 1234 0100 dl.example. A 1 edns 1232"},
	{"33 options: nobody needs them",
		EDNS OPT("04d0", "00000000", "0084") THIRTY_TWO_OPTIONS "fde9 0000", BAD_OPTION},
	{"16 records",
		RD "0001 0000 0000 0010" QUESTION OPT("04d0", "00000000", "0000") FIFTEEN_RECORDS,
		"OK 1234 0100 dl.example. A 1 edns 1232"},
	{"17 records: nobody needs them",
		RD "0001 0000 0000 0011" QUESTION OPT("04d0", "00000000", "0000")
			FIFTEEN_RECORDS EMPTY_RECORD,
		BAD_OPTION},
	{"RFC 7873 5.2.2: a cookie of no octet", COOKIE("0004", "0000"), BAD_OPTION},
	{"RFC 7873 5.2.2: of 7", COOKIE("000b", "0007") "01020304050607", BAD_OPTION},
	{"RFC 7873 5.2.2: of 9", COOKIE("000d", "0009") EIGHT "09", BAD_OPTION},
	{"RFC 7873 5.2.2: of 15", COOKIE("0013", "000f") EIGHT "01020304050607", BAD_OPTION},
	{"RFC 7873 5.2.2: of 41", COOKIE("002d", "0029") EIGHT EIGHT EIGHT EIGHT EIGHT "09",
		BAD_OPTION},
	{"a cookie longer than the OPT", COOKIE("000b", "0008") "01020304050607", BAD_OPTION},
	{"RFC 7873 5.2: of several cookies the first",
		COOKIE("0018", "0008") EIGHT "000a 0008 ffffffffffffffff",
		"OK 1234 0100 dl.example. A 1 " GOT EIGHT},
	{"RFC 7873 5.2: even if the second is malformed",
		COOKIE("0011", "0008") EIGHT "000a 0001 ff",
		"OK 1234 0100 dl.example. A 1 " GOT EIGHT},
	{"RFC 7873 5.4: a cookie and no question",
		RD "0000 0000 0000 0001" OPT("04d0", "00000000", "000c") "000a 0008" EIGHT,
		"COOKIE 1234 0100 " GOT EIGHT},
	{"RFC 7873 5.4: but an answer",
		RD "0000 0001 0000 0001" TSIG OPT("04d0", "00000000", "000c") "000a 0008" EIGHT,
		"FORMERR 1234 0100"},
	{"RFC 7873 5.4: a malformed cookie and no question",
		RD "0000 0000 0000 0001" OPT("04d0", "00000000", "000b") "000a 0007 01020304050607",
		"FORMERR 1234 0100 edns 1232"},
	{"RFC 7873 5.4: an octet behind it",
		RD "0000 0000 0000 0001" OPT("04d0", "00000000", "000c") "000a 0008" EIGHT "00",
		"FORMERR 1234 0100 " GOT EIGHT},
	{"no question in EDNS 1", RD "0000 0000 0000 0001" OPT("04d0", "00010000", "0000"),
		"BADVERS 1234 0100 edns 1232 version 1"},
	{"a cookie of another opcode",
		"1234 1000 0000 0000 0000 0001" OPT("04d0", "00000000", "000c") "000a 0008" EIGHT,
		"NOTIMP 1234 1000 " GOT EIGHT},

	{"keepalive", EDNS OPT("04d0", "00000000", "0004") "000b 0000",
		"OK 1234 0100 dl.example. A 1 edns 1232 keepalive"},
	{"RFC 7828 3.2.1: keepalive with a time",
		EDNS OPT("04d0", "00000000", "0006") "000b 0002 0064",
		"OK 1234 0100 dl.example. A 1 edns 1232 badkeepalive"},
	{"keepalive with and without",
		EDNS OPT("04d0", "00000000", "000a") "000b 0002 0064 000b 0000",
		"OK 1234 0100 dl.example. A 1 edns 1232 keepalive badkeepalive"},
	{"zone version", EDNS OPT("04d0", "00000000", "0004") "0013 0000",
		"OK 1234 0100 dl.example. A 1 edns 1232 zoneversion"},
	{"zone version twice", EDNS OPT("04d0", "00000000", "0008") "0013 0000 0013 0000",
		"OK 1234 0100 dl.example. A 1 edns 1232 zoneversion"},
	{"RFC 9660 2.1: zone version with content",
		EDNS OPT("04d0", "00000000", "000a") "0013 0006 02 00 00000001",
		"FORMERR 1234 0100 dl.example. A 1 edns 1232 zoneversion"},
	{"everything at once",
		EDNS OPT("04d0", "00000000",
			"0023") "0013 0000 000a 0008" EIGHT
				"000b 0000 0003 0000 0008 0007 0001 18 00 cb0071",
		"OK 1234 0100 dl.example. A 1 edns 1232 nsid keepalive zoneversion cookie " EIGHT
		" ecs 1/24 203.0.113.0"},

	/* RFC 8945 5.3: nobody here knows a key */
	{"a TSIG behind the OPT",
		RD "0001 0000 0000 0002" QUESTION OPT("04d0", "00000000", "0000") TSIG,
		"OK 1234 0100 dl.example. A 1 edns 1232"},
	{"an OPT behind a TSIG",
		RD "0001 0000 0000 0002" QUESTION TSIG OPT("04d0", "00000000", "0000"),
		"OK 1234 0100 dl.example. A 1 edns 1232"},
	{"a TSIG alone", EDNS TSIG, "OK 1234 0100 dl.example. A 1"},
	{"an owner that is a pointer", EDNS "c00c 00fa 00ff 00000000 0000",
		"OK 1234 0100 dl.example. A 1"},
	{"an owner that ends in a pointer", EDNS "01'k' c00c 00fa 00ff 00000000 0000",
		"OK 1234 0100 dl.example. A 1"},

	{"a record announced, none there", EDNS, "FORMERR 1234 0100 dl.example. A 1"},
	{"65535 records announced, one there",
		RD "0001 0000 0000 ffff" QUESTION OPT("04d0", "00000000", "0000"),
		"FORMERR 1234 0100 dl.example. A 1 edns 1232"},
	{"half an OPT", EDNS "00 0029 04d0 0000", "FORMERR 1234 0100 dl.example. A 1"},
	{"an OPT without RDLENGTH", EDNS "00 0029 04d0 00000000",
		"FORMERR 1234 0100 dl.example. A 1"},
	{"RDATA runs out of the message", EDNS OPT("04d0", "00000000", "0001"),
		"FORMERR 1234 0100 dl.example. A 1"},
	/* RFC 6891 6.1.1 */
	{"two OPT",
		RD "0001 0000 0000 0002" QUESTION OPT("04d0", "00000000", "0000")
			OPT("04d0", "00000000", "0000"),
		"FORMERR 1234 0100 dl.example. A 1 edns 1232"},
	{"an OPT below the root", EDNS "01'x' 00 0029 04d0 00000000 0000",
		"FORMERR 1234 0100 dl.example. A 1"},
	{"an OPT at a pointer", EDNS "c014 0029 04d0 00000000 0000",
		"FORMERR 1234 0100 dl.example. A 1"},
	{"half an option's header", EDNS OPT("04d0", "00000000", "0003") "fde9 00",
		"FORMERR 1234 0100 dl.example. A 1 edns 1232"},
	{"an option longer than the OPT", EDNS OPT("04d0", "00000000", "0005") "fde9 0002 01",
		"FORMERR 1234 0100 dl.example. A 1 edns 1232"},
	{"an option of 65535 octets", EDNS OPT("04d0", "00000000", "0004") "fde9 ffff",
		"FORMERR 1234 0100 dl.example. A 1 edns 1232"},
	{"an octet behind the OPT", EDNS OPT("04d0", "00000000", "0000") "00",
		"FORMERR 1234 0100 dl.example. A 1 edns 1232"},
	{"an owner of label type 10", EDNS "80 00fa 00ff 00000000 0000",
		"FORMERR 1234 0100 dl.example. A 1"},
	{"an owner that runs out of the message", EDNS "3f'key'",
		"FORMERR 1234 0100 dl.example. A 1"},
	{"half a pointer", EDNS "c0", "FORMERR 1234 0100 dl.example. A 1"},

	/* RFC 6891 6.1.3 */
	{"EDNS 1", EDNS OPT("04d0", "00010000", "0000"),
		"BADVERS 1234 0100 dl.example. A 1 edns 1232 version 1"},
	{"EDNS 255, DO", EDNS OPT("04d0", "00ff8000", "0000"),
		"BADVERS 1234 0100 dl.example. A 1 edns 1232 do version 255"},
	{"the options of EDNS 1 may have another form",
		EDNS OPT("04d0", "00010000", "0003") "fde9 00",
		"BADVERS 1234 0100 dl.example. A 1 edns 1232 version 1"},
	{"malformed behind EDNS 1", EDNS OPT("04d0", "00010000", "0000") "00",
		"FORMERR 1234 0100 dl.example. A 1 edns 1232 version 1"},

	{"a NOTIFY with its SOA",
		"1234 2400 0001 0001 0000 0000 00 0006 0001"
		"00 0006 0001 00000000 0016 00 00 00000001 00000000 00000000 00000000 00000000",
		"NOTIMP 1234 2400 . SOA 1"},
	{"an UPDATE", "1234 2800 0001 0000 0000 0000 00 0006 0001", "NOTIMP 1234 2800 . SOA 1"},
	{"opcode 15, header alone", "1234 7800 0000 0000 0000 0000", "NOTIMP 1234 7800"},
	{"opcode 3, garbage behind it", "1234 1800 0001 0000 0000 0000 ffff", "NOTIMP 1234 1800"},
	{"another opcode with EDNS", "1234 1000" WITH_OPT QUESTION OPT("04d0", "00000000", "0000"),
		"NOTIMP 1234 1000 dl.example. A 1 edns 1232"},
	{"another opcode with EDNS 1",
		"1234 1000" WITH_OPT QUESTION OPT("04d0", "00010000", "0000"),
		"NOTIMP 1234 1000 dl.example. A 1 edns 1232 version 1"},

	/* RFC 7871 6 */
	{"subnet /24", ECS("000b", "0007") "0001 18 00 cb0071",
		"OK 1234 0100 dl.example. A 1 edns 1232 ecs 1/24 203.0.113.0"},
	{"subnet /23", ECS("000b", "0007") "0001 17 00 cb0070",
		"OK 1234 0100 dl.example. A 1 edns 1232 ecs 1/23 203.0.112.0"},
	{"subnet /1", ECS("0009", "0005") "0001 01 00 80",
		"OK 1234 0100 dl.example. A 1 edns 1232 ecs 1/1 128.0.0.0"},
	{"subnet /32", ECS("000c", "0008") "0001 20 00 cb007107",
		"OK 1234 0100 dl.example. A 1 edns 1232 ecs 1/32 203.0.113.7"},
	{"subnet /56 of IPv6", ECS("000f", "000b") "0002 38 00 20010db8000012",
		"OK 1234 0100 dl.example. A 1 edns 1232 ecs 2/56 2001:db8:0:1200::"},
	{"subnet /128 of IPv6", ECS("0018", "0014") "0002 80 00 20010db8000000000000000000000001",
		"OK 1234 0100 dl.example. A 1 edns 1232 ecs 2/128 2001:db8::1"},
	{"opt-out", ECS("0008", "0004") "0001 00 00",
		"OK 1234 0100 dl.example. A 1 edns 1232 ecs 1/0 0.0.0.0"},
	{"opt-out of IPv6", ECS("0008", "0004") "0002 00 00",
		"OK 1234 0100 dl.example. A 1 edns 1232 ecs 2/0 ::"},
	{"opt-out without a family", ECS("0008", "0004") "0000 00 00",
		"OK 1234 0100 dl.example. A 1 edns 1232 ecs 0/0 none"},
	{"subnet between other options",
		EDNS OPT("04d0", "00008000", "0014") "0003 0000 0008 0007 0001 18 00 cb0071"
						     "fde9 0001 00",
		"OK 1234 0100 dl.example. A 1 edns 1232 do nsid ecs 1/24 203.0.113.0"},

	/* RFC 7871 7.2.1: FORMERR if malformed */
	{"subnet: no content", ECS("0004", "0000"), "FORMERR 1234 0100 dl.example. A 1 edns 1232"},
	{"subnet: three octets", ECS("0007", "0003") "0001 00",
		"FORMERR 1234 0100 dl.example. A 1 edns 1232"},
	{"subnet: family 3", ECS("0008", "0004") "0003 00 00",
		"FORMERR 1234 0100 dl.example. A 1 edns 1232"},
	{"subnet: family 16387", ECS("0008", "0004") "4003 00 00",
		"FORMERR 1234 0100 dl.example. A 1 edns 1232"},
	{"subnet: family 65535", ECS("000b", "0007") "ffff 18 00 cb0071",
		"FORMERR 1234 0100 dl.example. A 1 edns 1232"},
	{"subnet: no family, but bits", ECS("000b", "0007") "0000 18 00 cb0071",
		"FORMERR 1234 0100 dl.example. A 1 edns 1232"},
	{"subnet: no family, but octets", ECS("0009", "0005") "0000 00 00 00",
		"FORMERR 1234 0100 dl.example. A 1 edns 1232"},
	{"subnet: /33", ECS("000d", "0009") "0001 21 00 cb00710000",
		"FORMERR 1234 0100 dl.example. A 1 edns 1232"},
	{"subnet: /129 of IPv6",
		ECS("0019", "0015") "0002 81 00 20010db800000000000000000000000100",
		"FORMERR 1234 0100 dl.example. A 1 edns 1232"},
	{"subnet: /255 of IPv6", ECS("000b", "0007") "0002 ff 00 20010d",
		"FORMERR 1234 0100 dl.example. A 1 edns 1232"},
	{"subnet: an octet too few", ECS("000a", "0006") "0001 18 00 cb00",
		"FORMERR 1234 0100 dl.example. A 1 edns 1232"},
	{"subnet: an octet too many", ECS("000c", "0008") "0001 18 00 cb007100",
		"FORMERR 1234 0100 dl.example. A 1 edns 1232"},
	{"subnet: opt-out with an octet", ECS("0009", "0005") "0001 00 00 00",
		"FORMERR 1234 0100 dl.example. A 1 edns 1232"},
	{"subnet: scope 8", ECS("000b", "0007") "0001 18 08 cb0071",
		"FORMERR 1234 0100 dl.example. A 1 edns 1232"},
	{"subnet: a bit beyond /23", ECS("000b", "0007") "0001 17 00 cb0071",
		"FORMERR 1234 0100 dl.example. A 1 edns 1232"},
	{"subnet: a bit beyond /1", ECS("0009", "0005") "0001 01 00 40",
		"FORMERR 1234 0100 dl.example. A 1 edns 1232"},
	{"subnet: a bit beyond /57 of IPv6", ECS("0010", "000c") "0002 39 00 20010db800001201",
		"FORMERR 1234 0100 dl.example. A 1 edns 1232"},
	{"subnet: longer than the OPT", ECS("000a", "0007") "0001 18 00 cb0071",
		"FORMERR 1234 0100 dl.example. A 1 edns 1232"},
	{"two subnets",
		EDNS OPT("04d0", "00000000", "0016") "0008 0007 0001 18 00 cb0071"
						     "0008 0007 0001 18 00 cb0072",
		"FORMERR 1234 0100 dl.example. A 1 edns 1232 ecs 1/24 203.0.113.0"},
	{"two equal subnets",
		EDNS OPT("04d0", "00000000", "0010") "0008 0004 0001 00 00 0008 0004 0001 00 00",
		"FORMERR 1234 0100 dl.example. A 1 edns 1232 ecs 1/0 0.0.0.0"},
};

static const char *const verdicts[] = {
	[QUERY_OK] = "OK",
	[QUERY_SILENCE] = "SILENCE",
	[QUERY_FORMERR] = "FORMERR",
	[QUERY_NOTIMP] = "NOTIMP",
	[QUERY_BADVERS] = "BADVERS",
	[QUERY_COOKIE] = "COOKIE",
};

static void summary_of_ecs(const struct query_ecs *ecs, struct text *summary)
{
	char address[ADDRESS_TEXT_SIZE] = "none";

	if (ecs->source.address.family != ADDRESS_NONE)
		address_print(&ecs->source.address, address);
	text_print(summary, " ecs %u/%u %s", ecs->family, ecs->source.bits, address);
}

/* All that was read, in one line. */
static void summary_of(enum query_verdict verdict, const struct query *query, struct text *summary)
{
	text_add(summary, verdicts[verdict]);
	if (verdict == QUERY_SILENCE)
		return;
	text_print(summary, " %04x %04x", query->id, query->flags);
	assert_int_equal(query->opcode, query->flags >> 11);
	if (query->has_question) {
		char name[NAME_TEXT_SIZE];
		char type[TYPE_TEXT_SIZE];

		name_print(query->name.wire, name);
		type_print(query->type, type);
		text_print(summary, " %s %s %u", name, type, query->class);
		assert_int_equal(query->question_size, query->name.size + 4);
	} else {
		assert_int_equal(query->question_size, 0);
	}
	if (query->has_edns)
		text_print(summary, " edns %u%s", query->udp_size, query->dnssec_ok ? " do" : "");
	else
		assert_int_equal(query->udp_size, DNS_UDP_MIN);
	if (query->edns_version > 0)
		text_print(summary, " version %u", query->edns_version);
	if (query->wishes & QUERY_NSID)
		text_add(summary, " nsid");
	if (query->wishes & QUERY_KEEPALIVE)
		text_add(summary, " keepalive");
	if (query->wishes & QUERY_BAD_KEEPALIVE)
		text_add(summary, " badkeepalive");
	if (query->wishes & QUERY_ZONE_VERSION)
		text_add(summary, " zoneversion");
	if (query->wishes & QUERY_HAS_COOKIE) {
		text_add(summary, " cookie ");
		for (size_t i = 0; i < query->cookie_size; i++)
			text_print(summary, "%02x", query->cookie[i]);
	}
	if (query->ecs.is_present)
		summary_of_ecs(&query->ecs, summary);
}

/* Reads from memory of the exact size, so that the address sanitizer sees one octet too many. */
static enum query_verdict read_exact(const uint8_t *message, size_t size, struct query *ret_query)
{
	uint8_t *exact = memory_copy(message, size > 0 ? size : 1);
	enum query_verdict verdict;

	memset(ret_query, 0xa5, sizeof(*ret_query));
	verdict = query_read(exact, size, ret_query);
	if (verdict != QUERY_SILENCE && ret_query->wishes & QUERY_HAS_COOKIE)
		ret_query->cookie = message + (ret_query->cookie - exact);
	free(exact);
	return verdict;
}

static void each_case(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		uint8_t message[DNS_QUERY_MAX];
		size_t size = hex_read(cases[i].message, message, sizeof(message));
		struct query query;
		struct text summary = {0};

		summary_of(read_exact(message, size, &query), &query, &summary);
		if (strcmp(summary.bytes, cases[i].want) != 0)
			fail_msg("%s: got  %s\nwant %s", cases[i].about, summary.bytes,
				cases[i].want);
		text_done(&summary);
	}
}

/* A query cut anywhere is FORMERR, or silence within the header. */
static void every_beginning_of_a_query(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		uint8_t message[DNS_QUERY_MAX];
		size_t size = hex_read(cases[i].message, message, sizeof(message));
		struct query query;

		if (read_exact(message, size, &query) != QUERY_OK)
			continue;
		for (size_t cut = 0; cut < size; cut++)
			if (read_exact(message, cut, &query) !=
				(cut < DNS_HEADER_SIZE ? QUERY_SILENCE : QUERY_FORMERR))
				fail_msg("%s: cut at %zu", cases[i].about, cut);
	}
}

/* A name of `size` octets: labels of 63, and what is left. */
static size_t long_name(size_t size, uint8_t *out)
{
	size_t used = 0;

	while (used + 1 < size) {
		size_t label = size - used - 2 < DNS_LABEL_MAX ? size - used - 2 : DNS_LABEL_MAX;

		out[used++] = (uint8_t)label;
		memset(out + used, 'x', label);
		used += label;
	}
	out[used++] = 0;
	return used;
}

static void names_of_every_length(void **state)
{
	uint8_t message[512];
	struct query query;

	(void)state;
	hex_read(RD ONE, message, sizeof(message));
	for (size_t size = 3; size < 300; size++) {
		if (size % 64 == 2)
			continue; /* cannot be made of such labels */

		size_t end = DNS_HEADER_SIZE + long_name(size, message + DNS_HEADER_SIZE);

		wire_write32(message + end, 0x00010001);
		assert_int_equal(read_exact(message, end + 4, &query),
			size <= DNS_NAME_MAX ? QUERY_OK : QUERY_FORMERR);
		assert_int_equal(query.has_question, size <= DNS_NAME_MAX);
	}
}

/* RFC 1035 2.3.4: an owner is no longer than any other name, though nobody looks at what it says. */
static void owners_of_every_length(void **state)
{
	uint8_t message[512];
	struct query query;
	size_t owner = hex_read(EDNS, message, sizeof(message));

	(void)state;
	for (size_t size = 3; size < 300; size++) {
		if (size % 64 == 2)
			continue; /* cannot be made of such labels */

		size_t end = owner + long_name(size, message + owner);

		end += hex_read("00fa 00ff 00000000 0000", message + end, sizeof(message) - end);
		assert_int_equal(read_exact(message, end, &query),
			size <= DNS_NAME_MAX ? QUERY_OK : QUERY_FORMERR);
	}
}

/* The longest query that is read, and one octet more. */
static void the_longest_query(void **state)
{
	uint8_t message[DNS_QUERY_MAX + 1] = {0};
	size_t size = hex_read(EDNS OPT("04d0", "00000000", "0000"), message, sizeof(message));
	size_t rdata = DNS_QUERY_MAX - size;
	struct query query;

	(void)state;
	wire_write16(message + size - 2, (uint16_t)rdata);
	wire_write16(message + size, 12); /* an option of padding */
	wire_write16(message + size + 2, (uint16_t)(rdata - 4));
	assert_int_equal(read_exact(message, DNS_QUERY_MAX, &query), QUERY_OK);

	wire_write16(message + size - 2, (uint16_t)(rdata + 1));
	wire_write16(message + size + 2, (uint16_t)(rdata - 3));
	assert_int_equal(read_exact(message, DNS_QUERY_MAX + 1, &query), QUERY_FORMERR);
	assert_false(query.has_question);
}

/* Octets changed at random: nothing is read outside, and what is read is within its limits. */
static void damaged_queries(void **state)
{
	struct random random;

	(void)state;
	random_seed_with(&random, 20261122);
	for (size_t round = 0; round < 200000; round++) {
		uint8_t message[DNS_QUERY_MAX];
		size_t chosen = random_below(&random, COUNT_OF(cases));
		size_t size = hex_read(cases[chosen].message, message, sizeof(message));
		struct query query;

		if (size == 0)
			continue;
		for (uint32_t changes = random_below(&random, 4); changes > 0; changes--)
			message[random_below(&random, (uint32_t)size)] =
				(uint8_t)random_next(&random);
		if (read_exact(message, size, &query) == QUERY_SILENCE)
			continue;
		assert_true(query.udp_size >= DNS_UDP_MIN);
		if (query.has_question)
			assert_true(DNS_HEADER_SIZE + (size_t)query.question_size <= size);
		if (query.ecs.is_present)
			assert_true(query.ecs.family == 0 ? query.ecs.source.bits == 0
							  : query.ecs.source.bits <=
						address_bits(&query.ecs.source.address));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_case),
		cmocka_unit_test(every_beginning_of_a_query),
		cmocka_unit_test(names_of_every_length),
		cmocka_unit_test(owners_of_every_length),
		cmocka_unit_test(the_longest_query),
		cmocka_unit_test(damaged_queries),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
