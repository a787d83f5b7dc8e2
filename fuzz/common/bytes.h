/* SPDX-License-Identifier: MIT
 *
 * bytes.h - an input of the fuzzer, read as decisions.
 *
 * Each decision takes one byte (or a few) from the front; behind the end every byte reads as 0. So
 * every input is a valid one, a prefix of an input makes the same first decisions, and a mutation
 * of one byte changes one decision.
 */
#ifndef CHANBENCH_FUZZ_BYTES_H
#define CHANBENCH_FUZZ_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bytes {
	const uint8_t *at;
	size_t left;
};

static inline bool bytes_end(const struct bytes *in)
{
	return in->left == 0;
}

static inline uint8_t bytes_u8(struct bytes *in)
{
	if (in->left == 0)
		return 0;
	in->left--;
	return *in->at++;
}

static inline bool bytes_bool(struct bytes *in)
{
	return (bytes_u8(in) & 1) != 0;
}

/* A number less than `n`, which is 1 to 256. */
static inline unsigned bytes_below(struct bytes *in, unsigned n)
{
	return bytes_u8(in) % n;
}

#endif
