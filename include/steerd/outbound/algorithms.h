/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OUTBOUND_ALGORITHMS_H
#define OUTBOUND_ALGORITHMS_H

#include <stdbool.h>

/*
 * algorithms - of all that OpenSSL can do, what the TLS of today needs.
 *
 * OpenSSL 3 looks through every algorithm that it has whenever it makes a context or reads the key of a certificate: of a
 * handshake's instructions a third goes into passing over GOST, SM4, DSA and some two hundred others.  So the prober's
 * library is given a provider of its own: the same code of the default provider, with the others left out of what it says
 * that it has.  A server that speaks nothing of what is left is one that no browser can speak to either.
 */

/*
 * For this thread, from here on; before anything of TLS is made.  False: OpenSSL is as it was, which is well, and slower.
 */
bool algorithms_restrict(void);

#endif
