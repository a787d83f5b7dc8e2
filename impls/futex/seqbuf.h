/* SPDX-License-Identifier: MIT
 *
 * seqbuf.h - one value that one thread at a time writes and any number read, without a lock and
 * without waiting for each other.
 *
 * OVERVIEW. A sequence lock with several buffers: Linux has it as seqcount_latch, with two. Writes
 * are numbered. Write n goes to buffer n mod B, while readers read the buffers before it. A value
 * carries a version, which not every write increases (W-21). So the version stands beside each
 * buffer and is read with it: version and value are of one write (W-3).
 *
 * WRITE
 *   1. prepare: write the value to buffer n mod B (A2), where n - 1 is the newest.
 *   2. publish: write the version (A2), then n to `newest` (A1).
 * READ
 *   1. Load n from `newest` (R1); load the version and copy the value of buffer n mod B (R2).
 *   2. Load `newest` again. The copy is whole unless write n + B had begun, that is, unless
 *      n + B - 1 had been published.
 *
 * INVARIANTS
 *   I1  A writer never waits for a reader, nor a reader for a writer. A writer that stands in the
 *       middle of a write is passed by, for nobody reads the buffer that it writes. (With one
 *       buffer, the plain sequence lock, all readers would wait for it.)
 *   I2  A reader writes nothing.
 *   I3  A reader fails only if B - 1 writes were published during its copy; then it tries again. A
 *       reader that fails too often stops the writer in its own way (watch.c). At most one write
 *       can be under way then, so the second try succeeds.
 *
 * LINEARIZATION. A write: the store of `newest`. A read: its first load of it.
 *
 * ORDER (A release, R acquire). The caller orders writers among each other.
 *   A1 -> R1  newest -> its load by a reader: all words of write n and before, and what the writer
 *             did before it.
 *   A2 -> R2  each word and version of a buffer -> its load by a reader (words.h): the number that
 *             was published before. A reader that sees a word of write n + B has synchronised with
 *             the writer after it had stored n + B - 1 in `newest`. So it sees that number, or a
 *             later one, at its second look, and the copy does not count.
 *
 * WRAP. Numbers are 64 bits and compared by distance. B is a power of two, so n mod B goes round
 * with them. To be misled a reader would have to stand during exactly 2^64 writes.
 *
 * NOTES
 *
 * Memory. The number of the newest and the versions share a line. Two buffers lie in the same line
 * if they are small enough: then a new value crosses between two cores with one transfer. Else each
 * buffer begins on a line of its own, and there are up to eight of them, in SEQBUF_ROOM bytes (of
 * eight, the last version is on a second line). More buffers help both sides: a writer that comes
 * round to a buffer that was read just now waits for its line, and a reader whose copy was
 * overwritten begins again. In M writes/s and M reads/s:
 *
 *                                        two buffers       eight
 *   64 bytes, one writer, one reader      4 and 21          38 and 15    each on a core
 *   64 bytes, one writer, four readers    7 and 75          16 and 78    on two cores
 *   8 bytes, one writer, one reader       51 and 71         30 and 16    the two lie in the line of
 *                                                                        the numbers
 */
#ifndef CHANBENCH_FUTEX_SEQBUF_H
#define CHANBENCH_FUTEX_SEQBUF_H

#include "impls/base/compiler.h"
#include "impls/base/words.h"

#include <stdalign.h>
#include <stdbool.h>

#define SEQBUF_LINE  64u
#define SEQBUF_LEAST 2u /* buffers */
#define SEQBUF_MOST  8u
#define SEQBUF_ROOM  2048u /* bytes for more than the least */

/* How one lies in memory, never written after open. */
struct seqbuf_shape {
	size_t size;          /* of an element */
	size_t first, stride; /* bytes to the first buffer, and from one to the next */
	uint64_t mask;        /* buffers - 1 */
};

/* The versions of the buffers, one each; then the buffers. */
struct seqbuf {
	alignas(SEQBUF_LINE) _Atomic uint64_t newest;
	chan_word_t versions[];
};

/* The write that a reader has read. */
struct seqbuf_read {
	uint64_t number, version;
};

/* Whole lines for that many bytes. */
static inline size_t seqbuf_lines(size_t bytes)
{
	return (bytes + SEQBUF_LINE - 1) / SEQBUF_LINE * SEQBUF_LINE;
}

