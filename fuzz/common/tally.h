/* SPDX-License-Identifier: MIT
 *
 * tally.h - the messages of a run: what they look like in memory, and which of them the channel
 * destroyed.
 *
 * A message is a number, counted from 0. Its element is filled with bytes that follow from the
 * number alone; so what comes out can be compared with it, every byte. Elements shorter than the
 * number hold its low bytes, those of size 0 nothing: such messages are told apart as far as their
 * bytes allow (tally_key).
 *
 * `tally_destroy` is the channel's `destroy` hook. It writes down what it is given, in order,
 * overwrites the element, and runs `on_destroy` if there is one. Each step's entries are compared
 * with the model's, and at the end the tally must be whole (rule D-1): what was sent = what was
 * received + what was destroyed.
 *
 * Buffers. The elements of an array end where the memory ends, so that a sanitizer sees an access
 * behind the last.
 */
#ifndef CHANBENCH_FUZZ_TALLY_H
#define CHANBENCH_FUZZ_TALLY_H

#include "fuzz/common/bytes.h"
#include "fuzz/model/step.h"
#include "impls/channel.h"

enum { TALLY_SIZE_MAX = 256, TALLY_BATCH_MAX = 128, TALLY_ALIGN_MAX = 64 };

struct tally {
	size_t size, align; /* of an element */
	bool hooks;         /* the channel destroys */
	uint64_t made;      /* messages so far; the next one's number */
	uint64_t sent, received, destroyed;
	uint64_t copied;     /* by tally_clone; a copy ends as a message does */
	unsigned fail_clone; /* the k-th clone from now on fails, once; 0: none */

	/* where destroyed messages are noted, as keys; set before each step */
	struct model_events *seen;
	void (*on_destroy)(void *context);
	void *context;
};

/* A configuration from the input: size, alignment, hooks, `start`. The capacity is left 0,
 * `clone` NULL; the context is `tally`. */
struct chan_config tally_open(struct tally *tally, struct bytes *in);

/* As much of a message's number as its element can hold. */
uint64_t tally_key(const struct tally *tally, uint64_t message);

/* Memory for `n` elements (at most TALLY_BATCH_MAX). There are two buffers, one to send from and
 * one to receive into.
 */
void *tally_outbox(const struct tally *tally, size_t n);
void *tally_inbox(const struct tally *tally, size_t n);

/* Writes the i-th element of an array; checks that it is `message`, every byte (or says what
 * differs, as `what`); its number as far as the bytes tell. */
void tally_write(const struct tally *tally, void *elements, size_t i, uint64_t message);
void tally_check(const struct tally *tally, const void *elements, size_t i, uint64_t message, const char *what);
uint64_t tally_read(const struct tally *tally, const void *element);

/* The hooks; `context` is the tally. */
void tally_destroy(void *msg, void *context);
int tally_clone(void *dst, const void *src, void *context);

/* At the end of a run, after the last handle's drop: sent + copied = received + destroyed, if
 * the channel destroys. Targets count what they sent and received. */
void tally_whole(const struct tally *tally);

#endif
