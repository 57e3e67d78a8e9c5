/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DNS_DNS_H
#define DNS_DNS_H

#include <stdint.h>

/*
 * dns - the numbers of the protocol (IANA "Domain Name System Parameters") and its limits.
 */
#define DNS_HEADER_SIZE 12    /* RFC 1035 4.1.1 */
#define DNS_NAME_MAX 255      /* RFC 1035 2.3.4, octets on the wire, the root label included */
#define DNS_LABEL_MAX 63      /* RFC 1035 2.3.4 */
#define DNS_LABELS_MAX 128    /* 127 labels of one octet and the root */
#define DNS_QUERY_MAX 1232    /* longest query that we read; none needs more */
#define DNS_UDP_MIN 512	      /* RFC 1035 2.3.4 */
#define DNS_UDP_MAX 1232      /* RFC 9715: what passes every path in one packet */
#define DNS_MESSAGE_MAX 65535 /* RFC 7766 8 */
#define DNS_CLASS_IN 1
#define DNS_CLASS_CH 3
#define DNS_TTL_MAX INT32_MAX /* RFC 2181 8 */

enum dns_type {
	DNS_TYPE_A = 1,
	DNS_TYPE_NS = 2,
	DNS_TYPE_CNAME = 5,
	DNS_TYPE_SOA = 6,
	DNS_TYPE_PTR = 12,
	DNS_TYPE_MX = 15,
	DNS_TYPE_TXT = 16,
	DNS_TYPE_AAAA = 28,
	DNS_TYPE_SRV = 33,
	DNS_TYPE_DNAME = 39,
	DNS_TYPE_OPT = 41,
	DNS_TYPE_DS = 43,
	DNS_TYPE_SVCB = 64,
	DNS_TYPE_HTTPS = 65,
	DNS_TYPE_NXNAME = 128, /* RFC 9824 2 */
	DNS_TYPE_IXFR = 251,
	DNS_TYPE_AXFR = 252,
	DNS_TYPE_ANY = 255,
	DNS_TYPE_CAA = 257,
};

enum dns_opcode { DNS_OPCODE_QUERY = 0, DNS_OPCODE_NOTIFY = 4, DNS_OPCODE_UPDATE = 5 };

enum dns_rcode {
	DNS_RCODE_NOERROR = 0,
	DNS_RCODE_FORMERR = 1,
	DNS_RCODE_SERVFAIL = 2,
	DNS_RCODE_NXDOMAIN = 3,
	DNS_RCODE_NOTIMP = 4,
	DNS_RCODE_REFUSED = 5,
	DNS_RCODE_YXDOMAIN = 6,
	DNS_RCODE_BADVERS = 16,	  /* RFC 6891 9: needs an OPT to carry its upper bits */
	DNS_RCODE_BADCOOKIE = 23, /* RFC 7873 8 */
};

/* The third and fourth octet of the header as one number (RFC 1035 4.1.1). */
enum dns_flag {
	DNS_FLAG_QR = 0x8000,
	DNS_FLAGS_OPCODE = 0x7800,
	DNS_FLAG_AA = 0x0400,
	DNS_FLAG_TC = 0x0200,
	DNS_FLAG_RD = 0x0100,
	DNS_FLAG_RA = 0x0080,
	DNS_FLAG_AD = 0x0020,
	DNS_FLAG_CD = 0x0010,
};

enum dns_option {
	DNS_OPTION_NSID = 3,	     /* RFC 5001 */
	DNS_OPTION_ECS = 8,	     /* RFC 7871 */
	DNS_OPTION_COOKIE = 10,	     /* RFC 7873 */
	DNS_OPTION_KEEPALIVE = 11,   /* RFC 7828 */
	DNS_OPTION_EDE = 15,	     /* RFC 8914 */
	DNS_OPTION_ZONEVERSION = 19, /* RFC 9660 */
};

enum dns_ede {
	DNS_EDE_NONE = 0,		 /* as a number it would be "other", which says nothing */
	DNS_EDE_NOT_AUTHORITATIVE = 20,	 /* RFC 8914 4.21 */
	DNS_EDE_NOT_SUPPORTED = 21,	 /* RFC 8914 4.22 */
	DNS_EDE_INVALID_QUERY_TYPE = 30, /* RFC 9824 3.5 */
};

#endif
