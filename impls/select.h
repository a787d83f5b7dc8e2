/* SPDX-License-Identifier: MIT
 *
 * select.h - waits for whichever of several channel operations can complete first, and completes
 * exactly that one.
 *
 * It is built on the arms of channel.h alone, and so serves every implementation that offers them,
 * mixed as you like: no thread stands behind it, it allocates nothing, and it never polls.
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
 * WHAT COMPLETES. An operation completes when it returns anything but "not now" (CHAN_FULL,
 * CHAN_EMPTY): CHAN_CLOSED and CHAN_LAGGED count (S-2, S-18), so does CHAN_NOMEM. The losers have
 * no effect: a value that was not sent is still the caller's, nothing was taken, marked seen,
 * reserved or lagged (S-1, S-10, S-11), though the memory that a loser was to receive into is
 * unspecified; what a loser was granted meanwhile, a slot or a wake, is passed on to the next who
 * waits for it (S-8). A loser that waited to send has lost its place in the queue.
 *
 * WHO IS CHOSEN. Of several that are ready, one at random, so that none starves (S-4). With
 * CHAN_BIASED, the one with the lowest index (S-5). A branch may name a handle, or a channel, that
 * another branch names too, also once to send and once to receive (S-7).
 *
 * NONE IS READY is said only of a moment: CHAN_EMPTY and CHAN_TIMEOUT are returned when there was
 * an instant at which none of the operations could have completed, not when each could not at some
 * instant of its own (S-3). The clock comes second: what can complete does, however late it is
 * (S-12), and no timeout comes early (S-13). A `destroy` that runs during a select may not drop a
 * handle that stands in it.
 *
 * OWNERSHIP. Branches, and what they point to, are the caller's; they must stay where they are
 * during the call. After it nobody touches them (S-9). The handles are used by the calling thread
 * during the call, and by no other.
 *
 * MEMORY ORDER. That of the operation that completed.
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

/* Sends the element at `msg`, which is read when the branch is chosen. CHAN_OK, CHAN_CLOSED,
 * CHAN_NOMEM (unbounded). */
struct chan_branch chan_on_send(const struct chan_mpsc_ops *ops, struct chan_sender *tx, const void *msg);

/* Reserves one slot. CHAN_OK (`*permit` holds it), CHAN_CLOSED. */
struct chan_branch chan_on_reserve(const struct chan_mpsc_ops *ops, struct chan_sender *tx, struct chan_permit *permit);

/* Receives into `msg`. CHAN_OK, CHAN_CLOSED. */
struct chan_branch chan_on_recv(const struct chan_mpsc_ops *ops, struct chan_receiver *rx, void *msg);

/* Until no receiver will take anything any more. CHAN_OK. */
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

/* Completes one of the `count` branches, waiting until the deadline (CHAN_NOW, CHAN_FOREVER, or
 * absolute, as everywhere; S-14).
 *
 * CHAN_OK       branch `*chosen` completed; branches[*chosen].status says how
 * CHAN_EMPTY    CHAN_NOW only: none could; `*chosen` is CHAN_NO_BRANCH
 * CHAN_TIMEOUT  none could until the deadline; `*chosen` is CHAN_NO_BRANCH
 * CHAN_INVALID  nothing was done: no branch is enabled, `count` is 0, or a flag is unknown
 *               (`*chosen` is CHAN_NO_BRANCH); or branch `*chosen` is not offered by its
 *               implementation (chan_select_lacks), or may not be used from inside the callback
 *               that this call comes from, or its operation says CHAN_INVALID
 *
 * `chosen` may be NULL. */
enum chan_status chan_select(struct chan_branch *branches, size_t count, uint64_t deadline, unsigned flags,
                             size_t *chosen);

/* The first of the branches, disabled or not, whose implementation does not offer what select
 * takes (the operation, its arm, disarm), or CHAN_NO_BRANCH: all do. To ask once beforehand. */
size_t chan_select_lacks(const struct chan_branch *branches, size_t count);

#ifdef __cplusplus
}
#endif

#endif
