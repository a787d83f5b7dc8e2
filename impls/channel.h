/* SPDX-License-Identifier: MIT
 *
 * channel.h - the contract: what a channel is, and what an implementation of one promises.
 *
 * Five kinds of channel, as Tokio defines them, for threads of a C program:
 *
 *   mpsc       many senders and one receiver (more where `receiver_clone` is offered); a bound
 *              blocks senders
 *   unbounded  the same without the bound
 *   oneshot    one value, once
 *   broadcast  every receiver sees every message; a slow one loses the oldest and is told how many
 *   watch      one value that is always there; receivers see that it changed
 *
 * An implementation fills in one table of functions a kind (`struct chan_mpsc_ops` ...) and names
 * its tables in a `struct chan_impl`. That is all: there is no base class to call and no harness to
 * know. A program that uses channels calls through the tables. So one pointer decides which
 * implementation it uses.
 *
 *   USING A CHANNEL
 *
 *   const struct chan_mpsc_ops *ops = impl->mpsc;
 *   struct chan_config config = {.size = sizeof(uint64_t), .capacity = 32};
 *   struct chan_sender *tx;
 *   struct chan_receiver *rx;
 *   uint64_t v = 42;
 *
 *   if (ops->open(&config, &tx, &rx) != CHAN_OK) ...
 *   ops->send(tx, &v, CHAN_FOREVER);                 waits while the channel is full
 *   ops->recv(rx, &v, chan_deadline_in(1000000));    waits for a millisecond at most
 *   ops->sender_drop(&tx);
 *   ops->receiver_drop(&rx);
 *
 *   IMPLEMENTING ONE
 *
 *   static enum chan_status my_send(struct chan_sender *tx, const void *msg, uint64_t deadline)
 *   {
 *           struct my_sender *sender = (struct my_sender *)tx;
 *           ...
 *   }
 *   static const struct chan_mpsc_ops my_mpsc = {
 *           .open = my_open, .send = my_send, .recv = my_recv,
 *           .sender_drop = my_sender_drop, .receiver_drop = my_receiver_drop};
 *   static const struct chan_impl my_impl = {.name = "mine", .mpsc = &my_mpsc, ...};
 *   CHAN_PLUGIN(&my_impl);
 *
 * THE MINIMUM of a kind is what stands first in its table: open, send, recv (watch: borrow and
 * changed) and the two drops, with deadlines honoured; broadcast adds subscribe. Every other
 * function may be NULL, which means "not offered": that is shown, and is never a failure. A
 * function that is offered is held to the rules of its kind. Rules are named by a letter and a
 * number (M-22); SEMANTICS.md lists them.
 *
 *
 * WHO OWNS WHAT
 *
 * MESSAGES are elements of `config.size` bytes. They are moved in and out by copying the bytes, so
 * an element must not hold a pointer into itself. Every pointer to an element that is given to a
 * function is aligned as `config.align` says.
 *
 *   a send that returns CHAN_OK             has taken the value over
 *   a send that returns anything else       has not touched the value, which is still the caller's
 *   a receive that returns CHAN_OK          has given the value to the caller
 *   a receive that returns anything else    has given nothing; the memory that the value was to go
 *                                           to is unspecified
 *
 * The channel destroys values that nobody will receive, with `config.destroy`. So each value ends
 * exactly once: it is received, handed back, or destroyed.
 *
 * HANDLES (`struct chan_sender *`, `struct chan_receiver *`, `struct chan_weak *`) are opaque. A
 * handle belongs to the caller that got it, and ends with its drop.
 *
 *   - One thread at a time uses a handle. To ask for a property, to arm, to disarm, and to use a
 *     permit of the handle are uses like any other. Clone a handle for each thread, or hand it over
 *     with something that orders the two threads.
 *   - Different handles of one channel may be used at the same time, all of them, for everything.
 *   - A function that consumes a handle takes a pointer to the handle and sets it to NULL, whatever
 *     it returns. A drop of a handle that is NULL does nothing.
 *   - Handles may be dropped in any order, from any thread. The last one frees the channel. The
 *     channel lives at least as long as any of its handles, weak ones included.
 *
 *
 * TIME
 *
 * An operation that can wait takes one absolute deadline in nanoseconds of CLOCK_MONOTONIC.
 *
 *   CHAN_NOW        the try_ form: it never blocks, and gives CHAN_FULL or CHAN_EMPTY instead
 *   CHAN_FOREVER    it waits without end
 *   any other       it tries once, also when the deadline has passed, and then waits; when the time
 *                   has come it gives CHAN_TIMEOUT, and never before
 *
 * An operation that can complete does, whatever the clock says. CHAN_CLOSED wins over CHAN_FULL,
 * CHAN_EMPTY and CHAN_TIMEOUT. An operation may wait, also with CHAN_NOW, for a peer that is in the
 * middle of its own step: the peer has claimed a slot and is writing it, or its `clone` runs. A
 * wait that gave up has sent nothing and taken nothing, and its place in the queue is lost.
 * Spurious wakeups, signals and steps of the wall clock are the implementation's affair.
 *
 *
 * MEMORY ORDER
 *
 * What was done before the left side happens-before what is done after the right side:
 *
 *   a send, or a send through a permit     -> the receive of that message
 *   a receive, which frees a slot          -> the send or reserve that gets the slot
 *   a drop, or a close                     -> an operation that observes it as CHAN_CLOSED
 *   an arm                                 -> the begin of the waiter's `wake`
 *   the event that fires a waiter          -> the begin of the waiter's `wake`
 *
 * Operations that fail (CHAN_FULL, CHAN_EMPTY, CHAN_CLOSED) and properties are acquires too: no
 * thread sees a state older than what it already knows of.
 *
 *
 * CALLBACKS
 *
 * `destroy` and a waiter's `wake` are called with no lock held, and with no slot claimed that is
 * not yet published. Values are moved out and waiters unlinked first, and the handle of the
 * interrupted call can be used again. So these callbacks may call anything on the same channel,
 * also through that handle. What `wake` must not do stands at struct chan_waiter.
 *
 * `clone`, and the functions given to watch's `modify` and `wait_for`, run while the value is
 * pinned. A call that they make on that same channel returns CHAN_INVALID (an arm: CHAN_NOT_ARMED)
 * and has no effect. It never deadlocks. Two things work: properties, and drops of handles that are
 * not in use and have no waiter armed. So an implementation that waits for a pinned value holds
 * nothing meanwhile that a drop or a property needs. A drop never waits for a pinned value: it
 * leaves what is still to be done to the thread that pinned it.
 *
 * No callback may leave by longjmp or by an exception.
 *
 *
 * WHAT THE SHAPE OF THE CONTRACT COMES FROM
 *
 * The hardest users of the contract were built on it, and thrown away, before it was fixed. They
 * forced these decisions:
 *
 *  - A permit is a plain struct in the caller's memory and not a handle: a ring whose slots are
 *    taken at the send (as rule M-66 wants: the order is that of the sends, not of the
 *    reservations) has nothing to allocate for it, and a reservation cannot fail for want of
 *    memory.
 *  - There is one `reserve` for one slot and for many, and owned permits are the same permit with
 *    the sender moved into it (`chan_reserve_owned` below): the handle inside counts as a sender by
 *    itself, so no implementation has to know of them.
 *  - A woken sender owns a slot, but there is no separate call to use it: the next `send` or
 *    `reserve` on that handle does. A lock-free sender need only look at a list that is private to
 *    its handle, and pays nothing when that list is empty.
 *  - Every registration is ended by a disarm (or by the drop of its handle), also one that has
 *    fired. Only so can a callback that still runs be waited for, and the memory of a waiter on a
 *    stack be given back. A disarm is a use of the handle, so the list of what is armed on the
 *    handle is private to it.
 *  - "Fired" means chosen by an event, not "its callback has been called": the thread that chose it
 *    may be interrupted between the two, and a non-blocking select that went by the callback would
 *    see a smear instead of one moment.
 *  - `wake` may come before the arm has returned, and must wait for nothing. The waiters that fire
 *    stand in a plain list of the thread that fires them, so two wakes that disarmed each other's
 *    waiters would wait for themselves.
 *  - A slot that a waiter was granted serves whatever its handle does next, also a send that
 *    already blocks: otherwise a thread could wait behind itself.
 *  - `arm` says "ready" and registers nothing, and does not do the operation: a select can look at
 *    all its branches before it commits to one, and a suspended task can be resumed by whoever
 *    completes it.
 *  - broadcast's receive reports the number of lost messages through a parameter of its own, not
 *    through the value: the cursor moves without a message, so there is no buffer to put it in.
 *  - watch has one `modify` for send_modify and send_if_modified, told apart by the function's
 *    result, and hands out copies, not references: a reader that holds a reference would block a
 *    writer, and a reader on a seqlock has only a copy.
 *  - Hooks are per channel and known at open: with neither `clone` nor `destroy` an element is
 *    bytes, and can be read while it is being overwritten and validated afterwards; with them it
 *    cannot.
 *  - What can be asked about a channel is one function a handle type and an enum, not a dozen
 *    functions: an implementation offers what it has, property by property.
 */