/* Where the last of so many versions ends. */
static inline size_t seqbuf_versions_end(size_t buffers)
{
	return offsetof(struct seqbuf, versions) + buffers * sizeof(chan_word_t);
}

static inline void seqbuf_shape(struct seqbuf_shape *shape, size_t size)
{
	size_t bytes = chan_words(size) * 8, buffers = SEQBUF_LEAST;

	shape->size = size;
	shape->stride = bytes;
	shape->first = seqbuf_versions_end(buffers);
	if (shape->first + buffers * bytes > SEQBUF_LINE) {
		shape->stride = seqbuf_lines(bytes);
		while (buffers < SEQBUF_MOST && 2 * buffers * shape->stride <= SEQBUF_ROOM)
			buffers *= 2;
		shape->first = seqbuf_lines(seqbuf_versions_end(buffers));
	}
	shape->mask = buffers - 1;
}

/* Bytes that a seqbuf takes, its buffers included. */
static inline size_t seqbuf_bytes(const struct seqbuf_shape *shape)
{
	return seqbuf_lines(shape->first + (size_t)(shape->mask + 1) * shape->stride);
}

static inline chan_word_t *seqbuf_words(const struct seqbuf *b, const struct seqbuf_shape *shape, uint64_t number)
{
	return (chan_word_t *)(void *)((char *)(uintptr_t)b + shape->first + (number & shape->mask) * shape->stride);
}

/* --- the writer: one thread at a time --- */

static inline uint64_t seqbuf_version(const struct seqbuf *b, const struct seqbuf_shape *shape)
{
	uint64_t newest = atomic_load_explicit(&b->newest, memory_order_relaxed);

	return atomic_load_explicit(&b->versions[newest & shape->mask], memory_order_relaxed);
}

/* Copies the newest value. `element` is not one of the buffers. */
static inline void seqbuf_get(const struct seqbuf *b, const struct seqbuf_shape *shape, void *element)
{
	uint64_t newest = atomic_load_explicit(&b->newest, memory_order_relaxed);

	chan_words_load(element, seqbuf_words(b, shape, newest), shape->size);
}

/* Writes the next value where nobody reads; seqbuf_publish lets it be seen. Between the two,
 * seqbuf_get gives the value before. */
static inline void seqbuf_prepare(struct seqbuf *b, const struct seqbuf_shape *shape, const void *element)
{
	uint64_t next = atomic_load_explicit(&b->newest, memory_order_relaxed) + 1;

	/* A2: after the numbers before */
	chan_words_store(seqbuf_words(b, shape, next), element, shape->size);
}

static inline void seqbuf_publish(struct seqbuf *b, const struct seqbuf_shape *shape, uint64_t version)
{
	uint64_t next = atomic_load_explicit(&b->newest, memory_order_relaxed) + 1;

	/* A2: the version of its value */
	atomic_store_explicit(&b->versions[next & shape->mask], version, memory_order_release);
	/* A1: all of it is written */
	atomic_store_explicit(&b->newest, next, memory_order_release);
}

/* The first value, before there are readers. Numbers and versions begin at `start`. */
static inline void seqbuf_init(struct seqbuf *b, const struct seqbuf_shape *shape, const void *element, uint64_t start)
{
	atomic_init(&b->newest, start - 1);
	seqbuf_prepare(b, shape, element);
	seqbuf_publish(b, shape, start);
}

/* --- readers --- */

/* Copies the newest value, if `value` asks for it, and says which it was. False: it was
 * overwritten meanwhile, and what was copied is a mixture. */
static CHAN_INLINE bool seqbuf_try_read(const struct seqbuf *b, const struct seqbuf_shape *shape, bool value,
                                        void *element, struct seqbuf_read *read)
{
	/* R1: all of that write */
	read->number = atomic_load_explicit(&b->newest, memory_order_acquire);
	/* R2: before the second look */
	read->version = atomic_load_explicit(&b->versions[read->number & shape->mask], memory_order_acquire);
	if (value)
		/* R2: before the second look */
		chan_words_load(element, seqbuf_words(b, shape, read->number), shape->size);
	return atomic_load_explicit(&b->newest, memory_order_relaxed) - read->number < shape->mask;
}

#endif
