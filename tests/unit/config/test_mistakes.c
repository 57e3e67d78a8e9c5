/* SPDX-License-Identifier: Apache-2.0 */

/* What is said about a file that is wrong: whole lines, because people and tools read them. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "mistakes.h"
#include "steerd/base/memory.h"
#include "steerd/base/report.h"
#include "steerd/base/text.h"
#include "steerd/config/settings.h"

#define MANY_NAMES                                                                                 \
	"a name of more than 63 bytes: "                                                           \
	"0123456789012345678901234567890123456789012345678901234567890123"

/* Parts of a file that are right, for cases that are about something else. */
#define SITES "sites: {fra: {at: [50.11, 8.68]}, iad: {at: [38.95, -77.45]}}\n"
#define MONITORS "monitors: {edge: {https: {host: h}}}\n"
#define L61 "0123456789012345678901234567890123456789012345678901234567890"
#define L63 L61 "12"
#define NAME_RULE                                                                                  \
	"cannot be a name: letters, digits, '.', '_' and '-', of which a letter or digit is "      \
	"first, 63 at most\n"

static const struct mistake syntax[] = {
	{"an empty file", "", ": it is empty\n"},
	{"comments alone", "# nothing\n\n", ": it is empty\n"},
	{"a list", "- a\n- b\n", ":1:1: it must be a map of keys, not a list\n"},
	{"a word", "steerd\n", ":1:1: it must be a map of keys, not text\n"},
	{"nothing, in words", "~\n", ":1:1: it must be a map of keys, not nothing\n"},
	{"a list that is left open", "listen: [a, b\nworkers: 2\n",
		":2:8: not YAML: did not find expected ',' or ']' while parsing a flow sequence "
		"that began at 1:9\n"},
	{"a map that is left open", "tcp: {idle: 5s\n",
		":2:1: not YAML: did not find expected ',' or '}' while parsing a flow mapping "
		"that began at 1:6\n"},
	{"a quote that is left open", "state: \"abc\nworkers: 2\n",
		":3:1: not YAML: found unexpected end of stream while scanning a quoted scalar "
		"that began at 1:8\n"},
	{"a key without a colon", "workers 2\nstate: x\n",
		":2:6: not YAML: mapping values are not allowed in this context\n"},
	{"indented too little", "tcp:\n    idle: 5s\n  io: 1s\n",
		":3:3: not YAML: did not find expected key while parsing a block mapping that "
		"began at 1:1\n"},
	{"a tab", "tcp:\n\tidle: 5s\n", ":2:1: not YAML: a tab cannot indent; use spaces\n"},
	{"a bracket that closes nothing", "listen: ]\n",
		":1:9: not YAML: did not find expected node content while parsing a block node "
		"that began at 1:9\n"},
	{"an unknown escape", "state: \"\\q\"\n",
		":1:9: not YAML: found unknown escape character while parsing a quoted scalar "
		"that began at 1:8\n"},
	{"Latin-1", "# ok\nstate: caf\xe9\n",
		":2:11: not text in UTF-8: incomplete UTF-8 octet sequence\n"},
	{"bytes that begin no character", "state: \xff\n",
		":1:8: not text in UTF-8: invalid leading UTF-8 octet\n"},
	{"columns count characters", "sites: {\xc3\xa9\xc3\xa9: \xff}\n",
		":1:13: not text in UTF-8: invalid leading UTF-8 octet\n"},
	{"UTF-16", "\xff\xfew\x01", ":1:1: not text in UTF-8: invalid leading UTF-8 octet\n"},
	{"a control character", "state: a\x01z\n",
		":1:9: not text in UTF-8: control characters are not allowed\n"},
	{"a zero byte by escape", "state: \"a\\0b\"\n", ":1:8: text cannot hold a zero byte\n"},
	{"an anchor", "state: &a x\ncontrol: x\n",
		":1:8: anchors are not taken; write the value out where it is used\n"},
	{"an anchor of a map", "tcp: &t {idle: 5s}\n",
		":1:6: anchors are not taken; write the value out where it is used\n"},
	{"an anchor of a list", "listen: &t []\n",
		":1:9: anchors are not taken; write the value out where it is used\n"},
	{"an alias", "state: *a\n", ":1:8: aliases are not taken; write the value out\n"},
	{"a tag", "workers: !!int 2\n",
		":1:10: tags are not taken; each key has a type of its own\n"},
	{"a tag of a map", "tcp: !t {}\n",
		":1:6: tags are not taken; each key has a type of its own\n"},
	{"a tag that nobody defined", "workers: !x!y 2\n",
		":1:10: not YAML: found undefined tag handle while parsing a node that began at "
		"1:10\n"},
	{"YAML of another time", "%YAML 2.0\n---\nworkers: 2\n",
		":1:1: not YAML: found incompatible YAML document\n"},
	{"a second document", "workers: 2\n---\nworkers: 3\n",
		":2:1: a second document begins; there may be one\n"},
	{"a key that is a list", "? [a]\n: b\n", ":1:3: a key must be plain text\n"},
	{"a key that is a map", "{{a: b}: c}\n", ":1:2: a key must be plain text\n"},
	{"25 levels", "a: [[[[[[[[[[[[[[[[[[[[[[[[x]]]]]]]]]]]]]]]]]]]]]]]]\n",
		":1:27: nested too deeply: 24 levels at most\n"},
};

