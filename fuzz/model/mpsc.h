/* SPDX-License-Identifier: MIT
 *
 * mpsc.h - what an mpsc or an unbounded channel does, in one thread: the reference that
 * implementations are compared with.
 *
 * OVERVIEW. A queue of message numbers, counts of handles, the slots that permits hold, and a list
 * of armed waiters in the order of arming. Everything else follows: the free slots are the capacity
 * less messages, permits and slots owned by waiters that fired; idle is when none of the three is
 * there. An unbounded channel has no limit of slots.
 *
 * Nothing here blocks. What would block returns CHAN_FULL or CHAN_EMPTY, for a deadline that has
 * passed CHAN_TIMEOUT: a wait that gave up has done nothing (M-26 to M-28, M-63). Blocked
 * operations are stood for by armed waiters.
 *
 * STATE IS DATA. `struct mpsc_model` holds no pointers: mpsc_model_copy makes an independent one
 * (only what is in use is copied), mpsc_model_equal and mpsc_model_hash compare what matters for
 * the future. Operations are functions of the state and their arguments alone.
 *
 * Rules kept: M-3 to M-63, M-71 to M-78, P, U, D-2 to D-5, and struct chan_waiter of channel.h.
 */
#ifndef CHANBENCH_FUZZ_MODEL_MPSC_H
#define CHANBENCH_FUZZ_MODEL_MPSC_H

#include "fuzz/model/step.h"
#include "impls/channel.h"

enum { MPSC_MODEL_MESSAGES = MODEL_DESTROYED };

enum mpsc_model_event { MPSC_WAITS_FOR_SLOT, MPSC_WAITS_FOR_MESSAGE, MPSC_WAITS_FOR_CLOSE };

/* A registration that was not yet disarmed. */
struct mpsc_model_waiter {
	unsigned number; /* as given to arm */
	unsigned handle; /* the sender or receiver it is armed on, as given to arm */
	enum mpsc_model_event event;
	bool fired;
	/* fired for a slot that it owns, or for a message, and its handle has not used that */
	bool owed;
};

struct mpsc_model {
	size_t capacity; /* 0: unbounded */
	size_t permits;  /* slots held by permits */
	size_t senders, weaks, receivers;
	bool closed; /* by close(), or by the last receiver's drop */

	struct mpsc_model_waiter waiters[MODEL_WAITERS]; /* in the order of arming */
	size_t waiter_count;

	size_t len;
	uint64_t messages[MPSC_MODEL_MESSAGES]; /* the oldest first */
};

/* --- state --- */

/* One sender, one receiver; capacity 0: unbounded. */
void mpsc_model_open(struct mpsc_model *m, size_t capacity);
void mpsc_model_copy(struct mpsc_model *to, const struct mpsc_model *from);
bool mpsc_model_equal(const struct mpsc_model *a, const struct mpsc_model *b);
uint64_t mpsc_model_hash(const struct mpsc_model *m);

/* Slots that nobody has (M-5); SIZE_MAX when unbounded. */
size_t mpsc_model_free(const struct mpsc_model *m);

/* Nothing is sent and not received, no permit is out, no slot is owned (M-49). */
bool mpsc_model_idle(const struct mpsc_model *m);

/* Nothing can be received any more, now and for ever (M-46). */
bool mpsc_model_ended(const struct mpsc_model *m);

/* Slots that waiters armed on that sender own. */
size_t mpsc_model_owned(const struct mpsc_model *m, unsigned tx);

/* --- operations: `tx` and `rx` are numbers of handles, that waiters may be armed on ---
 * A deadline is CHAN_NOW, or any other, which stands for one that has passed. */

enum chan_status mpsc_model_send(struct mpsc_model *m, struct model_step *step, unsigned tx, uint64_t message,
                                 uint64_t deadline);
/* The messages are `first`, first + 1 ... A step with `no_memory` stops at `stop` of them. */
enum chan_status mpsc_model_send_many(struct mpsc_model *m, struct model_step *step, unsigned tx, uint64_t first,
                                      size_t n, size_t stop, size_t *sent, uint64_t deadline);
enum chan_status mpsc_model_recv(struct mpsc_model *m, struct model_step *step, unsigned rx, uint64_t *message,
                                 uint64_t deadline);
/* `messages` has room for `limit`. */
enum chan_status mpsc_model_recv_many(struct mpsc_model *m, struct model_step *step, unsigned rx, uint64_t *messages,
                                      size_t limit, size_t *received, uint64_t deadline);

enum chan_status mpsc_model_reserve(struct mpsc_model *m, struct model_step *step, unsigned tx, size_t n,
                                    uint64_t deadline);
void mpsc_model_permit_send(struct mpsc_model *m, struct model_step *step, uint64_t message);
void mpsc_model_permit_release(struct mpsc_model *m, struct model_step *step, size_t n);

void mpsc_model_close(struct mpsc_model *m, struct model_step *step);
enum chan_status mpsc_model_closed(const struct mpsc_model *m, uint64_t deadline);

enum chan_status mpsc_model_sender_clone(struct mpsc_model *m, struct model_step *step);
enum chan_status mpsc_model_downgrade(struct mpsc_model *m, struct model_step *step);
enum chan_status mpsc_model_upgrade(struct mpsc_model *m, struct model_step *step);
enum chan_status mpsc_model_weak_clone(struct mpsc_model *m, struct model_step *step);
enum chan_status mpsc_model_receiver_clone(struct mpsc_model *m, struct model_step *step);

/* The drops disarm what is armed on the handle; nothing is destroyed here but what a receiver's
 * drop drains. */
void mpsc_model_sender_drop(struct mpsc_model *m, struct model_step *step, unsigned tx);
void mpsc_model_receiver_drop(struct mpsc_model *m, struct model_step *step, unsigned rx);
void mpsc_model_weak_drop(struct mpsc_model *m, struct model_step *step);

enum chan_arm mpsc_model_arm_send(struct mpsc_model *m, unsigned tx, unsigned waiter);
enum chan_arm mpsc_model_arm_recv(struct mpsc_model *m, unsigned rx, unsigned waiter);
enum chan_arm mpsc_model_arm_closed(struct mpsc_model *m, unsigned tx, unsigned waiter);
bool mpsc_model_disarm(struct mpsc_model *m, struct model_step *step, unsigned waiter);

/* The answer of a sender (or weak sender), or of a receiver. CHAN_IDENTITY is not the model's:
 * CHAN_UNKNOWN. */
uint64_t mpsc_model_get(const struct mpsc_model *m, bool receiver, enum chan_property property);

#endif
