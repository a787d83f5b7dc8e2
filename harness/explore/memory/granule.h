/* SPDX-License-Identifier: MIT
 *
 * granule.h - what an execution knows of one granule (8 aligned bytes) of memory: which threads
 * accessed it when, and the stores of the atomic objects in it.
 */
#ifndef CHANBENCH_EXPLORE_GRANULE_H
#define CHANBENCH_EXPLORE_GRANULE_H

#include "harness/explore/runtime/region.h"
#include <assert.h>

#define ACCESSES_TOGETHER 2

/* The last access of one thread of one kind to the same bytes. */
struct access {
	uintptr_t pc;
	uint32_t epoch;
	union {
		struct {
			uint8_t thread;
			uint8_t mask; /* of the granule's bytes; 0: forgotten */
			uint8_t kind; /* of enum explore_access_kind */
		};
		uint32_t key; /* all of these at once */
	};
};

/* The same as numbers. */
#define ACCESS_MASK                    0xff00u
#define ACCESS_KIND(kind)              ((uint32_t)(kind) << 16)
#define ACCESS_KEY(thread, mask, kind) ((uint32_t)(thread) | (uint32_t)(mask) << 8 | ACCESS_KIND(kind))

struct accesses {
	struct access item[ACCESSES_TOGETHER];
	struct accesses *more;
	unsigned count;
};

/* One store to an atomic object. Their order in `older` is the modification order. */
struct store {
	struct store *older;
	uint64_t value;
	/* that made it; 0: it was there when the object was first looked at */
	uint32_t step;
	/* what an acquire load that reads it synchronises with; NULL: nothing */
	const struct explore_clock *release;
	/* of the first seq_cst operation that wrote or read it, in their total order;
	 * UINT32_MAX: none */
	uint32_t place;
	/* the epoch in which each thread first wrote or read it; UINT32_MAX: never */
	uint32_t seen[EXPLORE_THREADS];
};

/* An atomic object. */
struct explore_location {
	struct explore_location *next; /* in the same granule */
	struct store *newest;
	/* Release sequences as C11 has them go on over later stores of the thread that began
	 * them: by thread, what the one it began and nobody interrupted releases. NULL: no array
	 * yet. */
	const struct explore_clock **head;
	uint16_t heads; /* mask of the threads for which there is one */
	uint8_t mask;   /* its bytes in the granule */
	uint8_t size;
};

struct explore_granule {
	struct accesses plain;
	struct accesses *atomic; /* apart, for two atomic ones never race */
	struct explore_location *locations;
};

static_assert(sizeof(struct explore_granule) == GRANULE_SIZE, "a granule is a cache line");

static inline struct explore_granule *granule_of(const struct shadow *shadow)
{
	return (struct explore_granule *)(GRANULES_BASE + shadow->granule * GRANULE_SIZE);
}

static inline bool granule_is_new(const struct shadow *shadow)
{
	return shadow->generation != explore_now.generation;
}

static inline bool granule_is_freed(const struct shadow *shadow)
{
	return shadow->granule == 0;
}

/* Checks an access to some bytes of the granule of `address` against all earlier ones, and
 * remembers it. */
struct explore_granule *explore_access_word(uintptr_t address, unsigned mask, unsigned kind, uintptr_t pc);

#endif
