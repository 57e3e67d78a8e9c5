/* SPDX-License-Identifier: Apache-2.0 */
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../../src/ctl/columns.h"
#include "../../../src/ctl/print.h"
#include "steerd/base/memory.h"

/* What people see is compared whole: replies as docs/control.md has them, and the screen that they become. */

static const char troubled[] =
	"{'ok':true,'version':'1.2.3','pid':77,'now_unix_s':1700007200,"
	"'started_at_unix_s':1700000000,'generation':3,'plan':9,'settings':'/etc/steerd.yaml',"
	"'listen':['127.0.0.1:53','[::1]:53'],"
	"'problems':['pool api has no usable member: it answers with all of them (serve-all)',"
	"'api/a 192.0.2.1 is down for 5 min: x'],"
	"'prober':{'state':'down','pid':null,'restarts':2,'heard_ms':4000,"
	"'why':'killed by signal 9'},"
	"'reload':{'at_unix_s':1700007140,'ok':false,'lines':['x']},"
	"'overrides':[{'kind':'drain','subject':'site:fra','reason':'power','by':'alice',"
	"'since_unix_s':1700007170,'until_unix_s':1700010800,'members':1},"
	"{'kind':'up','subject':'b','reason':'','by':'bob as root','since_unix_s':1700007200,"
	"'until_unix_s':null,'members':2}],"
	"'zones':[{'name':'files.example.','serial':2026112201,'names':4,'records':5,"
	"'steered':2,'path':'zones/files.example.zone'}],"
	"'pools':[{'name':'api','method':'failover','answers':1,'monitor':'edge',"
	"'when_all_down':'serve-all','steers':['a.files.example.','b.files.example.'],"
	"'state':'down','usable':0,'members_total':3,'members':["
	"{'name':'a','site':'fra','host':null,'pool':null,'state':'down','since_unix_s':1700006900,"
	"'addresses':[{'address':'192.0.2.1','state':'down','since_unix_s':1700006900,"
	"'checked_at_unix_s':1700007198,'latency_ms':2000,'streak':3,'passed':false,"
	"'reason':'connect timed out after 2 s'},"
	"{'address':'2001:db8::1','state':'degraded','since_unix_s':1700000000,"
	"'checked_at_unix_s':1700007199,'latency_ms':12,'streak':9,'passed':true,"
	"'reason':'slow: took 12 ms, more than 9 ms'}]},"
	"{'name':'b','site':null,'host':null,'pool':null,'state':'drained',"
	"'since_unix_s':1700007170,'addresses':[{'address':'192.0.2.2','state':'unknown',"
	"'since_unix_s':null,'checked_at_unix_s':null,'latency_ms':null,'reason':null}]},"
	"{'name':'c','site':null,'host':'cdn.example','pool':null,'state':'unresolved',"
	"'since_unix_s':null,'addresses':[]}]},"
	"{'name':'all','method':'all','answers':null,'monitor':null,'steers':[],'state':'up',"
	"'usable':1,'members_total':1,'members':[{'name':'x','site':null,'host':null,"
	"'pool':'api','state':'degraded','since_unix_s':null,'addresses':[]}]}],"
	"'cookies':{'secrets':2,'since_unix_s':1700003600,'kept':true},"
	"'counters':{'udp_queries':1200,'tcp_queries':3,'steered':900,'limited_slipped':15,"
	"'limited_dropped':0,'would_have_slipped':70,'would_have_dropped':2},'tcp_open':1}";

