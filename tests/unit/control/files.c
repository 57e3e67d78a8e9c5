/* SPDX-License-Identifier: Apache-2.0 */
#include "files.h"

#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "steerd/base/file.h"
#include "steerd/base/text.h"

static const char settings[] =
	"listen: [\"127.0.0.1:0\"]\n"
	"workers: 1\n"
	"zones: zones/\n"
	"state: state\n"
	"control: run/control\n"
	"geo: {networks: networks.csv, city: %s}\n"
	"sites:\n"
	"  fra: {at: [50.11, 8.68]}\n"
	"  iad: {at: [38.95, -77.45]}\n"
	"monitors:\n"
	"  edge: {https: {host: dl.files.example, path: /health}}\n"
	"pools:\n"
	"  downloads:\n"
	"    method: nearest\n"
	"    answers: 2\n"
	"    monitor: edge\n"
	"    members:\n"
	"      fra-1: {site: fra, address: [192.0.2.10, \"2001:db8:1::10\"]}\n"
	"      fra-2: {site: fra, address: 192.0.2.11}\n"
	"      iad-1: {site: iad, address: 192.0.2.20}\n"
	"  api:\n"
	"    method: failover\n"
	"    monitor: {all-of: [edge, edge]}\n"
	"    members:\n"
	"      fra-1: {address: 192.0.2.10}\n"
	"      rest: {pool: last}\n"
	"  last:\n"
	"    method: all\n"
	"    when-all-down: fallback\n"
	"    members:\n"
	"      z-1: {address: 192.0.2.99}\n";

static const char zone[] = "$TTL 3600\n"
			   "@         SOA ns1 hostmaster 2026112201 7200 900 1209600 60\n"
			   "@         NS  ns1\n"
			   "ns1       A   192.0.2.1\n"
			   "dl        A   192.0.2.2\n"
			   "_steer.dl 30 TXT \"pool=downloads\"\n"
			   "_steer.api 60 TXT \"pool=api\"\n"
			   "last      A   192.0.2.3\n"
			   "_steer.last 60 TXT \"pool=last\"\n"
			   "_steer.*.w 60 TXT \"pool=downloads\"\n";

char *files_path(const struct files *files, const char *name)
{
	struct text path = {0};

	text_print(&path, "%s/%s", files->directory, name);
	return path.bytes;
}

void files_put(const struct files *files, const char *name, const char *content)
{
	char *path = files_path(files, name);
	struct err err;

	if (!file_replace(path, FILE_MODE, content, strlen(content), &err))
		fail_msg("%s", err.text);
	free(path);
}

void files_put_settings(const struct files *files)
{
	/* made in the build tree, where tests run */
	char *city = realpath("geo/default.geo", NULL);
	struct text text = {0};

	assert_non_null(city);
	text_print(&text, settings, city);
	files_put(files, "steerd.yaml", text.bytes);
	text_done(&text);
	free(city);
}

void files_init(struct files *files)
{
	char *zones;

	strcpy(files->directory, "/tmp/steerd-test-XXXXXX");
	assert_non_null(mkdtemp(files->directory));
	zones = files_path(files, "zones");
	assert_int_equal(mkdir(zones, 0700), 0);
	free(zones);
	files->settings_path = files_path(files, "steerd.yaml");
	files_put_settings(files);
	files_put(files, "networks.csv", "198.18.0.0/16,fra\n198.19.0.0/16,iad\n");
	files_put(files, "zones/files.example.zone", zone);
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *walk)
{
	(void)status;
	(void)kind;
	(void)walk;
	return remove(path);
}

void files_done(struct files *files)
{
	(void)nftw(files->directory, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	free(files->settings_path);
}
