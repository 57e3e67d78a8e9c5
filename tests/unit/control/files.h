/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TEST_CONTROL_FILES_H
#define TEST_CONTROL_FILES_H

/*
 * files - a directory with a configuration and a zone, real ones, for tests of what acts on a whole snapshot.
 *
 * Two pools: "downloads" (nearest, monitored: fra-1 and fra-2 at fra, iad-1 at iad; fra-1 has both families) and
 * "api" (failover, monitored: fra-1 with the same first address, then the pool "last" with the member z-1, unmonitored,
 * which falls back to the name's own records).  dl and api and *.w are steered in files.example.
 */
struct files {
	char directory[64];
	char *settings_path;
};

void files_init(struct files *files);
void files_done(struct files *files); /* removes everything */

/* Replaces a file below the directory. */
void files_put(const struct files *files, const char *name, const char *content);
/* The whole path; the caller frees it. */
char *files_path(const struct files *files, const char *name);

/* The configuration as it is at first. */
void files_put_settings(const struct files *files);

#endif
