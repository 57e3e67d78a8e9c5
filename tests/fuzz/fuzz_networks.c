/* SPDX-License-Identifier: Apache-2.0 */
/* Covers: src/geo/network.c */

/* The networks file: the worst outcome is a report. */

#include <stdlib.h>
#include <string.h>

#include "network.h"
#include "steerd/base/memory.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct geo_site sites[] = {{"fra", {50.11, 8.68}}, {"iad", {38.95, -77.45}}};
	static const struct geo_request request = {
		.networks_path = "networks.csv", .sites = sites, .site_count = COUNT_OF(sites)};
	struct networks networks = {0};
	struct report report = {0};
	char *bytes = memory_new(size + 1); /* as file_read() leaves them */

	if (size > 0)
		memcpy(bytes, data, size);
	networks_parse(bytes, size, &request, &networks, &report);
	for (size_t i = 0; i < networks.count; i++)
		(void)networks_find(&networks, &networks.items[i].prefix.address);
	networks_done(&networks);
	report_done(&report);
	free(bytes);
	return 0;
}