static const struct mistake keys[] = {
	{"a slip", "workrs: 2\n", ":1:1: unknown key 'workrs'; did you mean 'workers'?\n"},
	{"the slip of the manual",
		MONITORS SITES "pools: {p: {method: all, monitor: edge, mebmers: {}}}\n",
		":3:12: missing key 'members' in 'pools.p'\n"
		"steerd.yaml:3:41: unknown key 'mebmers'; did you mean 'members'?\n"},
	{"two letters swapped", "tcp: {ilde: 5s}\n",
		":1:7: unknown key 'ilde'; did you mean 'idle'?\n"},
	{"no slip, another level", "timeout: 5s\n",
		":1:1: unknown key 'timeout'; it belongs at monitors.NAME.timeout\n"},
	{"the level above",
		"monitors: {m: {https: {host: h, fall: 2}}}\npools: {p: {method: all, monitor: m, "
		"members: {a: {address: 192.0.2.1}}}}\n",
		":1:33: unknown key 'fall'; it belongs at monitors.NAME.fall\n"},
	{"like nothing else", "tcp: {backlog: 5}\n",
		":1:7: unknown key 'backlog'; known here: connections, per-address, per-network, "
		"idle, io\n"},
	{"like nothing at the top", "dnssec: yes\n",
		":1:1: unknown key 'dnssec'; known here: listen, workers, zones, state, control, "
		"identity, version, cookies, geo, udp, tcp, rate-limit, sites, monitors, pools, "
		"observer, notify\n"},
	{"one letter is no slip", "tcp: {x: 5}\n",
		":1:7: unknown key 'x'; known here: connections, per-address, per-network, idle, "
		"io\n"},
	{"the case of letters counts", "Workers: 2\n",
		":1:1: unknown key 'Workers'; did you mean 'workers'?\n"},
	{"a path is not a key", "tcp.idle: 5s\n",
		":1:1: unknown key 'tcp.idle'; known here: listen, workers, zones, state, control, "
		"identity, version, cookies, geo, udp, tcp, rate-limit, sites, monitors, pools, "
		"observer, notify\n"},
	{"YAML's merge key is nothing special", "tcp: {<<: {idle: 5s}}\n",
		":1:7: unknown key '<<'; known here: connections, per-address, per-network, idle, "
		"io\n"},
	{"a key with an escape sequence", "\"\\e[31m\": 1\n",
		":1:1: unknown key '?[31m'; known here: listen, workers, zones, state, control, "
		"identity, version, cookies, geo, udp, tcp, rate-limit, sites, monitors, pools, "
		"observer, notify\n"},
	{"a long key", "tcp: {\"" MANY_NAMES "\": 5}\n",
		":1:7: unknown key 'a name of more than 63 bytes: "
		"01234567890123456789012345678901234567...'; known here: connections, per-address, "
		"per-network, idle, io\n"},
	{"twice", "workers: 2\nstate: x\nworkers: 3\n",
		":3:1: duplicate key 'workers'; the first is at line 1\n"},
	{"three times", "{workers: 2, workers: 2, workers: 2}\n",
		":1:14: duplicate key 'workers'; the first is at line 1\n"
		"steerd.yaml:1:26: duplicate key 'workers'; the first is at line 1\n"},
	{"a name twice", "sites:\n  a: {at: [1, 2]}\n  a: {at: [1, 2]}\n",
		":3:3: duplicate key 'a'; the first is at line 2\n"},
	{"quotes make no other key", "workers: 2\n\"workers\": 3\n",
		":2:1: duplicate key 'workers'; the first is at line 1\n"},
	{"a name with a slash", "sites: {a/b: {at: [1, 2]}}\n", ":1:9: 'a/b' " NAME_RULE},
	{"a name with a colon", "sites: {'a:b': {at: [1, 2]}}\n", ":1:9: 'a:b' " NAME_RULE},
	{"a name with a blank", "monitors: {a b: {https: {host: h}}}\n", ":1:12: 'a b' " NAME_RULE},
	{"a name that is empty", "sites: {'': {at: [1, 2]}}\n", ":1:9: '' " NAME_RULE},
	{"a name with a dot in front", "sites: {.a: {at: [1, 2]}}\n", ":1:9: '.a' " NAME_RULE},
	{"a name that is no ASCII", "sites: {f\xc3\xbcr: {at: [1, 2]}}\n",
		":1:9: 'f\xc3\xbcr' " NAME_RULE},
	{"a name of 64 bytes",
		"sites: {x012345678901234567890123456789012345678901234567890123456789012: {at: "
		"[1, 2]}}\n",
		":1:9: "
		"'x012345678901234567890123456789012345678901234567890123456789012' " NAME_RULE},
};