#ifndef CHANBENCH_CHANNEL_H
#define CHANBENCH_CHANNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The version of this contract. A plug-in that was built against another one is refused. */
#define CHAN_CONTRACT_VERSION 2u

/* ------------------------------------------------------------------------------------------
 * Status, time
 */

enum chan_status {
	CHAN_OK = 0, /* done */
	/* CHAN_NOW only: no slot for this sender now; the value is still the caller's */
	CHAN_FULL = 1,
	CHAN_EMPTY = 2, /* CHAN_NOW only: there is nothing now, or it is not yet so */
	/* the other side is gone; for a receiver also: everything it left has been received */
	CHAN_CLOSED = 3,
	/* broadcast only: messages were overwritten before this receiver read them */
	CHAN_LAGGED = 4,
	CHAN_TIMEOUT = 5, /* the deadline came; nothing was done */
	/* a parameter that is never right, or a call from where it may not be made */
	CHAN_INVALID = 6,
	/* out of memory; nothing was done (a failed clone in broadcast: see there) */
	CHAN_NOMEM = 7
};

#define CHAN_NOW     ((uint64_t)0)
#define CHAN_FOREVER UINT64_MAX

/* Needs the POSIX clocks: compile with -std=gnu11, or define _POSIX_C_SOURCE as 199309L or more. */
#ifdef CLOCK_MONOTONIC
/* Returns the current time as deadlines count it, in nanoseconds of CLOCK_MONOTONIC. It is never
 * CHAN_NOW and never CHAN_FOREVER. */
static inline uint64_t chan_now(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec + 1u;
}

/* Returns the deadline `ns` nanoseconds from now. It saturates: a deadline beyond the clock's range
 * is CHAN_FOREVER (rule S-14). With `ns` 0 it is a deadline that has passed, and not CHAN_NOW. */
static inline uint64_t chan_deadline_in(uint64_t ns)
{
	uint64_t now = chan_now();
	return ns > CHAN_FOREVER - now ? CHAN_FOREVER : now + ns;
}
#endif

