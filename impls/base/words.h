/* SPDX-License-Identifier: MIT
 *
 * words.h - an element in memory that may be overwritten while it is read: copied as atomic words.
 *
 * A reader that copies first and asks afterwards whether the copy is whole (a sequence lock) reads what another thread is writing.
 * As plain memory that is a data race, whatever is done with the copy; as atomic words it is not, and costs the same: the words
 * are moved with plain moves. (After Boehm, "Can seqlocks get along with programming language memory models?", MSPC 2012.)
 *
 *   writer                                  reader
 *   ------                                  ------
 *   the mark that says "being written"      the mark, with acquire
 *   chan_words_store(words, element, n)     chan_words_load(element, words, n)
 *   the mark of the new one, with release   the mark again; the same: the copy is whole
 *
 * ORDER. Each store is a release and each load an acquire, instead of the fence that Linux's seqlock has here: a reader that finds one word
 * of a later element has synchronised with its writer, and so sees at its second look the mark that was set before that word. (Fences
 * would do as well, but ThreadSanitizer does not know them. On x86 both are a plain move.)
 *
 * `words` has room for chan_words(size) words; the bytes of the last one that the element does not have are 0. Elements need no
 * alignment, and may be NULL when they have no bytes.
 */
#ifndef CHANBENCH_BASE_WORDS_H
#define CHANBENCH_BASE_WORDS_H

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

static inline void chan_words_store(chan_word_t *words, const void *element, size_t size)
{
	const char *from = element;
	uint64_t word;

	for (; size >= 8; size -= 8, from += 8, words++) {
		memcpy(&word, from, 8);
		atomic_store_explicit(words, word, memory_order_release);
	}
	if (size != 0) {
		word = 0;
		memcpy(&word, from, size);
		atomic_store_explicit(words, word, memory_order_release);
	}
}

static inline void chan_words_load(void *element, const chan_word_t *words, size_t size)
{
	char *to = element;
	uint64_t word;

	for (; size >= 8; size -= 8, to += 8, words++) {
		word = atomic_load_explicit(words, memory_order_acquire);
		memcpy(to, &word, 8);
	}
	if (size != 0) {
		word = atomic_load_explicit(words, memory_order_acquire);
		memcpy(to, &word, size);
	}
}

#endif