static const struct mistake types[] = {
	{"no value", "workers:\nstate: x\n", ":1:9: 'workers' has no value\n"},
	{"null", "state: null\n", ":1:8: 'state' has no value\n"},
	{"a map without a value", "tcp:\n", ":1:5: 'tcp' has no value\n"},
	{"text for a map", "tcp: fast\n", ":1:6: 'tcp' must be a map of keys, not 'fast'\n"},
	{"a list for a map", "geo: [a]\n", ":1:6: 'geo' must be a map of keys, not a list\n"},
	{"a list of names", "sites: [fra, iad]\n",
		":1:8: 'sites' must be a map of names, not a list\n"},
	{"a named thing that is text", "sites: {fra: here}\n",
		":1:14: 'sites.fra' must be a map of keys, not text\n"},
	{"a named thing that is nothing", "sites:\n  fra:\n",
		":2:7: 'sites.fra' must be a map of keys, not nothing\n"},
	{"a word for a number", "workers: two\n",
		":1:10: 'workers' must be a whole number, not 'two'\n"},
	{"a fraction", "workers: 1.5\n", ":1:10: 'workers' must be a whole number, not '1.5'\n"},
	{"a sign", "workers: -1\n", ":1:10: 'workers' must be a whole number, not '-1'\n"},
	{"hexadecimal", "workers: 0x2\n", ":1:10: 'workers' must be a whole number, not '0x2'\n"},
	{"a number of 19 digits", "workers: 1000000000000000000\n",
		":1:10: 'workers' must be a whole number, not '1000000000000000000'\n"},
	{"a list for a number", "workers: [2]\n",
		":1:10: 'workers' must be a whole number, not a list\n"},
	{"too small", "workers: 0\n", ":1:10: 'workers' must be from 1 to 256, not 0\n"},
	{"too large", "workers: 257\n", ":1:10: 'workers' must be from 1 to 256, not 257\n"},
	{"a duration without a unit", "tcp: {idle: 5}\n",
		":1:13: 'idle' must be a duration such as 500ms, 5s, 2m or 1h, not '5'\n"},
	{"a unit that is none", "tcp: {idle: 5d}\n",
		":1:13: 'idle' must be a duration such as 500ms, 5s, 2m or 1h, not '5d'\n"},
	{"a blank in a duration", "tcp: {idle: 5 s}\n",
		":1:13: 'idle' must be a duration such as 500ms, 5s, 2m or 1h, not '5 s'\n"},
	{"a fraction of a duration", "tcp: {idle: 0.5s}\n",
		":1:13: 'idle' must be a duration such as 500ms, 5s, 2m or 1h, not '0.5s'\n"},
	{"a duration that is too short", "tcp: {idle: 99ms}\n",
		":1:13: 'idle' must be from 100ms to 1h, not 99ms\n"},
	{"a duration that is too long", "tcp: {io: 61s}\n",
		":1:11: 'io' must be from 10ms to 1m, not 61s\n"},
	{"a path that is a list", "zones: [a, b]\n", ":1:8: 'zones' must be a path, not a list\n"},
	{"a path that is empty", "zones: ''\n", ":1:8: 'zones' is an empty path\n"},
	{"the path of a socket",
		"control: /12345678901234567890123456789012345678901234567890"
		"1234567890123456789012345678901234567890123456789012345678\n",
		":1:10: 'control' is a path of 109 bytes; a Unix socket's has 107 at most\n"},
	{"a database that is a map", "geo: {city: {a: b}}\n",
		":1:13: 'city' must be a path or a list of paths, not a map\n"},
	{"a database that is a list of lists", "geo: {city: [[a]]}\n",
		":1:14: 'city' must be a path or a list of paths, not a list\n"},
	{"a list of no databases", "geo: {city: []}\n",
		":1:13: 'city' must have from 1 to 16 items, not 0\n"},
	{"no prefix lengths", "geo: {granularity: 24}\n",
		":1:20: 'granularity' must be the lengths of an IPv4 prefix (1 to 32) and an "
		"IPv6 prefix (1 to 64), such as 24/56, not '24'\n"},
	{"a prefix length of 33", "geo: {granularity: 33/56}\n",
		":1:20: 'granularity' must be the lengths of an IPv4 prefix (1 to 32) and an "
		"IPv6 prefix (1 to 64), such as 24/56, not '33/56'\n"},
	{"a prefix length of 65", "geo: {granularity: 24/65}\n",
		":1:20: 'granularity' must be the lengths of an IPv4 prefix (1 to 32) and an "
		"IPv6 prefix (1 to 64), such as 24/56, not '24/65'\n"},
	{"a prefix length of 0", "geo: {granularity: 24/0}\n",
		":1:20: 'granularity' must be the lengths of an IPv4 prefix (1 to 32) and an "
		"IPv6 prefix (1 to 64), such as 24/56, not '24/0'\n"},
	{"listen without a port", "listen: [192.0.2.1]\n",
		":1:10: '192.0.2.1' has no port; write 192.0.2.1:53 or [2001:db8::1]:53\n"},
	{"listen at a name", "listen: [\"localhost:53\"]\n",
		":1:10: 'localhost:53' is not an address with a port; write 192.0.2.1:53 or "
		"[2001:db8::1]:53\n"},
	{"listen nowhere", "listen: []\n", ":1:9: 'listen' must have from 1 to 64 items, not 0\n"},
	{"listen twice at one place", "listen: [\"192.0.2.1:53\", \"192.0.2.1:53\"]\n",
		":1:26: '192.0.2.1:53' stands twice\n"},
};

