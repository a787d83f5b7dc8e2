/* SPDX-License-Identifier: MIT
 *
 * words.h - an element in memory that may be overwritten while it is read: copied as atomic words.
 *
 * A reader that copies first and asks afterwards whether the copy is whole (a sequence lock) reads
 * what another thread is writing. As plain memory that is a data race, whatever is done with the
 * copy; as atomic words it is not, and costs the same: the words are moved with plain moves. (After
 * Boehm, "Can seqlocks get along with programming language memory models?", MSPC 2012.)
 *
 *   writer                                  reader
 *   ------                                  ------
 *   the mark that says "being written"      the mark, with acquire
 *   chan_words_store(words, element, n)     chan_words_load(element, words, n)
 *   the mark of the new one, with release   the mark again; the same: the copy is whole
 *
 * ORDER. Each store is a release and each load an acquire, instead of the fence that Linux's
 * seqlock has here: a reader that finds one word of a later element has synchronised with its
 * writer, and so sees at its second look the mark that was set before that word. (Fences would do
 * as well, but ThreadSanitizer does not know them. On x86 both are a plain move.)
 *
 * `words` has room for chan_words(size) words; the bytes of the last one that the element does not
 * have are 0. Elements need no alignment, and may be NULL when they have no bytes.
 */
#ifndef CHANBENCH_BASE_WORDS_H
#define CHANBENCH_BASE_WORDS_H

#include "impls/base/compiler.h"

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef _Atomic uint64_t chan_word_t;

/* Words for an element of `size` bytes. */
static inline size_t chan_words(size_t size)
{
	return (size + 7) / 8;
}

/* One word, of which the element has `bytes`. */
static inline void chan_word_store(chan_word_t *word, const char *from, size_t bytes)
{
	uint64_t value = 0;

	memcpy(&value, from, bytes);
	atomic_store_explicit(word, value, memory_order_release);
}

static inline void chan_word_load(char *to, const chan_word_t *word, size_t bytes)
{
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