/* ------------------------------------------------------------------------------------------
 * Configuration of one channel
 */

/* The largest element in bytes, and the largest alignment. More is CHAN_INVALID. */
#define CHAN_SIZE_MAX  ((size_t)1 << 24)
#define CHAN_ALIGN_MAX ((size_t)4096)

/* The largest capacity of an mpsc channel (rule M-2) and of a broadcast channel (rule B-1). More
 * is CHAN_INVALID. */
#define CHAN_CAPACITY_MAX           (SIZE_MAX >> 3)
#define CHAN_BROADCAST_CAPACITY_MAX (SIZE_MAX >> 1)

struct chan_config {
	/* Bytes of one element; 0 is allowed, and then message pointers may be NULL. In the
	 * arrays of send_many and recv_many element i stands at byte i * size. At most
	 * CHAN_SIZE_MAX, and a multiple of `align`. */
	size_t size;

	/* Alignment of an element in bytes, a power of two up to CHAN_ALIGN_MAX, or 0 for the
	 * natural one: the largest power of two, up to that of max_align_t, that divides the
	 * size. The implementation aligns its copies so; `clone`, `destroy`, `modify` and
	 * `wait_for` may rely on it. */
	size_t align;

	/* mpsc: the number of messages that fit, exactly, at least 1 (rules M-1 to M-4).
	 * broadcast: the number of messages retained, at least 1, rounded up to a power of two
	 * (B-2). The other kinds ignore it. A capacity whose memory cannot even be computed in a
	 * size_t is CHAN_INVALID; one that cannot be had is CHAN_NOMEM. */
	size_t capacity;

	/* Where every monotone counter inside begins, truncated to the counter's width. No
	 * result depends on it; it exists so that wrap-around can be tested. Honoured where the
	 * implementation has CHAN_HONOURS_START. */
	uint64_t start;

	/* Ends the life of the element at `msg`; NULL where there is nothing to do. See
	 * CALLBACKS above. */
	void (*destroy)(void *msg, void *context);

	/* broadcast and watch: makes `*dst` (uninitialised memory) a copy of `*src`; 0 for
	 * success, anything else for failure, and `*dst` is then as if untouched. Calls for one
	 * stored value are never concurrent (rule B-33). NULL: the bytes are copied. In these
	 * two kinds `destroy` without `clone` is CHAN_INVALID: one value would be destroyed
	 * twice. The mpsc kinds and oneshot never call it. */
	int (*clone)(void *dst, const void *src, void *context);

	/* Handed to `destroy` and `clone` as it is. */
	void *context;
};

/* The check that every open begins with. True: `config` is not NULL, its size and alignment are
 * within bounds and go together, and its capacity is 1 to `max_capacity`, with a memory size in
 * bytes that a size_t can hold. With `max_capacity` 0 the capacity is not looked at, for kinds
 * without one. */
static inline bool chan_config_valid(const struct chan_config *config, size_t max_capacity)
{
	if (config == NULL || config->size > CHAN_SIZE_MAX || config->align > CHAN_ALIGN_MAX)
		return false;
	if ((config->align & (config->align - 1)) != 0 || (config->align != 0 && config->size % config->align != 0))
		return false;
	if (max_capacity == 0)
		return true;
	if (config->capacity == 0 || config->capacity > max_capacity)
		return false;
	return config->size == 0 || config->capacity <= SIZE_MAX / config->size;
}

/* ------------------------------------------------------------------------------------------
 * Handles, permits, waiters
 */

/* These types are never defined: an implementation casts its own structures to and from them. The
 * same types serve all kinds. A handle may be given only to functions of the table whose `open` it
 * descends from. */
struct chan_sender;
struct chan_receiver;
struct chan_weak;

/* Slots that are reserved for one sender. The permit stands in the caller's memory, and `reserve`
 * fills it in. The caller may read `count`; the rest belongs to the implementation. A use of the
 * permit is a use of its sender, which must outlive it. A permit with count 0 holds nothing. */
struct chan_permit {
	struct chan_sender *sender;
	size_t count;
	uintptr_t impl[2];
};