static const struct mistake sites[] = {
	{"no place", "sites: {fra: {}}\n", ":1:14: missing key 'at' in 'sites.fra'\n"},
	{"one number", "sites: {fra: {at: [50.11]}}\n",
		":1:19: 'at' must be [LATITUDE, LONGITUDE] in degrees, not a list\n"},
	{"three numbers", "sites: {fra: {at: [50.11, 8.68, 112]}}\n",
		":1:19: 'at' must be [LATITUDE, LONGITUDE] in degrees, not a list\n"},
	{"a place by name", "sites: {fra: {at: Frankfurt}}\n",
		":1:19: 'at' must be [LATITUDE, LONGITUDE] in degrees, not 'Frankfurt'\n"},
	{"south of the pole", "sites: {fra: {at: [-90.01, 8.68]}}\n",
		":1:20: the latitude must be from -90 to 90, not -90.01\n"},
	{"once around", "sites: {fra: {at: [50.11, 181]}}\n",
		":1:27: the longitude must be from -180 to 180, not 181\n"},
	{"letters of the compass", "sites: {fra: {at: [50.11N, 8.68E]}}\n",
		":1:20: the latitude must be a number, not '50.11N'\n"
		"steerd.yaml:1:28: the longitude must be a number, not '8.68E'\n"},
	{"infinity", "sites: {fra: {at: [inf, nan]}}\n",
		":1:20: the latitude must be a number, not 'inf'\n"
		"steerd.yaml:1:25: the longitude must be a number, not 'nan'\n"},
	{"a number that is a list", "sites: {fra: {at: [[1], 2]}}\n",
		":1:20: 'at' must be [LATITUDE, LONGITUDE] in degrees, not a list\n"},
};

