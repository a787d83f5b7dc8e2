/* SPDX-License-Identifier: MIT
 *
 * ledger.h - the messages of a run: what they look like in memory, and which of them the channel
 * destroyed.
 *
 * A message is a number, counted from 0. Its element is filled with bytes that follow from the
 * number alone; so what comes out can be compared with it, every byte. Elements shorter than the
 * number hold its low bytes, those of size 0 nothing: such messages are told apart as far as their
 * bytes allow (ledger_key).
 *
 * `ledger_destroy` is the channel's `destroy` hook. It writes down what it is given, in order,
 * overwrites the element, and runs `on_destroy` if there is one. Each step's entries are compared
 * with the model's, and at the end the ledger must be whole (rule D-1): what was sent = what was
 * received + what was destroyed.
 *
 * Buffers. The elements of an array end where the memory ends, so that a sanitizer sees an access
 * behind the last.
 */
#ifndef CHANBENCH_FUZZ_LEDGER_H
#define CHANBENCH_FUZZ_LEDGER_H

#include "fuzz/common/bytes.h"
#include "fuzz/model/step.h"
#include "impls/channel.h"

enum { LEDGER_SIZE_MAX = 256, LEDGER_BATCH_MAX = 128, LEDGER_ALIGN_MAX = 64 };

struct ledger {
	size_t size, align; /* of an element */
	bool hooks;         /* the channel destroys */
	uint64_t made;      /* messages so far; the next one's number */
	uint64_t sent, received, destroyed;
	uint64_t copied;     /* by ledger_clone; a copy ends as a message does */
	unsigned fail_clone; /* the k-th clone from now on fails, once; 0: none */

	/* where destroyed messages are noted, as keys; set before each step */
	struct model_events *seen;
	void (*on_destroy)(void *context);
	void *context;
};

/* A configuration from the input: size, alignment, hooks, `start`. The capacity is left 0,
 * `clone` NULL; the context is `ledger`. */
struct chan_config ledger_open(struct ledger *ledger, struct bytes *in);

/* As much of a message's number as its element can hold. */
uint64_t ledger_key(const struct ledger *ledger, uint64_t message);

/* Memory for `n` elements (at most LEDGER_BATCH_MAX). There are two buffers, one to send from and
 * one to receive into.
 */
void *ledger_outbox(const struct ledger *ledger, size_t n);
void *ledger_inbox(const struct ledger *ledger, size_t n);

/* Writes the i-th element of an array; checks that it is `message`, every byte (or says what
 * differs, as `what`); its number as far as the bytes tell. */
void ledger_write(const struct ledger *ledger, void *elements, size_t i, uint64_t message);
void ledger_check(const struct ledger *ledger, const void *elements, size_t i, uint64_t message, const char *what);
uint64_t ledger_read(const struct ledger *ledger, const void *element);

/* The hooks; `context` is the ledger. */
void ledger_destroy(void *msg, void *context);
int ledger_clone(void *dst, const void *src, void *context);

/* At the end of a run, after the last handle's drop: sent + copied = received + destroyed, if
 * the channel destroys. Targets count what they sent and received. */
void ledger_whole(const struct ledger *ledger);

#endif
