/* SPDX-License-Identifier: MIT
 *
 * channel.h - the contract: what a channel is, and what an implementation of one promises.
 *
 * Five kinds of channel, as Tokio defines them, for threads of a C program:
 *
 *   mpsc       many senders, one receiver (more where `receiver_clone` is offered), a bound that
 *              blocks senders
 *   unbounded  the same without the bound
 *   oneshot    one value, once
 *   broadcast  every receiver sees every message; a slow one loses the oldest and is told how many
 *   watch      one value that is always there; receivers see that it changed
 *
 * An implementation fills in one table of functions a kind (`struct chan_mpsc_ops` ...) and names
 * its tables in a `struct chan_impl`. That is all: there is no base class to call and no harness to
 * know. Whoever uses channels calls through the tables, and so can change the implementation with
 * one pointer.
 *
 *   using a channel                                      implementing one
 *   ---------------                                      ----------------
 *   const struct chan_mpsc_ops *ops = impl->mpsc;        static enum chan_status my_send(struct
 *                                                        chan_sender *tx, ...)
 *   struct chan_config cfg = {.size = 8,                 { struct my_sender *s = (struct my_sender *)tx; ... }
 *                             .capacity = 32};           static const struct chan_mpsc_ops my_mpsc = {
 *   struct chan_sender *tx;                                  .open = my_open, .send = my_send,
 *                                                            .recv = my_recv,
 *   struct chan_receiver *rx;                                .sender_drop = ..., .receiver_drop = ...};
 *   ops->open(&cfg, &tx, &rx);                           static const struct chan_impl my_impl = {
 *   ops->send(tx, &v, CHAN_FOREVER);                         .name = "mine", .mpsc = &my_mpsc, ...};
 *   ops->recv(rx, &v, chan_deadline_in(1000000));        CHAN_PLUGIN(&my_impl);
 *
 * THE MINIMUM of a kind is what stands first in its table: open, send, recv (watch: borrow and
 * changed) and the two drops, with deadlines honoured; broadcast adds subscribe. Every other
 * function may be NULL: "not offered", which is shown and never a failure. What is offered is held
 * to the rules of its kind.
 *
 *
 * WHO OWNS WHAT
 *
 * Messages are elements of `config.size` bytes, moved in and out by copying the bytes: an element
 * must not hold a pointer into itself. Every pointer to an element that is given to a function is
 * aligned as `config.align` says. A send that returns CHAN_OK has taken the value over; a send that
 * returns anything else has not touched it, and it is still the caller's. A receive that returns
 * CHAN_OK has given the value to the caller; any other gives nothing, and leaves the memory it was
 * to go to unspecified. Values that nobody will receive are destroyed by the channel with
 * `config.destroy`. So each value ends exactly once: received, handed back, or destroyed.
 *
 * Handles (`struct chan_sender *`, `struct chan_receiver *`, `struct chan_weak *`) are opaque,
 * belong to whoever got them, and end with their drop. A handle is used by one thread at a time
 * (asking for a property, arming, disarming and what is done with its permits are uses like any
 * other): clone one per thread, or hand it over with something that orders the two threads.
 * Different handles of one channel may be used at the same time, all of them, for everything. A
 * function that consumes a handle takes a pointer to the handle and sets it to NULL, whatever it
 * returns. A drop of a handle that is NULL does nothing. Handles may be dropped in any order from
 * any thread; the last one frees the channel. The channel lives at least as long as any of its
 * handles, weak ones included.
 *
 *
 * TIME
 *
 * What can wait takes one absolute deadline in nanoseconds of CLOCK_MONOTONIC. CHAN_NOW makes it
 * the try_ form: it never blocks and gives CHAN_FULL or CHAN_EMPTY instead. CHAN_FOREVER waits
 * without end. Any other deadline, also one that has passed, tries the operation once and then
 * waits; when the time has come it gives CHAN_TIMEOUT, and never before. An operation that can
 * complete does, whatever the clock says; CHAN_CLOSED wins over CHAN_FULL, CHAN_EMPTY and
 * CHAN_TIMEOUT. A peer that is in the middle of its own step (it has claimed a slot and is writing
 * it; its `clone` runs) may be waited for, also with CHAN_NOW. Spurious wakeups, signals and steps
 * of the wall clock are the implementation's affair. A wait that gave up has done nothing: nothing
 * sent, nothing taken, and its place in the queue is lost.
 *
 *
 * MEMORY ORDER
 *
 * What a thread did before it sent (or sent through a permit) happens-before what the receiver of
 * that message does after it received it. What a receiver did before it freed a slot happens-before
 * what the sender that gets the slot does afterwards. What was done before a drop or a close
 * happens-before what is done by who observes it as CHAN_CLOSED. Failing operations (CHAN_FULL,
 * CHAN_EMPTY, CHAN_CLOSED) and the properties are acquires too: nobody sees a state older than what
 * it already knows of. What was done before an arm happens-before the wake's callback, and what was
 * done before the event that fired it does so too.
 *
 *
 * CALLBACKS
 *
 * `destroy` and a waiter's `wake` are called with no lock held, with no slot claimed that is not
 * yet published, and with the interrupted call's handle in a state in which it can be used again.
 * They may call anything on the same channel, also through that handle; what `wake` must not do
 * stands at struct chan_waiter. Values are moved out and waiters unlinked first.
 *
 * `clone`, and the functions given to watch's `modify` and `wait_for`, run while the value is
 * pinned. What they call on that same channel returns CHAN_INVALID (CHAN_NOT_ARMED) and has no
 * effect, and never deadlocks; properties, and drops of handles that are not in use and have no
 * waiter armed, work. So whoever waits for a pinned value holds nothing meanwhile that a drop or a
 * property needs, and a drop never waits for a pinned value: it leaves what it owes to the one who
 * pinned it.
 *
 * No callback may leave by longjmp or by an exception.
 *
 *
 * WHAT THE SHAPE OF THE CONTRACT COMES FROM
 *
 * Its hardest users were built on it, and thrown away, before it was fixed. They forced these
 * decisions:
 *
 *  - A permit is a plain struct in the caller's memory and not a handle: a ring whose slots are
 *    taken at the send (as rule M-66 wants: the order is that of the sends, not of the
 *    reservations) has nothing to allocate for it, and a reservation cannot fail for want of
 *    memory.
 *  - There is one `reserve` for one slot and for many, and owned permits are the same permit with
 *    the sender moved into it (`chan_reserve_owned` below): the handle inside counts as a sender by
 *    itself, so no implementation has to know of them.
 *  - A woken sender owns a slot, but there is no separate call to use it: the next `send` or
 *    `reserve` on that handle does. A lock-free sender needs only look at a list that is private to
 *    its handle, and pays nothing when it is empty.
 *  - Every registration is ended by a disarm (or by the drop of its handle), also one that has
 *    fired: only so can a callback that still runs be waited out, and a waiter on a stack be given
 *    back. A disarm is a use of the handle, so the list of what is armed on it is private to it.
 *  - "Fired" means chosen by an event, not "its callback has been called": the thread that chose it
 *    may be interrupted between the two, and a non-blocking select that went by the callback would
 *    see a smear instead of one moment.
 *  - `wake` may come before the arm has returned, and must wait for nothing: what fires stands in a
 *    plain list of the firing thread, so two wakes that disarmed each other's waiters would wait
 *    for themselves.
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
#define CHAN_CONTRACT_VERSION 1u

/* ------------------------------------------------------------------------------------------
 * Status, time
 */