static const struct mistake monitors[] = {
	{"nothing to ask", "monitors: {edge: {every: 5s}}\n",
		":1:12: monitor 'edge' has none of https, http, tcp, dns, exec and push\n"},
	{"nobody to ask", "monitors: {edge: {https: {path: /}}}\n",
		":1:26: missing key 'host' in 'monitors.edge.https'\n"},
	{"a slip beside what it hides",
		"monitors:\n  edge:\n    https: {host: h}\n    timout: 2s\n",
		":4:5: unknown key 'timout'; did you mean 'timeout'?\n"},
	{"a host that is an address", "monitors: {edge: {https: {host: 192.0.2.1}}}\n",
		":1:33: 'host' must be a host name, not '192.0.2.1'\n"},
	{"a host with a port", "monitors: {edge: {https: {host: \"h:443\"}}}\n",
		":1:33: 'host' must be a host name, not 'h:443'\n"},
	{"a host that is a URL", "monitors: {edge: {https: {host: \"https://h/\"}}}\n",
		":1:33: 'host' must be a host name, not 'https://h/'\n"},
	{"a host with a dot at the end", "monitors: {edge: {https: {host: a.b.}}}\n",
		":1:33: 'host' must be a host name, not 'a.b.'\n"},
	{"a host with a hyphen at the end", "monitors: {edge: {https: {host: a-.b}}}\n",
		":1:33: 'host' must be a host name, not 'a-.b'\n"},
	/* the names that break programs (RFC 1035 2.3.4) */
	{"a host that is the root", "monitors: {edge: {https: {host: .}}}\n",
		":1:33: 'host' must be a host name, not '.'\n"},
	{"a host without octets", "monitors: {edge: {https: {host: \"\"}}}\n",
		":1:33: 'host' must be a host name, not ''\n"},
	{"a host with an empty label", "monitors: {edge: {https: {host: a..b}}}\n",
		":1:33: 'host' must be a host name, not 'a..b'\n"},
	{"a host with a label of 64", "monitors: {edge: {https: {host: " L63 "x.b}}}\n",
		":1:33: 'host' must be a host name, not '" L63 "x.b'\n"},
	{"a host of 254 octets, 256 on the wire",
		"monitors: {edge: {https: {host: " L63 "." L63 "." L63 "." L61 "x}}}\n",
		":1:33: 'host' must be a host name, not '" L63 ".0123...'\n"},
	{"a path without a slash", "monitors: {edge: {https: {host: h, path: health}}}\n",
		":1:42: 'path' must be a path that begins with '/' and has no blanks, not "
		"'health'\n"},
	{"a path with a blank", "monitors: {edge: {https: {host: h, path: /a b}}}\n",
		":1:42: 'path' must be a path that begins with '/' and has no blanks, not '/a "
		"b'\n"},
	{"a path with a line break", "monitors: {edge: {https: {host: h, path: \"/a\\nb\"}}}\n",
		":1:42: 'path' must be a path that begins with '/' and has no blanks, not "
		"'/a?b'\n"},
	{"port 0", "monitors: {edge: {https: {host: h, port: 0}}}\n",
		":1:42: 'port' must be from 1 to 65535, not 0\n"},
	{"port 65536", "monitors: {edge: {https: {host: h, port: 65536}}}\n",
		":1:42: 'port' must be from 1 to 65535, not 65536\n"},
	{"too often", "monitors: {edge: {https: {host: h}, every: 499ms}}\n",
		":1:44: 'every' must be from 500ms to 1h, not 499ms\n"},
	{"longer than the time until the next",
		"monitors: {edge: {https: {host: h}, every: 5s, timeout: 5001ms}}\n",
		":1:57: 'timeout' cannot exceed 'every': a check of 5001ms would outlast the 5s "
		"until the next\n"},
	{"never down", "monitors: {edge: {https: {host: h}, fall: 0}}\n",
		":1:43: 'fall' must be from 1 to 100, not 0\n"},
	{"never up", "monitors: {edge: {https: {host: h}, rise: 101}}\n",
		":1:43: 'rise' must be from 1 to 100, not 101\n"},
	{"a status that is none",
		"monitors: {edge: {https: {host: h}, expect: {status: [200, 600]}}}\n",
		":1:60: 'status' must be status codes and ranges of them from 100 to 599, such as "
		"[200-299, 304], not '600'\n"},
	{"a range that is turned round",
		"monitors: {edge: {https: {host: h}, expect: {status: 299-200}}}\n",
		":1:54: 'status' must be status codes and ranges of them from 100 to 599, such as "
		"[200-299, 304], not '299-200'\n"},
	{"a class of codes", "monitors: {edge: {https: {host: h}, expect: {status: 2xx}}}\n",
		":1:54: 'status' must be status codes and ranges of them from 100 to 599, such as "
		"[200-299, 304], not '2xx'\n"},
	{"no status", "monitors: {edge: {https: {host: h}, expect: {status: []}}}\n",
		":1:54: 'status' must have from 1 to 32 items, not 0\n"},
	{"no name of its own", "identity: ''\n",
		":1:11: 'identity' must have from 1 to 64 bytes, not 0\n"},
	{"a name longer than it may be",
		"identity: 1234567890123456789012345678901234567890123456789012345678901234x\n",
		":1:11: 'identity' must have from 1 to 64 bytes, not 65\n"},
	{"several names", "identity: [a, b]\n", ":1:11: 'identity' must be text, not a list\n"},
	{"a version of one's own", "version: 9.9\n",
		":1:10: 'version' must be no or yes, not '9.9'\n"},
	{"a body of no text", "monitors: {edge: {https: {host: h}, expect: {body: ''}}}\n",
		":1:52: 'body' must have from 1 to 1024 bytes, not 0\n"},
};