/* A caller's wish to be told when an operation would complete.
 *
 * OWNERSHIP. The waiter stands in the caller's memory. The caller sets `wake`, and embeds the
 * struct in one of his own to find his state from it. From the arm to the disarm the rest
 * belongs to the implementation, and the waiter must stay where it is.
 *
 * ARMING. `arm_*(handle, waiter)` asks whether the operation would complete now (CHAN_CLOSED and
 * CHAN_LAGGED count).
 *
 *   CHAN_READY        it would; nothing was registered
 *   CHAN_ARMED        it would not; the waiter is registered. As soon as the operation would
 *                     complete, the waiter fires: `wake` is called, once, on the thread that
 *                     made the operation ready, before that thread's call returns
 *   CHAN_NOT_ARMED    the call came from inside a callback that must not make it (see CALLBACKS)
 *
 * WAKE may be called before the arm that registered it has returned. It must not block. It must
 * not disarm a waiter, and must not drop or consume a handle that a waiter is armed on or that
 * the interrupted call was given: each of these could wait for itself. It may do anything else,
 * sending, receiving and arming another waiter included. Wakes that complete operations nest; a
 * queue of things to run later does not.
 *
 * DISARMING. Every registration ends with exactly one `disarm(waiter)`, fired or not. A waiter
 * that was not registered must not be disarmed. The disarm waits until a running `wake` has
 * returned, or cancels one that was not begun. After it the waiter's memory is the caller's
 * again, and nobody touches it. True: the waiter had fired, that is, the event had come and
 * chosen it. False: it had not, and never will.
 *
 * The drop of the handle that a waiter is armed on (or the oneshot send that consumes it)
 * disarms the waiter too (rule D-14); then there is nothing left to disarm. The disarm passes on
 * what a fired waiter was granted and its handle did not use: a slot to the next queued sender
 * or back to the pool (M-26), the wake for a message to the next waiting receiver (P-5, S-8).
 *
 * A SENDER armed with `arm_send` is a queued sender for one slot (M-22 to M-27): it waits in the
 * same queue as the blocked senders, in turn. When it fires for a free slot, it owns that slot,
 * and nobody else can have the slot until it was used or the waiter was disarmed. Through the
 * same handle, a `send`, the first element of a `send_many` or a `reserve` of one uses the slot
 * and cannot be CHAN_FULL; one that already blocks takes it at once. A `reserve` of more counts
 * it in, and leaves it as it was if it fails. A further arm_send is CHAN_READY. When the channel
 * is closed, every armed sender fires. A slot that is owned then keeps the channel from being
 * idle (M-49) until a send has returned CHAN_CLOSED (M-33) or the waiter is disarmed.
 *
 * A RECEIVER armed with `arm_recv` is a waiting receiver; it owns nothing. A message fires or
 * wakes one of the receivers that wait (P-4). Where there are several, another may be faster;
 * then the receive gives CHAN_EMPTY, and the receiver arms again. In broadcast and watch every
 * event fires every waiter.
 *
 * A handle may have any number of waiters armed, and be used meanwhile. Arming allocates nothing
 * and takes constant time. No thread stands behind a waiter. An implementation lays a structure
 * of its own over `impl`. It gives that type __attribute__((may_alias)), or copies word by word,
 * because the compiler takes `impl` for words. */
struct chan_waiter {
	void (*wake)(struct chan_waiter *waiter);
	uintptr_t impl[10];
};

enum chan_arm {
	CHAN_READY = 0,    /* the operation would complete; not registered */
	CHAN_ARMED = 1,    /* registered: will fire once */
	CHAN_NOT_ARMED = 2 /* not allowed from here; not registered */
};

/* What can be asked of a handle with `sender_get`, `receiver_get`, `weak_get`. Every answer is a
 * moment's; it is exact when no other thread is at work (rules M-6, M-9). The answer is
 * CHAN_UNKNOWN where the implementation, or a handle of that type, does not know. A property may
 * be asked for at any time, concurrently with everything (rule X-3). */
enum chan_property {
	/* Messages waiting. mpsc, unbounded: sent and not received (M-8 to M-12), from both
	 * sides. oneshot: 1 or 0, on the receiver (O-16). broadcast: on a receiver, the distance
	 * to the tail, overwritten ones included (B-26); on a sender, the slots still owed to
	 * somebody (B-27). is_empty is: this is 0. */
	CHAN_LEN,
	/* mpsc: slots that could be reserved now (M-5). broadcast: the capacity asked for at
	 * open. */
	CHAN_CAPACITY,
	/* mpsc: the capacity asked for at open (M-4). broadcast: the messages really retained
	 * (B-2). */
	CHAN_MAX_CAPACITY,
	/* 1 or 0. Sender: no receiver will take it (M-14, B-37, O-13, W-27). Receiver: M-13,
	 * B-25. */
	CHAN_IS_CLOSED,
	CHAN_IS_TERMINATED, /* oneshot receiver: 1 once a result has been handed out (O-14) */
	CHAN_SENDERS,       /* strong senders (M-77) */
	CHAN_WEAK_SENDERS,  /* weak senders (M-77) */
	CHAN_RECEIVERS,     /* receivers (P-3, B-29, W-35) */
	/* the same number for every handle of one channel, another for every other live one
	 * (M-15) */
	CHAN_IDENTITY
};

#define CHAN_UNKNOWN UINT64_MAX

/* ------------------------------------------------------------------------------------------
 * What the tables have in common, described once
 *
 * sender_drop, receiver_drop, weak_drop
 *                  End a handle and set it to NULL. They never fail. The last sender's drop closes
 *                  the channel for the receivers and wakes all that wait for a message (M-52, O-5,
 *                  B-22, W-29). The last receiver's drop closes the channel for the senders, wakes
 *                  all of them (M-32), and destroys what is still buffered, in order, in this
 *                  thread, before it returns (D-2, O-17, B-30). What was sent with a permit after
 *                  that is destroyed at the latest with the last handle (M-37).
 * sender_clone     `*out` is another sender of the same channel. CHAN_OK, CHAN_NOMEM.
 * downgrade        `*out` is a weak sender: it keeps the memory of the channel, but does not keep
 *                  the channel open. The sender stays. CHAN_OK, CHAN_NOMEM.
 * weak_clone       As sender_clone, for weak senders.
 * upgrade          `*out` is another sender, as long as there is one. Once there was none, the
 *                  status is CHAN_CLOSED for ever (M-75). It does not look at the receiver (M-76).
 *                  CHAN_OK, CHAN_CLOSED, CHAN_NOMEM.
 * closed           Waits until no receiver will take anything any more, because the channel was
 *                  closed or its receivers were dropped (M-71 to M-73, B-36, W-28, O-12). It does
 *                  not wait for buffered messages. CHAN_OK: it is so. CHAN_EMPTY (with CHAN_NOW),
 *                  CHAN_TIMEOUT: it is not so yet.
 * arm_*, disarm    See struct chan_waiter. `disarm` serves every arm of its table.
 * *_get            See enum chan_property.
 *
 * Any of them can return CHAN_INVALID when called from inside a callback that must not (see
 * CALLBACKS). `open` returns CHAN_OK, CHAN_INVALID (a config or a NULL that is never right) or
 * CHAN_NOMEM; when not CHAN_OK it has written to no handle.
 */