static const char troubled_screen[] =
	"steerd 1.2.3 on 127.0.0.1:53 [::1]:53, for 2 h, process 77\n"
	"/etc/steerd.yaml, generation 3: 1 zone, 2 steered names\n"
	"\n"
	"2 problems\n"
	"  pool api has no usable member: it answers with all of them (serve-all)\n"
	"  api/a 192.0.2.1 is down for 5 min: x\n"
	"\n"
	"prober: down, last heard 4 s ago; started again 2 times, last because: killed by signal "
	"9\n"
	"files: last read 1 min ago, with mistakes\n"
	"queries: 1200 over UDP, 3 over TCP (1 connection open); 900 steered\n"
	"above the rate limit: 15 slipped, 0 dropped; in a dry run 70 would have slipped, 2 been "
	"dropped\n"
	"cookies: 2 secrets for 1 h\n"
	"\n"
	"overrides\n"
	"  SUBJECT   STATE      FOR    ENDS            MEMBERS  BY           REASON\n"
	"  site:fra  drained    30 s   in 1 h          1        alice        power\n"
	"  b         forced-up  < 1 s  it is released  2        bob as root\n"
	"\n"
	"pool api: down, 0 of 3 usable; failover, 1 answer, checked by edge; steers "
	"a.files.example., b.files.example.\n"
	"  MEMBER  SITE  ADDRESS           STATE                      FOR    CHECKED  LAST CHECK\n"
	"  a       fra   192.0.2.1         down                       5 min  2 s      connect "
	"timed "
	"out after 2 s\n"
	"                2001:db8::1       degraded                   2 h    1 s      passed in 12 "
	"ms, but slow: took 12 ms, more than 9 ms\n"
	"  b             192.0.2.2         drained (checks: unknown)  30 s\n"
	"  c             host cdn.example  unresolved\n"
	"\n"
	"pool all: up, 1 of 1 usable; all, not checked\n"
	"  MEMBER  SITE  ADDRESS   STATE     FOR  CHECKED  LAST CHECK\n"
	"  x             pool api  degraded\n"
	"\n"
	"zones\n"
	"  ZONE            SERIAL      NAMES  RECORDS  STEERED  FILE\n"
	"  files.example.  2026112201  4      5        2        zones/files.example.zone\n";

static const char steered[] =
	"{'ok':true,'name':'dl.files.example.','type':'A','client':'192.0.2.0/24',"
	"'outcome':'node','zone':'files.example.','owner':'*.files.example.','wildcard':true,"
	"'steered':true,'pool':'downloads','ttl_s':30,'place':{'known':true,'latitude':50.1,"
	"'longitude':8.7,'network':'192.0.2.0/20','label':'Frankfurt, DE','source':'city.mmdb'},"
	"'uses_geography':true,'class':7,'scope_bits':20,'kind':'addresses','candidates':["
	"{'pool':'downloads','member':'fra-1','site':'fra','address':'192.0.2.10',"
	"'distance_km':3.4,'kept':true,'share':0.25,'code':'kept','reason':'kept','check':null,"
	"'override':null},"
	"{'pool':'downloads','member':'iad-1','site':null,'address':'192.0.2.20',"
	"'distance_km':null,'kept':false,'share':0,'code':'health-down','reason':'its checks fail',"
	"'check':'status 500','override':null},"
	"{'pool':'eu','member':'x','site':null,'address':null,'distance_km':null,'kept':false,"
	"'share':0,'code':'drained','reason':'drained','check':null,"
	"'override':{'reason':'new disks'}}],"
	"'answers':[{'share':0.25,'addresses':['192.0.2.10','192.0.2.11']},"
	"{'share':0.75,'addresses':['192.0.2.11']}]}";

static const char steered_screen[] =
	"dl.files.example. A for 192.0.2.0/24\n"
	"  zone    files.example., at *.files.example. (a wildcard)\n"
	"  pool    downloads\n"
	"  client  Frankfurt, DE, at 50.10, 8.70 (192.0.2.0/20 in city.mmdb)\n"
	"  scope   /20, class 7\n"
	"\n"
	"  CANDIDATE        SITE  ADDRESS     DISTANCE  SHARE   DECISION\n"
	"  downloads/fra-1  fra   192.0.2.10  3 km      25.0 %  kept\n"
	"  downloads/iad-1        192.0.2.20                    its checks fail: status 500\n"
	"  eu/x                                                 drained: new disks\n"
	"\n"
	"answer, TTL 30 s\n"
	"   25.0 %  192.0.2.10 192.0.2.11\n"
	"   75.0 %  192.0.2.11\n";