/* A pool of this method with these members, in line 3. */
#define POOL(method, members)                                                                      \
	SITES MONITORS "pools: {p: {method: " method ", monitor: edge, members: {" members "}}}\n"

static const struct mistake pools[] = {
	{"no method", SITES MONITORS "pools: {p: {members: {a: {address: 192.0.2.1}}}}\n",
		":3:12: missing key 'method' in 'pools.p'\n"},
	{"no members", "pools: {p: {method: all}}\n",
		":1:12: missing key 'members' in 'pools.p'\n"},
	{"an empty map of members", "pools: {p: {method: all, members: {}}}\n",
		":1:35: 'members' must have from 1 to 4096 entries, not 0\n"},
	{"a method with a slip",
		"pools: {p: {method: nearst, members: {a: {address: 192.0.2.1}}}}\n",
		":1:21: 'method' must be nearest, failover, weighted or all, not 'nearst'; did you "
		"mean 'nearest'?\n"},
	{"a method of others", "pools: {p: {method: geoip, members: {a: {address: 192.0.2.1}}}}\n",
		":1:21: 'method' must be nearest, failover, weighted or all, not 'geoip'\n"},
	{"what to do when all are down",
		"pools: {p: {method: all, when-all-down: fail, members: {a: {address: "
		"192.0.2.1}}}}\n",
		":1:41: 'when-all-down' must be serve-all, fallback, last-good or fenced, not "
		"'fail'\n"},
	{"no answers",
		"pools: {p: {method: all, answers: 0, members: {a: {address: 192.0.2.1}}}}\n",
		":1:35: 'answers' must be from 1 to 64, not 0\n"},
	{"an unknown monitor with a slip",
		MONITORS
		"pools: {p: {method: all, monitor: egde, members: {a: {address: 192.0.2.1}}}}\n",
		":2:35: unknown monitor 'egde'; did you mean 'edge'?\n"},
	{"an unknown monitor where there is none",
		"pools: {p: {method: all, monitor: edge, members: {a: {address: 192.0.2.1}}}}\n",
		":1:35: unknown monitor 'edge'\n"},
	{"a member without a site", POOL("nearest", "a: {address: 192.0.2.1}"),
		":3:55: member 'a' has no site; each member of a nearest pool needs one\n"},
	{"a member that is a pool needs a site as well",
		"pools: {p: {method: nearest, members: {a: {pool: q}}}, q: {method: all, members: "
		"{b: {address: 192.0.2.1}}}}\n",
		":1:40: member 'a' has no site; each member of a nearest pool needs one\n"},
	{"an unknown site", POOL("nearest", "a: {site: fro, address: 192.0.2.1}"),
		":3:65: unknown site 'fro'; did you mean 'fra'?\n"},
	{"a site where there is none",
		"pools: {p: {method: all, members: {a: {site: fra, address: 192.0.2.1}}}}\n",
		":1:46: unknown site 'fra'\n"},
	{"an unknown pool", POOL("failover", "a: {address: 192.0.2.1}, b: {pool: q}"),
		":3:91: unknown pool 'q'\n"},
	{"a member that is nothing", POOL("failover", "a: {}"),
		":3:56: member 'a' has none of address, host and pool\n"},
	{"a member that is two things", POOL("failover", "a: {address: 192.0.2.1, host: h}"),
		":3:80: member 'a' has 'address' already; it can have one of address, host and "
		"pool\n"},
	{"a member that is three things",
		"pools: {p: {method: all, members: {a: {pool: p, address: 192.0.2.1, host: h}}}}\n",
		":1:36: pools in a loop: pools.p -> pools.p\n"
		"steerd.yaml:1:40: member 'a' has 'address' already; it can have one of address, "
		"host and pool\n"
		"steerd.yaml:1:69: member 'a' has 'address' already; it can have one of address, "
		"host and pool\n"},
	{"an address that is none", POOL("all", "a: {address: 192.0.2.256}"),
		":3:64: '192.0.2.256' is not an IP address\n"},
	{"an address that is a name", POOL("all", "a: {address: [edge.cdn.example]}"),
		":3:65: 'edge.cdn.example' is not an IP address\n"},
	{"an address with a port", POOL("all", "a: {address: \"192.0.2.1:443\"}"),
		":3:64: '192.0.2.1:443' is not an IP address\n"},
	{"an address with a length", POOL("all", "a: {address: 192.0.2.0/24}"),
		":3:64: '192.0.2.0/24' is not an IP address\n"},
	{"networks that are none",
		"rate-limit: {exempt: [192.0.2.0/33, 192.0.2.1/24, 2001:db8, \"::/0\"]}\n",
		":1:23: '192.0.2.0/33' has no length between 0 and 32\n"
		"steerd.yaml:1:37: '192.0.2.1/24' has bits set beyond its length\n"
		"steerd.yaml:1:51: '2001:db8' is not a prefix such as 192.0.2.0/24\n"},
	{"a network that is a map", "rate-limit: {exempt: {a: b}}\n",
		":1:22: 'exempt' must be a prefix such as 192.0.2.0/24 or a list of them, not a "
		"map\n"},
	{"a limit beyond its limits", "rate-limit: {responses: -1, slip: 101, ipv6-prefix: 65}\n",
		":1:25: 'responses' must be a whole number, not '-1'\n"
		"steerd.yaml:1:35: 'slip' must be from 0 to 100, not 101\n"
		"steerd.yaml:1:53: 'ipv6-prefix' must be from 16 to 64, not 65\n"},
	{"the address of nobody", POOL("all", "a: {address: [0.0.0.0, \"::\"]}"),
		":3:65: '0.0.0.0' is not the address of a host\n"
		"steerd.yaml:3:74: '::' is not the address of a host\n"},
	{"no address", POOL("all", "a: {address: []}"),
		":3:64: 'address' must have from 1 to 64 items, not 0\n"},
	{"a host that is an address", POOL("all", "a: {host: 192.0.2.1}"),
		":3:61: 'host' must be a host name, not '192.0.2.1'\n"},
	{"a weight of 65536", POOL("weighted", "a: {address: 192.0.2.1, weight: 65536}"),
		":3:88: 'weight' must be from 0 to 65535, not 65536\n"},
	{"an address twice in one member", POOL("all", "a: {address: [192.0.2.1, 192.0.2.1]}"),
		":3:76: address '192.0.2.1' is in this pool already, at line 3\n"},
	{"an address twice, written otherwise",
		"pools:\n  p:\n    method: all\n    members:\n      a: {address: \"2001:db8::1\"}\n"
		"      b: {address: [192.0.2.1, \"2001:DB8:0:0::1\"]}\n",
		":6:32: address '2001:db8::1' is in this pool already, at line 5\n"},
	{"a pool in itself", "pools: {a: {method: all, members: {x: {pool: a}}}}\n",
		":1:36: pools in a loop: pools.a -> pools.a\n"},
	{"two pools in each other",
		"pools:\n"
		"  a: {method: all, members: {x: {pool: b}}}\n"
		"  b: {method: all, members: {x: {pool: a}}}\n",
		":3:30: pools in a loop: pools.a -> pools.b -> pools.a\n"},
	{"a loop that others lead into",
		"pools:\n"
		"  a: {method: all, members: {x: {pool: b}}}\n"
		"  b: {method: all, members: {x: {pool: c}}}\n"
		"  c: {method: all, members: {w: {address: 192.0.2.1}, x: {pool: b}}}\n",
		":4:55: pools in a loop: pools.b -> pools.c -> pools.b\n"},
	{"mistakes are told in the order of the file",
		"pools:\n"
		"  a: {method: all, members: {x: {pool: a}}}\n"
		"workers: 0\n"
		"zzz: 1\n"
		"sites: {s: {}}\n",
		":2:30: pools in a loop: pools.a -> pools.a\n"
		"steerd.yaml:3:10: 'workers' must be from 1 to 256, not 0\n"
		"steerd.yaml:4:1: unknown key 'zzz'; known here: listen, workers, zones, state, "
		"control, identity, version, cookies, geo, udp, tcp, rate-limit, sites, monitors, "
		"pools, observer, notify\n"
		"steerd.yaml:5:12: missing key 'at' in 'sites.s'\n"},
	{"a misspelt method is not taken for nearest",
		"pools: {p: {method: x, members: {a: {address: 192.0.2.1}}}}\n",
		":1:21: 'method' must be nearest, failover, weighted or all, not 'x'\n"},
	{"a reference to what is no map",
		"sites: 5\npools: {p: {method: all, members: {a: {site: s, address: "
		"192.0.2.1}}}}\n",
		":1:8: 'sites' must be a map of names, not '5'\n"
		"steerd.yaml:2:46: unknown site 's'\n"},
};

