/* SPDX-License-Identifier: MIT
 *
 * words.h - an element in memory that may be overwritten while it is read: it is copied as atomic
 * words.
 *
 * A reader that copies first and asks afterwards whether the copy is whole (a sequence lock) reads
 * what another thread is writing. As plain memory that would be a data race, whatever the reader
 * does with the copy. As atomic words it is none, and it costs the same: the words are moved with
 * plain moves. The source is Boehm, "Can seqlocks get along with programming language memory
 * models?", MSPC 2012.
 *
 *   writer                                       reader
 *   ------                                       ------
 *   1  the stamp := "being written"              1  reads the stamp, with acquire
 *   2  chan_words_store(words, element, n)       2  chan_words_load(element, words, n)
 *   3  the stamp := the new one, with release    3  reads the stamp again; if it is the same, the
 *                                                   copy is whole
 *
 * ORDER
 *   A1 -> R1  each store of a word (release) -> each load of it (acquire). A reader that finds one
 *             word of a later element has synchronised with its writer. So its second look at the
 *             stamp sees what the writer set before that word.
 *
 * LAYOUT. `words` has room for chan_words(size) words. The bytes of the last word that the element
 * does not have are 0. Elements need no alignment, and may be NULL when they have no bytes.
 *
 * NOTES. Linux's seqlock has fences in place of A1 and R1. They would do as well, but
 * ThreadSanitizer does not know them. On x86 both are a plain move.
 */
#ifndef CHANBENCH_BASE_WORDS_H
#define CHANBENCH_BASE_WORDS_H

#include "impls/base/compiler.h"

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef _Atomic uint64_t chan_word_t;

/* The number of words of an element of `size` bytes. */
static inline size_t chan_words(size_t size)
{
	return (size + 7) / 8;
}

/* Stores one word, of which the element has `bytes` bytes. */
static inline void chan_word_store(chan_word_t *word, const char *from, size_t bytes)
{
	uint64_t value = 0;

	memcpy(&value, from, bytes);
	atomic_store_explicit(word, value, memory_order_release); /* A1: after the stamp */
}

static inline void chan_word_load(char *to, const chan_word_t *word, size_t bytes)
{
	/* R1: before the second look */
	uint64_t value = atomic_load_explicit(word, memory_order_acquire);

	memcpy(to, &value, bytes);
}

/* Four at a time: compilers do not unroll loops over atomics. */
static inline void chan_words_store(chan_word_t *words, const void *element, size_t size)
{
	const char *from = element;

	for (; size >= 32; size -= 32, from += 32, words += 4) {
		chan_word_store(words, from, 8);
		chan_word_store(words + 1, from + 8, 8);
		chan_word_store(words + 2, from + 16, 8);
		chan_word_store(words + 3, from + 24, 8);
	}
	for (; size >= 8; size -= 8, from += 8, words++)
		chan_word_store(words, from, 8);
	if (size != 0)
		chan_word_store(words, from, size);
}

static CHAN_INLINE void chan_words_load(void *element, const chan_word_t *words, size_t size)
{
	char *to = element;

	for (; size >= 32; size -= 32, to += 32, words += 4) {
		chan_word_load(to, words, 8);
		chan_word_load(to + 8, words + 1, 8);
		chan_word_load(to + 16, words + 2, 8);
		chan_word_load(to + 24, words + 3, 8);
	}
	for (; size >= 8; size -= 8, to += 8, words++)
		chan_word_load(to, words, 8);
	if (size != 0)
		chan_word_load(to, words, size);
}

#endif