/* What is not simply up or down. */
static const char believed[] =
	"{'ok':true,'name':'dl.files.example.','type':'A','client':'192.0.2.0/24','outcome':'node',"
	"'zone':'files.example.','owner':'dl.files.example.','wildcard':false,'steered':true,"
	"'pool':'downloads','ttl_s':30,'uses_geography':false,'class':0,'scope_bits':0,"
	"'kind':'addresses','candidates':["
	"{'pool':'downloads','member':'a','address':'192.0.2.1','kept':true,'share':0.125,"
	"'part':0.25,'code':'ramp','reason':'kept: it came back','check':null},"
	"{'pool':'downloads','member':'b','address':'192.0.2.2','kept':true,'share':0.125,"
	"'part':1.0,'code':'held-loss','reason':'kept: held','check':'status 500'},"
	"{'pool':'downloads','member':'c','address':'192.0.2.3','kept':true,'share':0.125,"
	"'part':0.5,'code':'degraded','reason':'kept: degraded','check':'took 900 ms'},"
	"{'pool':'downloads','member':'d','address':'192.0.2.4','kept':true,'share':0.125,"
	"'part':0.0,'code':'panic','reason':'kept: panic','check':'status 503'}],"
	"'answers':[{'share':1,'addresses':['192.0.2.4']}]}";

static const char believed_screen[] =
	"dl.files.example. A for 192.0.2.0/24\n"
	"  zone    files.example., at dl.files.example.\n"
	"  pool    downloads\n"
	"  client  its place does not matter to this pool\n"
	"  scope   /0, class 0\n"
	"\n"
	"  CANDIDATE    SITE  ADDRESS    DISTANCE  SHARE   DECISION\n"
	"  downloads/a        192.0.2.1            12.5 %  kept: it came back (25 % of its usual "
	"share)\n"
	"  downloads/b        192.0.2.2            12.5 %  kept: held: status 500\n"
	"  downloads/c        192.0.2.3            12.5 %  kept: degraded (50 % of its usual "
	"share): took 900 ms\n"
	"  downloads/d        192.0.2.4            12.5 %  kept: panic: status 503\n"
	"\n"
	"answer, TTL 30 s\n"
	"  100.0 %  192.0.2.4\n";

#define SERVICE(kind, answers)                                                                     \
	"{'ok':true,'name':'dl.files.example.','type':'HTTPS','client':'192.0.2.0/24',"            \
	"'outcome':'node','zone':'files.example.','owner':'dl.files.example.','wildcard':false,"   \
	"'steered':true,'pool':'downloads','ttl_s':30,'uses_geography':false,'class':0,"           \
	"'scope_bits':0,'kind':'" kind "','candidates':[],'answers':" answers "}"
#define SERVICE_SCREEN(answer)                                                                     \
	"dl.files.example. HTTPS for 192.0.2.0/24\n"                                               \
	"  zone    files.example., at dl.files.example.\n"                                         \
	"  pool    downloads\n"                                                                    \
	"  client  its place does not matter to this pool\n"                                       \
	"  scope   /0, class 0\n"                                                                  \
	"\n"                                                                                       \
	"answer, TTL 30 s\n" answer

/* A member that was asked for by name. */
static const char watched[] =
	"{'ok':true,'version':'1','pid':7,'now_unix_s':1700007200,'started_at_unix_s':1700000000,"
	"'generation':1,'settings':'s','listen':[],'problems':[],'zones':[],'pools':[{"
	"'name':'api','method':'all','monitor':'edge','state':'up','usable':1,'members_total':1,"
	"'members':[{'name':'a','site':null,'state':'down','since_unix_s':1700006900,"
	"'addresses':[{'address':'192.0.2.1','state':'down','since_unix_s':1700006900,"
	"'checked_at_unix_s':1700007198,'latency_ms':2000,'passed':false,'reason':'status 500',"
	"'checks':[{'monitor':'edge','watch_only':false,'state':'down','since_unix_s':1700006900,"
	"'checked_at_unix_s':1700007198,'passed':false,'latency_ms':2000,'latency_p50_ms':31,"
	"'latency_p95_ms':44,'rate_kbit_s':0,'outcomes':'..!.xxx','flaps':2,"
	"'held_until_unix_s':1700007220,'reason':'status 500','note':'MISS, age 0 s',"
	"'certificate':{'name':'dl.example','issuer':'Some CA','until_unix_s':1702000000}},"
	"{'monitor':'big','watch_only':true,'state':'unknown','since_unix_s':null,"
	"'checked_at_unix_s':null,'passed':null,'latency_ms':null,'outcomes':'',"
	"'rate_kbit_s':52100,'reason':null,'note':null,'certificate':null}]}]}]}]}";