REFUSES(syntax)
REFUSES(keys)
REFUSES(types)
REFUSES(sites)
REFUSES(monitors)
REFUSES(pools)

/* Taken, but an operator may not have meant it. */
static const struct mistake warnings[] = {
	{"a site of nobody", "sites: {fra: {at: [1, 2]}}\n",
		"warning: steerd.yaml:1:9: site 'fra' is used by no member\n"},
	{"a monitor of nobody", MONITORS,
		"warning: steerd.yaml:1:12: monitor 'edge' is used by no pool\n"},
	{"a weight that weighs nothing",
		"pools: {p: {method: failover, members: {a: {address: 192.0.2.1, weight: 2}}}}\n",
		"warning: steerd.yaml:1:65: 'weight' has no effect in a pool whose method is "
		"failover\n"},
	{"a monitor of a pool of pools",
		"pools: {p: {method: all, monitor: m, members: {a: {pool: q}}}, q: {method: all, "
		"members: {b: {address: 192.0.2.1}}}}\nmonitors: {m: {https: {host: h}}}\n",
		"warning: steerd.yaml:1:26: 'monitor' has no effect: every member is a pool\n"},
};

WARNS(warnings)

static struct settings *parse_text(const struct text *yaml, struct report *report)
{
	return settings_parse(yaml->bytes, yaml->size, "steerd.yaml", report);
}