enum chan_status {
	CHAN_OK = 0, /* done */
	/* CHAN_NOW only: no slot for this sender now; the value is still the caller's */
	CHAN_FULL = 1,
	CHAN_EMPTY = 2, /* CHAN_NOW only: nothing there now, or not yet so */
	/* the other side is gone, and (receiving) everything it left has been received */
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
/* The current time as deadlines count it: nanoseconds of CLOCK_MONOTONIC. Never CHAN_NOW, never
 * CHAN_FOREVER. */
static inline uint64_t chan_now(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec + 1u;
}

/* The deadline `ns` nanoseconds from now. Saturates: what lies beyond the clock's range is
 * CHAN_FOREVER (rule S-14). `ns` 0 is a deadline that is already past, not CHAN_NOW. */
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

/* What every open looks at first: whether the size and the alignment are within bounds and go
 * together, and the capacity is 1 to `max_capacity` with a memory size that a size_t can hold.
 * `max_capacity` 0: a kind without a capacity. */
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

/* Never defined anywhere: an implementation casts its own structures to and from these. The same
 * types serve all kinds; a handle may be given only to functions of the table whose `open` it
 * descends from. */
struct chan_sender;
struct chan_receiver;
struct chan_weak;

/* Slots reserved for one sender, in the caller's memory. Filled in by `reserve`; `count` may be
 * read, the rest belongs to the implementation. It counts as a use of its sender, which must
 * outlive it. A permit with count 0 holds nothing. */
struct chan_permit {
	struct chan_sender *sender;
	size_t count;
	uintptr_t impl[2];
};

/* Somebody who wants to be told, in the caller's memory. Set `wake` (and embed the struct in one
 * of your own to find your state from it); the rest belongs to the implementation from the arm
 * to the disarm.
 *
 * ARMING. `arm_*(handle, waiter)` asks: would the operation complete now (CHAN_CLOSED and
 * CHAN_LAGGED count)? If it would, CHAN_READY, and nothing was registered. If not, CHAN_ARMED:
 * the waiter is registered, and as soon as the operation would complete it fires: `wake` is
 * called, once, on the thread that brought it about, before that thread's call returns.
 * CHAN_NOT_ARMED: the call came from inside a callback that must not make it (see CALLBACKS).
 *
 * WAKE may be called before the arm that registered it has returned. It must not block; it must
 * not disarm a waiter, nor drop or consume a handle that a waiter is armed on or that the
 * interrupted call was given: each could wait for itself. Anything else it may do, sending,
 * receiving and arming another waiter included. Wakes that complete operations nest; a queue of
 * things to run later does not.
 *
 * DISARMING. Every registration ends with exactly one `disarm(waiter)`, fired or not; a waiter
 * that was not registered must not be disarmed. The disarm waits until a running `wake` has
 * returned, or cancels one that was not begun; after it the waiter's memory is the caller's
 * again and nobody touches it. True: it had fired, that is, the event had come and chosen it.
 * False: it had not, and never will. The drop of the handle that a waiter is armed on (or the
 * oneshot send that consumes it) disarms it too (rule D-14); then there is nothing left to
 * disarm. What a fired waiter stood for and its handle did not use is passed on by the disarm: a
 * slot to the next queued sender or back to the pool (M-26), the wake for a message to the next
 * waiting receiver (P-5, S-8).
 *
 * A SENDER armed with `arm_send` is a queued sender for one slot (M-22 to M-27): it waits in the
 * same queue as the blocked ones, in turn. When it fires for a free slot, it owns that slot.
 * Through the same handle a `send`, the first element of a `send_many` or a `reserve` of one
 * uses it and cannot be CHAN_FULL (one that already blocks takes it at once); a `reserve` of
 * more counts it in, and leaves it as it was if it fails. A further arm_send is CHAN_READY.
 * Until the slot was used or the waiter disarmed nobody else can have it. When the channel is
 * closed every armed sender fires; a slot owned then keeps the channel from being idle (M-49)
 * until a send has returned CHAN_CLOSED (M-33) or the waiter is disarmed.
 *
 * A RECEIVER armed with `arm_recv` is a waiting receiver; it owns nothing. A message fires or
 * wakes one of those that wait (P-4); with several receivers another may be faster, and then its
 * receive gives CHAN_EMPTY and it arms again. In broadcast and watch every event fires every
 * waiter.
 *
 * A handle may have any number of waiters armed, and be used meanwhile. Arming allocates nothing
 * and takes constant time. No thread stands behind a waiter. An implementation lays a structure
 * of its own over `impl`; give that type __attribute__((may_alias)), or copy word by word: the
 * compiler takes them for words. */
struct chan_waiter {
	void (*wake)(struct chan_waiter *waiter);
	uintptr_t impl[8];
};

enum chan_arm {
	CHAN_READY = 0,    /* the operation would complete; not registered */
	CHAN_ARMED = 1,    /* registered: will fire once */
	CHAN_NOT_ARMED = 2 /* not allowed from here; not registered */
};

/* What can be asked of a handle with `sender_get`, `receiver_get`, `weak_get`. Every answer is a
 * moment's; it is exact when nobody else is at work (rules M-6, M-9). What an implementation, or
 * a handle of that type, does not know is CHAN_UNKNOWN. Askable at any time, concurrently with
 * everything (rule X-3). */
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
 * sender_drop, receiver_drop, weak_drop   End a handle and set it to NULL. The last sender's drop
 *                                         closes the channel for the
 *                  receivers and wakes all who wait for it (M-52, O-5, B-22, W-29). The last
 *                  receiver's drop closes it for the senders, wakes all of them (M-32), and
 *                  destroys what is still buffered, in order, in this thread, before it returns
 *                  (D-2, O-17, B-30). What was sent with a permit after that is destroyed at the
 *                  latest with the last handle (M-37). Neither fails.
 * sender_clone     `*out` is another sender of the same channel. CHAN_OK, CHAN_NOMEM.
 * downgrade        `*out` is a weak sender: it keeps the memory of the channel, but does not keep
 *                  it open. The sender stays. CHAN_OK, CHAN_NOMEM.
 * weak_clone       As sender_clone, for weak senders.
 * upgrade          `*out` is a sender, if there is still one; CHAN_CLOSED once there was none, for
 *                  ever (M-75). Does not look at the receiver (M-76). CHAN_OK, CHAN_CLOSED,
 *                  CHAN_NOMEM.
 * closed           Waits until no receiver will take anything any more: closed, or dropped (M-71 to
 *                  M-73, B-36, W-28, O-12). Does not wait for buffered messages. CHAN_OK;
 *                  CHAN_EMPTY with CHAN_NOW, or CHAN_TIMEOUT: not so yet.
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

