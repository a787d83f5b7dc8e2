/* SPDX-License-Identifier: MIT
 *
 * random.h - the one generator of the bench: small, fast, and the same sequence everywhere for the
 * same seed.
 */
#ifndef CHANBENCH_RANDOM_H
#define CHANBENCH_RANDOM_H

#include <stddef.h>
#include <stdint.h>

/* splitmix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014). The
 * state is the seed. */
static inline uint64_t random_next(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15u;
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

/* 0 to n - 1. The bias is n / 2^32: none that matters for the n of a bench. */
static inline size_t random_below(uint64_t *state, size_t n)
{
	return (size_t)((random_next(state) >> 32) * n >> 32);
}

#endif