/* ------------------------------------------------------------------------------------------
 * mpsc and unbounded (rules M, U, P)
 *
 * One table type for both. unbounded ignores the capacity and the deadline of a send, which never
 * waits; its arm_send is always CHAN_READY, and it has no permits.
 */
struct chan_mpsc_ops {
	/* --- the minimum --- */

	/* Makes a channel with one sender and one receiver. */
	enum chan_status (*open)(const struct chan_config *config, struct chan_sender **tx, struct chan_receiver **rx);

	/* Sends the element at `msg`. Waits for a slot while the channel is full or others are
	 * queued for one: senders are served in the order in which they came (M-22, M-23).
	 * Messages of one sender arrive in the order sent; so do those of two senders if the one
	 * send returned before the other began (M-65, M-66). CHAN_OK, CHAN_CLOSED, CHAN_FULL,
	 * CHAN_TIMEOUT, CHAN_NOMEM (unbounded), CHAN_INVALID. Unless CHAN_OK the value stays
	 * with the caller. Release: pairs with the receive of this message. */
	enum chan_status (*send)(struct chan_sender *tx, const void *msg, uint64_t deadline);

	/* Receives into `msg`. It returns CHAN_CLOSED only when nothing can come any more, and
	 * from then on always: all was received, and either no sender is left, or the channel
	 * was closed and there is no permit outstanding, no slot owned by a sender or its
	 * waiter, and no send in progress (M-46 to M-55). CHAN_OK, CHAN_CLOSED, CHAN_EMPTY,
	 * CHAN_TIMEOUT, CHAN_INVALID. Acquire: pairs with the send. */
	enum chan_status (*recv)(struct chan_receiver *rx, void *msg, uint64_t deadline);

	void (*sender_drop)(struct chan_sender **tx);
	void (*receiver_drop)(struct chan_receiver **rx);

	/* --- optional: handles --- */

	enum chan_status (*sender_clone)(struct chan_sender *tx, struct chan_sender **out);
	enum chan_status (*downgrade)(struct chan_sender *tx, struct chan_weak **out);
	enum chan_status (*upgrade)(struct chan_weak *weak, struct chan_sender **out);
	enum chan_status (*weak_clone)(struct chan_weak *weak, struct chan_weak **out);
	void (*weak_drop)(struct chan_weak **weak);

	/* Several receivers: each message goes to exactly one of them (rules P). CHAN_OK,
	 * CHAN_NOMEM. */
	enum chan_status (*receiver_clone)(struct chan_receiver *rx, struct chan_receiver **out);

	/* --- optional: batches --- */

	/* Sends the `n` elements at `msgs` one after another, as n sends would. Messages of others
	 * may come between them. `*sent` is always set to the number k that were sent: these are
	 * the first k, and the rest stay with the caller. CHAN_OK exactly when all were sent;
	 * otherwise the status is that of the send that stopped it. With n 0 it is CHAN_OK, or
	 * CHAN_CLOSED when the receiver has closed. */
	enum chan_status (*send_many)(struct chan_sender *tx, const void *msgs, size_t n, size_t *sent,
	                              uint64_t deadline);

	/* Waits for one message as recv does, then takes what is there, up to `limit` messages,
	 * without waiting for more (M-58 to M-62). `*received` is always set to their number; when
	 * it is not 0 the status is CHAN_OK. With limit 0 it is CHAN_OK and 0 at once, open or
	 * closed. */
	enum chan_status (*recv_many)(struct chan_receiver *rx, void *msgs, size_t limit, size_t *received,
	                              uint64_t deadline);

	/* --- optional, bounded only: permits --- */

	/* Reserves `n` slots for this sender, all or none. It waits in the senders' queue; while it
	 * stands at the head it keeps the slots that were freed so far (M-25). CHAN_OK: `*permit`
	 * holds n slots; it must not have held any before. Otherwise `*permit` is as it was. With
	 * n 0 it succeeds even when the channel is full, unless it is closed (M-42). With n over
	 * the capacity it is CHAN_INVALID, or with CHAN_NOW CHAN_FULL, also when closed (M-40,
	 * M-41). CHAN_OK, CHAN_CLOSED, CHAN_FULL, CHAN_TIMEOUT, CHAN_INVALID. */
	enum chan_status (*reserve)(struct chan_sender *tx, size_t n, struct chan_permit *permit, uint64_t deadline);

	/* Sends the element at `msg` with one slot of the permit, whose count must not be 0. It
	 * never waits and never fails, closed or not (M-35 to M-37): the value is the channel's.
	 * The message takes its place in the order now, and not at the reservation. Release:
	 * pairs with the receive. */
	void (*permit_send)(struct chan_permit *permit, const void *msg);

	/* Gives back what is left of the permit and makes its count 0 (M-38, M-43). */
	void (*permit_release)(struct chan_permit *permit);

	/* --- optional: closing from the receiving side --- */

	/* Ends sending: senders that wait or come later get CHAN_CLOSED. What was sent, and what
	 * permits still send, can be received (M-48, M-57). A second close does nothing. */
	void (*close)(struct chan_receiver *rx);

	enum chan_status (*closed)(struct chan_sender *tx, uint64_t deadline);

	/* --- optional: readiness --- */