	/* Receives into `msg`. CHAN_CLOSED only when nothing can come any more: no sender is
	 * left, or the channel was closed and no permit is outstanding, no slot owned by a
	 * sender or its waiter, no send in progress, and all was received (M-46 to M-55); from
	 * then on always. CHAN_OK, CHAN_CLOSED, CHAN_EMPTY, CHAN_TIMEOUT, CHAN_INVALID. Acquire:
	 * pairs with the send. */
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

	/* Sends the `n` elements at `msgs` one after another, as n sends would; others may come
	 * between. `*sent` is always set to how many were sent: the first so many; the rest stay
	 * with the caller. CHAN_OK exactly when all were; else the status of the send that
	 * stopped it. n 0: CHAN_OK, or CHAN_CLOSED when closed by the receiver. */
	enum chan_status (*send_many)(struct chan_sender *tx, const void *msgs, size_t n, size_t *sent,
	                              uint64_t deadline);

	/* Waits for one message as recv does, then takes what is there, up to `limit`, without
	 * waiting for more (M-58 to M-62). `*received` is always set; when it is not 0 the
	 * status is CHAN_OK. limit 0: CHAN_OK and 0 at once, open or closed. */
	enum chan_status (*recv_many)(struct chan_receiver *rx, void *msgs, size_t limit, size_t *received,
	                              uint64_t deadline);

