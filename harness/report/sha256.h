/* SPDX-License-Identifier: MIT
 *
 * sha256.h - SHA-256 (FIPS 180-4): the names of data files, and of the style and script of a page
 * in its security policy.
 */
#ifndef CHANBENCH_REPORT_SHA256_H
#define CHANBENCH_REPORT_SHA256_H

#include <stddef.h>
#include <stdint.h>

void sha256(const void *bytes, size_t length, uint8_t digest[32]);

/* The same as 64 hexadecimal digits, and in base 64. */
void sha256_hex(const void *bytes, size_t length, char text[65]);
void sha256_base64(const void *bytes, size_t length, char text[45]);

#endif