	enum chan_arm (*arm_send)(struct chan_sender *tx, struct chan_waiter *waiter);
	enum chan_arm (*arm_recv)(struct chan_receiver *rx, struct chan_waiter *waiter);
	enum chan_arm (*arm_closed)(struct chan_sender *tx, struct chan_waiter *waiter);
	bool (*disarm)(struct chan_waiter *waiter);

	/* --- optional: properties --- */

	uint64_t (*sender_get)(const struct chan_sender *tx, enum chan_property property);
	uint64_t (*receiver_get)(const struct chan_receiver *rx, enum chan_property property);
	uint64_t (*weak_get)(const struct chan_weak *weak, enum chan_property property);
};

/* ------------------------------------------------------------------------------------------
 * oneshot (rules O)
 */
struct chan_oneshot_ops {
	/* --- the minimum --- */

	enum chan_status (*open)(const struct chan_config *config, struct chan_sender **tx, struct chan_receiver **rx);

	/* Sends the value, and never waits. It consumes the sender: `*tx` becomes NULL, whatever
	 * the result. CHAN_OK: the value is the receiver's or the channel's. CHAN_CLOSED: the
	 * receiver closed or is gone, and the value stays with the caller. Exactly one of the
	 * two holds, also in a race with close (O-11). Release: pairs with the receive. */
	enum chan_status (*send)(struct chan_sender **tx, const void *msg);

	/* Receives the value. CHAN_OK; CHAN_CLOSED: the sender was dropped unsent, or the
	 * channel was closed before a send. Both end the receiver: after them CHAN_NOW gives
	 * CHAN_CLOSED and any other deadline is CHAN_INVALID (O-15). CHAN_EMPTY, CHAN_TIMEOUT:
	 * not yet; a later receive gets it (O-8, O-22). */
	enum chan_status (*recv)(struct chan_receiver *rx, void *msg, uint64_t deadline);

	void (*sender_drop)(struct chan_sender **tx);
	void (*receiver_drop)(struct chan_receiver **rx);

	/* --- optional --- */

	/* Refuses a later send; a value that was sent before can still be received (O-9). After
	 * the value was taken, or a second time, nothing happens (O-10). */
	void (*close)(struct chan_receiver *rx);

	enum chan_status (*closed)(struct chan_sender *tx, uint64_t deadline);

	enum chan_arm (*arm_recv)(struct chan_receiver *rx, struct chan_waiter *waiter);
	enum chan_arm (*arm_closed)(struct chan_sender *tx, struct chan_waiter *waiter);
	bool (*disarm)(struct chan_waiter *waiter);

	uint64_t (*sender_get)(const struct chan_sender *tx, enum chan_property property);
	uint64_t (*receiver_get)(const struct chan_receiver *rx, enum chan_property property);
};

/* ------------------------------------------------------------------------------------------
 * broadcast (rules B)
 */
struct chan_broadcast_ops {
	/* --- the minimum --- */

	/* Makes a channel with one sender and one receiver; `rx` may be NULL for a sender
	 * without receivers (B-37). */
	enum chan_status (*open)(const struct chan_config *config, struct chan_sender **tx, struct chan_receiver **rx);

	/* Sends to every receiver there is at this moment, and waits for none of them: the
	 * oldest message is overwritten when the ring is full (B-3); only a `clone` that runs on
	 * the slot to be overwritten is waited for. `*receivers` (may be NULL) is set to how
	 * many there were (B-4). CHAN_CLOSED: there were none; the value stays with the caller
	 * and nobody will see it, and a later send can succeed (B-5). CHAN_OK, CHAN_CLOSED,
	 * CHAN_NOMEM, CHAN_INVALID. All receivers see one order of sends (B-6). Release: pairs
	 * with each receive. */
	enum chan_status (*send)(struct chan_sender *tx, const void *msg, size_t *receivers);

	/* Receives this receiver's next message. CHAN_LAGGED: `*missed` messages, exactly, were
	 * overwritten before it read them; it now stands at the oldest retained one (B-11 to
	 * B-16). `missed` may be NULL. CHAN_CLOSED: no sender is left and all retained messages
	 * were read; CHAN_LAGGED comes before it (B-18, B-20). CHAN_NOMEM: `clone` failed; the
	 * message counts as received and the next receive gives the next one (B-34). CHAN_OK,
	 * CHAN_EMPTY, CHAN_TIMEOUT, CHAN_INVALID. */
	enum chan_status (*recv)(struct chan_receiver *rx, void *msg, uint64_t *missed, uint64_t deadline);

	/* `*out` is a receiver that sees every message whose send begins after this returned,
	 * and none whose send returned before it was called (B-7). Reopens a channel that had no
	 * receivers (B-38). CHAN_OK, CHAN_NOMEM, CHAN_INVALID. */
	enum chan_status (*subscribe)(struct chan_sender *tx, struct chan_receiver **out);

	void (*sender_drop)(struct chan_sender **tx);
	void (*receiver_drop)(struct chan_receiver **rx);

	/* --- optional --- */

	enum chan_status (*sender_clone)(struct chan_sender *tx, struct chan_sender **out);
	enum chan_status (*downgrade)(struct chan_sender *tx, struct chan_weak **out);
	enum chan_status (*upgrade)(struct chan_weak *weak, struct chan_sender **out);
	enum chan_status (*weak_clone)(struct chan_weak *weak, struct chan_weak **out);
	void (*weak_drop)(struct chan_weak **weak);

	/* As subscribe, from a receiver: it starts at the tail, whatever that receiver has still
	 * to read (B-8, B-9). */
	enum chan_status (*resubscribe)(struct chan_receiver *rx, struct chan_receiver **out);

	enum chan_status (*closed)(struct chan_sender *tx, uint64_t deadline);