	/* --- optional, bounded only: permits --- */

	/* Reserves `n` slots for this sender, all or none, waiting in the senders' queue. While
	 * it stands at the head it keeps what was freed so far (M-25). n 0 succeeds even when
	 * full, unless closed (M-42). n over the capacity: CHAN_INVALID, with CHAN_NOW
	 * CHAN_FULL, also when closed (M-40, M-41). CHAN_OK: `*permit` holds n; it must not have
	 * held any before. Else `*permit` is as it was. */
	enum chan_status (*reserve)(struct chan_sender *tx, size_t n, struct chan_permit *permit, uint64_t deadline);

	/* Sends with one slot of the permit, whose count must not be 0. Never waits and never
	 * fails, closed or not (M-35 to M-37): the value is the channel's. Its place in the
	 * order is taken now, not at the reservation. */
	void (*permit_send)(struct chan_permit *permit, const void *msg);

	/* Gives back what is left of the permit and makes its count 0 (M-38, M-43). */
	void (*permit_release)(struct chan_permit *permit);

	/* --- optional: closing from the receiving side --- */

	/* No more sends: senders that wait or come later get CHAN_CLOSED; what was sent, and
	 * what permits still send, can be received (M-48, M-57). Again: nothing happens. */
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

	/* Sends the value, never waits. Consumes the sender: `*tx` becomes NULL, whatever the
	 * result. CHAN_OK: the value is the receiver's or the channel's. CHAN_CLOSED: the
	 * receiver closed or is gone; the value stays with the caller. Exactly one of the two
	 * holds, also in a race with close (O-11). Release: pairs with the receive. */
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

	/* As borrow, by a sender. */
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

	/* the current version counts as unseen (W-14) */
	void (*mark_changed)(struct chan_receiver *rx);
	/* the current version counts as seen (W-15) */
	void (*mark_unchanged)(struct chan_receiver *rx);

	/* --- optional: handles --- */

	enum chan_status (*sender_clone)(struct chan_sender *tx, struct chan_sender **out);
	/* Copies the version seen as well (W-16). */
	enum chan_status (*receiver_clone)(struct chan_receiver *rx, struct chan_receiver **out);
	/* A new receiver that has seen the current version; reopens a channel without receivers
	 * (W-17). */
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

/* Reserves one slot and moves the sender into the permit: `*tx` becomes NULL, whatever the
 * result. When not CHAN_OK the sender comes back in `*back`, or is dropped if `back` is NULL.
 * `back` may be `tx` itself. Status as of `reserve`. */
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

/* Sends with an owned permit (`msg` not NULL or size 0) and ends it. The sender comes back in
 * `*back`, or is dropped if `back` is NULL. Never waits, never fails. */
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
 * back in `*back`, or is dropped if `back` is NULL (the permit is dropped). */
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