static const char watched_screen[] =
	"\n"
	"api/a 192.0.2.1\n"
	"  MONITOR             STATE    FOR    CHECKED  LATENCY  P50    P95    LAST CHECK\n"
	"  edge                down     5 min  2 s      2 s      31 ms  44 ms  status 500\n"
	"  big (watched only)  unknown                                         not checked yet\n"
	"  edge: ..!.xxx  the newest last; ! degraded, x failed\n"
	"  edge: flapped 2 times: stays down for another 20 s\n"
	"  edge: certificate for dl.example by Some CA until 2023-12-08 01:46:40 UTC\n"
	"  edge: MISS, age 0 s\n"
	"  big: 52.1 Mbit/s\n";

/* Of a status, only what stands between the pools and the zones. */
static void print_watched(const json_t *reply, FILE *out, bool use_colour)
{
	const json_t *pool = json_array_get(json_object_get(reply, "pools"), 0);
	const json_t *member = json_array_get(json_object_get(pool, "members"), 0);
	const struct print_style style = {out, use_colour, print_number(reply, "now_unix_s")};

	print_checks(pool, member, &style);
}

static const char probed[] =
	"{'ok':false,'error':'not every check passed','checks':[{'pool':'api','member':'a',"
	"'address':'192.0.2.1','monitor':'edge','verdict':'down','reason':'status 500, expected "
	"200-299','error':null,'request':[{'name':'GET','value':'https://dl.example/'}],"
	"'phases':[{'name':'connect','ms':0.25,'words':null},{'name':'TLS','ms':12.5,'words':'x'}],"
	"'tls':[{'name':'protocol','value':'TLSv1.3'}],'certificates':[{'name':'CN=dl.example',"
	"'issuer':'CN=Some CA','until_unix_s':1702000000}],"
	"'headers':[{'name':'Content-Length','value':'3'}]},"
	"{'pool':'api','member':'b','address':'2001:db8::1','monitor':'edge','verdict':null,"
	"'reason':null,'error':'the prober does not run','request':[],'phases':[],'tls':[],"
	"'certificates':[],'headers':[]}]}";

static const char probed_screen[] =
	"api/a 192.0.2.1, monitor edge: down: status 500, expected 200-299\n"
	"  request\n"
	"    GET  https://dl.example/\n"
	"  phases\n"
	"    connect        0.2 ms\n"
	"    TLS           12.5 ms  x\n"
	"  tls\n"
	"    protocol  TLSv1.3\n"
	"  certificates\n"
	"    CN=dl.example  by CN=Some CA  until 2023-12-08 01:46:40 UTC\n"
	"  response\n"
	"    Content-Length  3\n"
	"\n"
	"api/b 2001:db8::1, monitor edge: not checked: the prober does not run\n";

typedef void (*print_fn)(const json_t *reply, FILE *out, bool use_colour);

static const struct {
	const char *about;
	print_fn print;
	const char *reply; /* with ' for " */
	const char *want;
} screens[] = {
	{"status with trouble", print_status, troubled, troubled_screen},
	{"explain", print_explain, steered, steered_screen},
	{"explain of what is believed", print_explain, believed, believed_screen},
	{"explain of hints", print_explain,
		SERVICE("hints", "[{'share':1,'addresses':['192.0.2.1','2001:db8::1']}]"),
		SERVICE_SCREEN(
			"  the name's own HTTPS records, with what A and AAAA get as hints:\n"
			"  100.0 %  192.0.2.1 2001:db8::1\n")},
	{"explain of hints that nobody gets", print_explain, SERVICE("hints", "[]"),
		SERVICE_SCREEN("  the name's own HTTPS records, without hints: A and AAAA get no "
			       "address\n")},
	{"explain of records without hints", print_explain, SERVICE("records", "[]"),
		SERVICE_SCREEN("  the name's own HTTPS records, which have no hints to replace\n")},
	{"explain of no such records", print_explain, SERVICE("nodata", "[]"),
		SERVICE_SCREEN("  no data: the name has no HTTPS records\n")},
	{"explain of a name that is not there", print_explain,
		"{'name':'x.','type':'A','client':'::/"
		"0','outcome':'missing','zone':'x.','owner':'',"
		"'steered':false}",
		"x. A for ::/0\n  zone    x.\n  it does not exist: answered with NXDOMAIN\n"},
	{"explain outside all zones", print_explain,
		"{'name':'x.','type':'A','client':'::/0','outcome':'outside','zone':'',"
		"'steered':false}",
		"x. A for ::/0\n  no zone here holds it: answered with REFUSED\n"},
	{"the checks of a member", print_watched, watched, watched_screen},
	{"a probe", print_probe, probed, probed_screen},
	{"a warning", print_outcome,
		"{'message':'a: drained (1 member in 1 pool)','warnings':['pool b has none'],"
		"'members':1}",
		"a: drained (1 member in 1 pool)\nwarning: pool b has none\n"},
	{"lines", print_outcome, "{'lines':['warning: z:1: x'],'message':'reloaded'}",
		"warning: z:1: x\nreloaded\n"},
	{"a reply from the future", print_outcome, "{'message':7,'warnings':'x'}", "\n"},
};