	enum chan_arm (*arm_recv)(struct chan_receiver *rx, struct chan_waiter *waiter);
	enum chan_arm (*arm_closed)(struct chan_sender *tx, struct chan_waiter *waiter);
	bool (*disarm)(struct chan_waiter *waiter);

	uint64_t (*sender_get)(const struct chan_sender *tx, enum chan_property property);
	uint64_t (*receiver_get)(const struct chan_receiver *rx, enum chan_property property);
	uint64_t (*weak_get)(const struct chan_weak *weak, enum chan_property property);
};

/* ------------------------------------------------------------------------------------------
 * watch (rules W)
 *
 * The channel has a version that every notifying write increases; each receiver remembers the
 * version that it has seen.
 */
struct chan_watch_ops {
	/* --- the minimum --- */

	/* Makes a channel that holds `*initial` (taken over when CHAN_OK), with one sender and
	 * one receiver that has seen it. */
	enum chan_status (*open)(const struct chan_config *config, const void *initial, struct chan_sender **tx,
	                         struct chan_receiver **rx);

	/* Stores the value and notifies. Equal values count as changes (W-9). CHAN_CLOSED: there
	 * is no receiver; the value was not stored and stays with the caller (W-18). The value
	 * that was replaced is destroyed after the lock is released (W-33). CHAN_OK,
	 * CHAN_CLOSED, CHAN_NOMEM, CHAN_INVALID. Release: pairs with every read that returns
	 * this value. */
	enum chan_status (*send)(struct chan_sender *tx, const void *msg);

	/* Copies the newest value into `value` (with `clone` if there is one). `*unseen` (may be
	 * NULL) says whether this receiver had not yet seen it (W-8). Does not mark it seen.
	 * CHAN_OK, also after close; CHAN_NOMEM: clone failed. Acquire. */
	enum chan_status (*borrow)(struct chan_receiver *rx, void *value, bool *unseen);

	/* Waits until there is a version that this receiver has not seen, and marks it seen
	 * (W-4, W-11). CHAN_CLOSED when no sender is left and the newest was seen (W-5).
	 * CHAN_OK, CHAN_CLOSED, CHAN_EMPTY, CHAN_TIMEOUT, CHAN_INVALID. */
	enum chan_status (*changed)(struct chan_receiver *rx, uint64_t deadline);

	void (*sender_drop)(struct chan_sender **tx);
	void (*receiver_drop)(struct chan_receiver **rx);

	/* --- optional: writing --- */

	/* Stores the value, receivers or not, notifies, and moves the previous value to
	 * `*previous` (W-19). CHAN_OK, CHAN_INVALID. */
	enum chan_status (*send_replace)(struct chan_sender *tx, const void *msg, void *previous);

	/* Runs `f` on the value, with no other writer at work, receivers or not. f's result
	 * true: the version is increased and all are notified (send_modify always, W-20). False,
	 * which also stands for "f failed": what f wrote can be borrowed, but nobody is notified
	 * (send_if_modified, W-21, W-22). `*modified` (may be NULL) is set to f's result.
	 * CHAN_OK: f was run. CHAN_NOMEM, CHAN_INVALID: it was not. */
	enum chan_status (*modify)(struct chan_sender *tx, bool (*f)(void *value, void *arg), void *arg,
	                           bool *modified);

	/* As borrow, by a sender, without `unseen`. */
	enum chan_status (*sender_borrow)(struct chan_sender *tx, void *value);

	/* --- optional: reading --- */

	/* As borrow, and marks seen the very version whose value it copied (W-3). When clone
	 * fails nothing is marked. */
	enum chan_status (*borrow_and_update)(struct chan_receiver *rx, void *value, bool *unseen);

	/* CHAN_OK: there is an unseen version. CHAN_EMPTY: there is none. CHAN_CLOSED: no sender
	 * is left, unseen or not (W-7). Never marks, never waits. */
	enum chan_status (*has_changed)(struct chan_receiver *rx);

	/* Waits until `pred` holds for a value, and moves a copy of that very value to `*value`,
	 * marked seen (W-23). pred is first tried on the current value, seen or not, and on the
	 * last value before CHAN_CLOSED (W-24); every value tried is marked seen (W-25). It runs
	 * as described under CALLBACKS. CHAN_OK, CHAN_CLOSED, CHAN_EMPTY, CHAN_TIMEOUT,
	 * CHAN_NOMEM, CHAN_INVALID. */
	enum chan_status (*wait_for)(struct chan_receiver *rx, bool (*pred)(const void *value, void *arg), void *arg,
	                             void *value, uint64_t deadline);

	/* Makes the current version count as unseen (W-14). */
	void (*mark_changed)(struct chan_receiver *rx);
	/* Makes the current version count as seen (W-15). */
	void (*mark_unchanged)(struct chan_receiver *rx);

	/* --- optional: handles --- */

	enum chan_status (*sender_clone)(struct chan_sender *tx, struct chan_sender **out);
	/* `*out` is another receiver, which has seen what this one has seen (W-16). */
	enum chan_status (*receiver_clone)(struct chan_receiver *rx, struct chan_receiver **out);
	/* `*out` is a receiver that has seen the current version. It reopens a channel without
	 * receivers (W-17). */
	enum chan_status (*subscribe)(struct chan_sender *tx, struct chan_receiver **out);

	enum chan_status (*closed)(struct chan_sender *tx, uint64_t deadline);

	/* --- optional: readiness, properties --- */

	enum chan_arm (*arm_changed)(struct chan_receiver *rx, struct chan_waiter *waiter);
	enum chan_arm (*arm_closed)(struct chan_sender *tx, struct chan_waiter *waiter);
	bool (*disarm)(struct chan_waiter *waiter);

