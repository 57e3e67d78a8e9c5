/* SPDX-License-Identifier: Apache-2.0 */
#include "tell.h"

#include <stdio.h>
#include <string.h>

#include "check.h"
#include "findings.h"

/* Of one answer: those of four, and the verdict, find room among the findings. */
#define FIELDS_TOLD 40

void tell_connection(struct check *check)
{
	const struct curl_tlssessioninfo *session = NULL;
	const unsigned char *protocol = NULL;
	unsigned size = 0;

	if (!check->order.findings || !check->hops[check->hop_count - 1].is_tls ||
		curl_easy_getinfo(check->easy, CURLINFO_TLS_SSL_PTR, &session) != CURLE_OK ||
		!session->internals)
		return;
	check->tls_protocol = SSL_get_version(session->internals);
	check->tls_cipher = SSL_get_cipher_name(session->internals);
	SSL_get0_alpn_selected(session->internals, &protocol, &size);
	snprintf(check->alpn, sizeof(check->alpn), "%.*s", (int)size, (const char *)protocol);
}

static void tell_request(struct check *check)
{
	const struct hop *hop = &check->hops[check->hop_count - 1];
	struct address_port to = {check->address, hop->port};
	char address[ADDRESS_PORT_TEXT_SIZE];
	struct text range = {0};

	findings_add(check->order.findings, FINDING_REQUEST,
		check->monitor->method ? check->monitor->method : "GET", hop->url.bytes, 0);
	address_port_print(&to, address);
	findings_add(check->order.findings, FINDING_REQUEST, "to", address, 0);
	if (check->monitor->range_bytes > 0) {
		range_print(&check->ask, &range);
		findings_add(check->order.findings, FINDING_REQUEST, "range", range.bytes, 0);
	}
	text_done(&range);
}

/* From when it came to a phase to when it came to the next one. */
static void tell_phases(struct check *check)
{
	static const char *const names[] = {
		[PHASE_RESOLVE] = "resolve",
		[PHASE_CONNECT] = "connect",
		[PHASE_TLS] = "tls",
		[PHASE_ANSWER] = "first byte",
		[PHASE_BODY] = "body",
	};

	for (size_t i = 0; i < REASON_PHASES; i++) {
		uint64_t end_us = check->ended_at_us;

		if (check->phase_at_us[i] == 0)
			continue;
		for (size_t k = REASON_PHASES - 1; k > i; k--)
			if (check->phase_at_us[k] > 0)
				end_us = check->phase_at_us[k];
		findings_add(check->order.findings, FINDING_PHASE, names[i],
			i == check->phase && i != PHASE_BODY ? "not over" : "",
			end_us - check->phase_at_us[i]);
	}
}

static void tell_tls(struct check *check)
{
	struct findings *findings = check->order.findings;

	if (!check->tls_protocol)
		return;
	findings_add(findings, FINDING_TLS, "protocol", check->tls_protocol, 0);
	findings_add(findings, FINDING_TLS, "cipher", check->tls_cipher, 0);
	findings_add(findings, FINDING_TLS, "alpn", *check->alpn ? check->alpn : "none", 0);
}

void tell_chain(const struct sight *sight, struct findings *findings)
{
	for (int i = 0; i < sk_X509_num(sight->chain); i++) {
		const X509 *x509 = sk_X509_value(sight->chain, i);
		char subject[128];
		char issuer[128];

		certificate_print_name(X509_get_subject_name(x509), subject, sizeof(subject));
		certificate_print_name(X509_get_issuer_name(x509), issuer, sizeof(issuer));
		findings_add(findings, FINDING_CERTIFICATE, subject, issuer,
			certificate_time(X509_get0_notAfter(x509)));
	}
}

static void tell_fields(struct check *check)
{
	const struct text *all = &check->answer->all;
	char status[24];

	if (check->answer->status > 0) {
		snprintf(status, sizeof(status), "%ld", check->answer->status);
		findings_add(check->order.findings, FINDING_HEADER, "status", status, 0);
	}
	const char *at = all->bytes;

	for (int told = 0; at && at < all->bytes + all->size && told < FIELDS_TOLD; told++) {
		const char *value = at + strlen(at) + 1;

		findings_add(check->order.findings, FINDING_HEADER, at, value, 0);
		at = value + strlen(value) + 1;
	}
}

void tell_hop(struct check *check)
{
	if (!check->order.findings)
		return;
	tell_request(check);
	tell_phases(check);
	tell_tls(check);
	tell_chain(&check->sight, check->order.findings);
	tell_fields(check);
}