static char *screen_of(print_fn print, const char *reply, bool use_colour)
{
	char *text = memory_text(reply);
	char *screen = NULL;
	size_t size = 0;
	json_error_t error;
	FILE *out = open_memstream(&screen, &size);

	for (char *at = text; *at; at++)
		*at = *at == '\'' ? '"' : *at;

	json_t *json = json_loads(text, 0, &error);

	if (!json)
		fail_msg("%s: %s", reply, error.text);
	print(json, out, use_colour);
	fclose(out);
	json_decref(json);
	free(text);
	return screen;
}

static void screens_whole(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(screens); i++) {
		char *screen = screen_of(screens[i].print, screens[i].reply, false);

		if (strcmp(screen, screens[i].want) != 0)
			fail_msg("%s:\n%s\nnot\n%s", screens[i].about, screen, screens[i].want);
		free(screen);
	}
}

/* Whatever a reply lacks, nothing falls over: the empty one lacks everything. */
static void screens_of_nothing(void **state)
{
	static const print_fn prints[] = {
		print_status, print_explain, print_probe, print_watched, print_outcome};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(prints); i++) {
		free(screen_of(prints[i], "{}", true));
		free(screen_of(prints[i],
			"{'pools':[{'members':[{'addresses':[{'checks':[{}]}]}]}],"
			"'zones':[{}],'overrides':[{}],'checks':[{}],"
			"'steered':true,'candidates':[{}],'answers':[{}]}",
			true));
	}
}

/* Colours come in pairs, and are the only difference. */
static void colours_are_all_that_differs(void **state)
{
	char *plain = screen_of(print_status, troubled, false);
	char *coloured = screen_of(print_status, troubled, true);
	char *to = coloured;

	(void)state;
	assert_non_null(strstr(coloured, "\033[1;31mdown\033[0m"));
	for (const char *at = coloured; *at;) {
		if (*at == '\033') {
			at += strcspn(at, "m") + 1;
			continue;
		}
		*to++ = *at++;
	}
	*to = '\0';
	assert_string_equal(coloured, plain);
	free(plain);
	free(coloured);
}

static void columns_of_any_width(void **state)
{
	struct columns columns = {0};
	char *screen = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&screen, &size);

	(void)state;
	columns_add(&columns, COLOUR_NONE, "A");
	columns_add(&columns, COLOUR_NONE, "B");
	columns_add(&columns, COLOUR_NONE, "C");
	columns_end_row(&columns);
	columns_add(&columns, COLOUR_NONE, "\xc3\xa4\xc3\xb6"); /* two characters, four octets */
	columns_add(&columns, COLOUR_NONE, NULL);
	columns_add(&columns, COLOUR_NONE, "x");
	columns_end_row(&columns);
	columns_add(&columns, COLOUR_NONE, "abc");
	columns_add(&columns, COLOUR_NONE, "");
	columns_end_row(&columns);
	columns_print(&columns, out, false);
	fclose(out);
	assert_string_equal(screen, "  A    B  C\n  \xc3\xa4\xc3\xb6      x\n  abc\n");
	free(screen);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(screens_whole),
		cmocka_unit_test(screens_of_nothing),
		cmocka_unit_test(colours_are_all_that_differs),
		cmocka_unit_test(columns_of_any_width),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