	uint64_t (*sender_get)(const struct chan_sender *tx, enum chan_property property);
	uint64_t (*receiver_get)(const struct chan_receiver *rx, enum chan_property property);
};

/* ------------------------------------------------------------------------------------------
 * Implementations
 */

/* A rule that an implementation says it does not keep. It is reported as declared, never as
 * passed. Only M-22, M-23 and M-25 (who is served first among blocked senders) may be declared. */
struct chan_deviation {
	const char *rule; /* "M-22" */
	const char *why;  /* what it does instead, in a line */
};

enum chan_flags {
	CHAN_HONOURS_START = 1, /* chan_config.start is honoured by every counter */
	/* somebody else's queue behind an adapter, shown for comparison: `package` says whose */
	CHAN_PEER = 2,
	/* it cannot block: the adapter retries with sched_yield; shown as "NAME+yield" */
	CHAN_SPINS = 4,
	/* its memory is not malloc's (the kernel's, ...): what a channel takes is not shown */
	CHAN_UNCOUNTED = 8
};

/* One implementation: metadata beside the code. All pointers live as long as the program (or the
 * plug-in) does. */
struct chan_impl {
	/* how it is selected and shown: lower case letters, digits, '_', '-'; at most 32 */
	const char *name;
	const char *family;  /* what it belongs to, for grouping; often the name itself */
	const char *version; /* its own version, free text */
	const char *summary; /* one line: what it is, and where its algorithm comes from */
	unsigned flags;      /* of enum chan_flags */

	/* The kinds it has; NULL: not offered. */
	const struct chan_mpsc_ops *mpsc;
	const struct chan_mpsc_ops *unbounded;
	const struct chan_oneshot_ops *oneshot;
	const struct chan_broadcast_ops *broadcast;
	const struct chan_watch_ops *watch;

	const struct chan_deviation *deviations; /* ends with {NULL, NULL}; NULL: none */

	/* of a peer: the package it is from, with its version, "libck-dev 0.7.1-10"; else NULL */
	const char *package;
};

/* ------------------------------------------------------------------------------------------
 * Plug-ins: a shared object that defines the symbol `chan_plugin`, best with CHAN_PLUGIN:
 *
 *   CHAN_PLUGIN(&first, &second);      cc -std=gnu11 -O2 -fPIC -shared -o mine.so mine.c
 *   chanbench check --plugin=./mine.so
 *
 * The first two members never move, in any version, so that another version can be recognised and
 * named.
 */
#define CHAN_PLUGIN_MAGIC 0x4e414843u /* "CHAN" */

struct chan_plugin {
	uint32_t magic; /* CHAN_PLUGIN_MAGIC */
	/* CHAN_CONTRACT_VERSION of the header it was built against */
	uint32_t version;
	const struct chan_impl *const *impls; /* ends with NULL */
};

#if defined(__GNUC__)
__attribute__((visibility("default")))
#endif
extern const struct chan_plugin chan_plugin;

#define CHAN_PLUGIN(...)                                                                                               \
	static const struct chan_impl *const chan_plugin_impls[] = {__VA_ARGS__, NULL};                                \
	const struct chan_plugin chan_plugin = {CHAN_PLUGIN_MAGIC, CHAN_CONTRACT_VERSION, chan_plugin_impls}

/* ------------------------------------------------------------------------------------------
 * Owned permits (rules M-44, M-45), for every implementation that has permits
 *
 * A permit that brings its sender along: it can be handed to another thread or outlive the scope of
 * the sender. The sender inside keeps counting as one.
 */

/* Reserves one slot and moves the sender into the permit. `*tx` becomes NULL, whatever the
 * result. If it is not CHAN_OK, the sender comes back in `*back`, or is dropped if `back` is
 * NULL. `back` may be `tx` itself. The status is that of `reserve`. */
static inline enum chan_status chan_reserve_owned(const struct chan_mpsc_ops *ops, struct chan_sender **tx,
                                                  struct chan_permit *permit, struct chan_sender **back,
                                                  uint64_t deadline)
{
	struct chan_sender *sender = *tx;
	enum chan_status status = ops->reserve(sender, 1, permit, deadline);
	*tx = NULL;
	if (status == CHAN_OK) {
		permit->sender = sender; /* the only way to it now */
		return status;
	}
	if (back != NULL)
		*back = sender;
	else
		ops->sender_drop(&sender);
	return status;
}

/* Sends the element at `msg` (not NULL, or of size 0) with an owned permit, and ends the permit.
 * The sender comes back in `*back`, or is dropped if `back` is NULL. It never waits and never
 * fails. */
static inline void chan_owned_send(const struct chan_mpsc_ops *ops, struct chan_permit *permit, const void *msg,
                                   struct chan_sender **back)
{
	struct chan_sender *sender = permit->sender;
	ops->permit_send(permit, msg);
	permit->sender = NULL;
	if (back != NULL)
		*back = sender;
	else
		ops->sender_drop(&sender);
}

/* Gives the slot of an owned permit back without sending, and ends the permit. The sender comes
 * back in `*back`, or is dropped if `back` is NULL. */
static inline void chan_owned_release(const struct chan_mpsc_ops *ops, struct chan_permit *permit,
                                      struct chan_sender **back)
{
	struct chan_sender *sender = permit->sender;
	ops->permit_release(permit);
	permit->sender = NULL;
	if (back != NULL)
		*back = sender;
	else
		ops->sender_drop(&sender);
}

#ifdef __cplusplus
}
#endif

#endif
