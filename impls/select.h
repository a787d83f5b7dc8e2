/* SPDX-License-Identifier: MIT
 *
 * select.h - waits for whichever of several channel operations can complete first, and completes
 * exactly that one.
 *
 * A select is built on the arms of channel.h alone. So it serves every implementation that offers
 * them, and one select may mix several. No thread stands behind it, it allocates nothing, and it
 * never polls.
 *
 *   uint64_t job, word;
 *   struct chan_branch branches[] = {
 *           chan_on_recv(ops, jobs, &job),
 *           chan_on_send(ops, out, &word),
 *           chan_on_closed(ops, out),
 *   };
 *   size_t chosen;
 *   branches[1].disabled = !have_word;
 *   switch (chan_select(branches, 3, chan_deadline_in(1000000), 0, &chosen)) {
 *   case CHAN_OK:      branches[chosen].status is what that operation returned: CHAN_OK,
 *                      CHAN_CLOSED ...
 *   case CHAN_TIMEOUT: none could in that time
 *   case CHAN_INVALID: see chan_select
 *   }
 *
 * The branches can be used again for the next select as they stand.
 *
 * OWNERSHIP. Branches, and what they point to, are the caller's. They must stay where they are
 * during the call; after it nobody touches them (S-9). During the call the calling thread uses the
 * handles, and no other thread may. A `destroy` that runs during a select must not drop a handle
 * that stands in it.
 *
 * WHAT COMPLETES. An operation completes when it returns anything but "not now" (CHAN_FULL,
 * CHAN_EMPTY). CHAN_CLOSED and CHAN_LAGGED count (S-2, S-18), and so does CHAN_NOMEM.
 *
 * THE LOSERS have no effect (S-1, S-10, S-11). A value that was not sent is still the caller's.
 * Nothing was taken, marked seen, reserved or lagged; only the memory that a loser was to receive
 * into is unspecified. A slot or a wake that a loser was granted meanwhile is passed on to the next
 * one that waits for it (S-8). A loser that waited to send has lost its place in the queue.
 *
 * THE CHOICE. Of several operations that are ready one is chosen at random, so that none starves
 * (S-4). With CHAN_BIASED the one with the lowest index is chosen (S-5). Two branches may name the
 * same handle, or the same channel, also once to send and once to receive (S-7).
 *
 * NONE IS READY is said only of a moment. CHAN_EMPTY and CHAN_TIMEOUT mean that there was one
 * instant at which none of the operations could have completed; it is not enough that each could
 * not at some instant of its own (S-3). The clock comes second: an operation that can complete
 * does, however late it is (S-12), and no timeout comes early (S-13).
 *
 * MEMORY ORDER is that of the operation that completed.
 */
#ifndef CHANBENCH_SELECT_H
#define CHANBENCH_SELECT_H

#include "source.h"

#ifdef __cplusplus
extern "C" {
#endif

/* One operation that a select can choose. Made by one of the functions below. */
struct chan_branch {
	/* The caller's: true, and the select leaves this branch out (S-6). */
	bool disabled;

	/* Set on the branch that was chosen, and on that one only. */
	enum chan_status status; /* what the operation returned */
	uint64_t missed;         /* chan_on_broadcast_recv, CHAN_LAGGED: how many messages */

	/* The rest is the select's. */
	struct chan_source source;
	/* the operation, with CHAN_NOW; NULL: not offered */
	enum chan_status (*complete)(struct chan_branch *branch);
	const void *ops;
	const void *in;
	void *out;
	size_t order;  /* a permutation of the branches: the one to look at in this place */
	uintptr_t run; /* of the call that it is in */
	bool armed;
	uint32_t fired; /* written by the wake, atomically */
	struct chan_waiter waiter;
};

/* --- mpsc and unbounded --- */

/* Sends the element at `msg`, which is read when the branch is chosen. Status: CHAN_OK,
 * CHAN_CLOSED, CHAN_NOMEM (unbounded). */
struct chan_branch chan_on_send(const struct chan_mpsc_ops *ops, struct chan_sender *tx, const void *msg);

/* Reserves one slot. Status: CHAN_OK (`*permit` holds it), CHAN_CLOSED. */
struct chan_branch chan_on_reserve(const struct chan_mpsc_ops *ops, struct chan_sender *tx, struct chan_permit *permit);

/* Receives into `msg`. Status: CHAN_OK, CHAN_CLOSED. */
struct chan_branch chan_on_recv(const struct chan_mpsc_ops *ops, struct chan_receiver *rx, void *msg);

/* Waits until no receiver will take anything any more. Status: CHAN_OK. */
struct chan_branch chan_on_closed(const struct chan_mpsc_ops *ops, struct chan_sender *tx);

/* --- oneshot: as above. (Its send never waits.) After CHAN_OK or CHAN_CLOSED the receive is
 * CHAN_CLOSED at once: disable it. --- */

struct chan_branch chan_on_oneshot_recv(const struct chan_oneshot_ops *ops, struct chan_receiver *rx, void *msg);
struct chan_branch chan_on_oneshot_closed(const struct chan_oneshot_ops *ops, struct chan_sender *tx);

/* --- broadcast: CHAN_LAGGED with `missed`, beside CHAN_OK, CHAN_CLOSED, CHAN_NOMEM. (Its send
 * never waits.) --- */

struct chan_branch chan_on_broadcast_recv(const struct chan_broadcast_ops *ops, struct chan_receiver *rx, void *msg);
struct chan_branch chan_on_broadcast_closed(const struct chan_broadcast_ops *ops, struct chan_sender *tx);

/* --- watch: an unseen version, which is marked seen when the branch is chosen. CHAN_OK,
 * CHAN_CLOSED. --- */

struct chan_branch chan_on_changed(const struct chan_watch_ops *ops, struct chan_receiver *rx);
struct chan_branch chan_on_watch_closed(const struct chan_watch_ops *ops, struct chan_sender *tx);

enum chan_select_flags {
	CHAN_BIASED = 1 /* the lowest index that is ready */
};

/* The value of `*chosen` when no branch is meant. */
#define CHAN_NO_BRANCH SIZE_MAX

/* Completes one of the `count` branches, and waits for that until the deadline (CHAN_NOW,
 * CHAN_FOREVER, or absolute in nanoseconds; S-14). `flags` is 0 or CHAN_BIASED. `chosen` may be
 * NULL.
 *
 * CHAN_OK       branch `*chosen` completed; branches[*chosen].status says how
 * CHAN_EMPTY    CHAN_NOW only: none could complete; `*chosen` is CHAN_NO_BRANCH
 * CHAN_TIMEOUT  none could complete until the deadline; `*chosen` is CHAN_NO_BRANCH
 * CHAN_INVALID  nothing was done. `*chosen` is CHAN_NO_BRANCH: no branch is enabled, `count` is
 *               0, or a flag is unknown. Otherwise branch `*chosen` is not offered by its
 *               implementation (chan_select_lacks), or may not be used from inside the callback
 *               that this call comes from, or its operation says CHAN_INVALID. */
enum chan_status chan_select(struct chan_branch *branches, size_t count, uint64_t deadline, unsigned flags,
                             size_t *chosen);

/* Returns the index of the first branch, disabled or not, whose implementation does not offer
 * what a select takes: the operation, its arm, and disarm. CHAN_NO_BRANCH: all do. It is for
 * asking once beforehand. */
size_t chan_select_lacks(const struct chan_branch *branches, size_t count);

#ifdef __cplusplus
}
#endif

#endif