static void mistakes_without_end(void **state)
{
	struct report report = {0};
	struct text yaml = {0};

	(void)state;
	for (int i = 0; i < 200; i++)
		text_print(&yaml, "zz%d: 1\n", i);
	assert_null(parse_text(&yaml, &report));
	assert_int_equal(report.error_count, 101);
	assert_non_null(strstr(
		report.lines.bytes, "\nsteerd.yaml: too many mistakes; the first 100 are shown\n"));
	report_done(&report);
	text_done(&yaml);
}

/* A chain of `count` pools, each in the one before. */
static void add_chain(struct text *yaml, int count)
{
	text_add(yaml, "pools:\n");
	for (int i = 1; i < count; i++)
		text_print(yaml, "  p%d: {method: all, members: {a: {pool: p%d}}}\n", i, i + 1);
	text_print(yaml, "  p%d: {method: all, members: {a: {address: 192.0.2.1}}}\n", count);
}

static void pools_nest(void **state)
{
	struct report report = {0};
	struct text yaml = {0};

	(void)state;
	add_chain(&yaml, 32);

	struct settings *settings = parse_text(&yaml, &report);

	assert_non_null(settings);
	settings_free(settings);

	text_clear(&yaml);
	add_chain(&yaml, 33);
	assert_null(parse_text(&yaml, &report));
	assert_string_equal(
		report.lines.bytes, "steerd.yaml:2:3: pools nest more than 32 deep below 'p1'\n");
	report_done(&report);

	/* the whole chain is walked without a stack of calls */
	text_clear(&yaml);
	add_chain(&yaml, 50000);
	assert_null(parse_text(&yaml, &report));
	assert_string_equal(report.lines.bytes,
		"steerd.yaml:49969:3: pools nest more than 32 deep below 'p49968'\n");
	report_done(&report);
	text_done(&yaml);
}

static void too_many(void **state)
{
	struct report report = {0};
	struct text yaml = {0};

	(void)state;
	text_add(&yaml, "sites: {");
	for (int i = 0; i < 256; i++)
		text_print(&yaml, "s%d: {at: [1, 2]}, ", i);
	text_add(&yaml, "}");
	assert_null(parse_text(&yaml, &report));
	assert_string_equal(report.lines.bytes,
		"steerd.yaml:1:8: 'sites' must have at most 255 entries, not 256\n");
	report_done(&report);

	text_clear(&yaml);
	for (int i = 0; i < 100000; i++)
		text_print(&yaml, "%%TAG !t%d! x\n", i);
	text_add(&yaml, "--- {}\n");
	assert_null(parse_text(&yaml, &report));
	assert_string_equal(report.lines.bytes,
		"steerd.yaml:101:1: too many %TAG directives: there may be 100 at most\n");
	report_done(&report);

	text_clear(&yaml);
	text_add(&yaml, "a: [");
	for (int i = 0; i < 1000000; i++)
		text_add(&yaml, "1,");
	text_add(&yaml, "]");
	assert_null(parse_text(&yaml, &report));
	assert_non_null(
		strstr(report.lines.bytes, "too many values: there may be 1000000 at most"));
	report_done(&report);
	text_done(&yaml);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(syntax_refused),
		cmocka_unit_test(keys_refused),
		cmocka_unit_test(types_refused),
		cmocka_unit_test(sites_refused),
		cmocka_unit_test(monitors_refused),
		cmocka_unit_test(pools_refused),
		cmocka_unit_test(warnings_given),
		cmocka_unit_test(mistakes_without_end),
		cmocka_unit_test(pools_nest),
		cmocka_unit_test(too_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
