/* SPDX-License-Identifier: MIT
 *
 * chain.h - an unbounded queue without locks: a chain of blocks of cells, many senders, one
 * receiver or many.
 *
 * WHERE IT COMES FROM
 *
 * The cells are those of Vyukov's bounded queue: each carries a stamp that says whose turn it is,
 * and a sender claims its cell by moving the tail with a compare-and-swap. Instead of coming round
 * in a ring the tail goes on into the next block; how that is done without a moment in which tail
 * and block do not fit is crossbeam's list: an index that belongs to no cell stands between two
 * blocks. Blocks that were read are used again (Tokio's list does so too); a few are kept, the
 * others freed (rule U-7).
 *
 * SHAPE
 *
 *   tail, head   indices: a position above three flag bits (of the tail only). A lap is a power of
 *                two; a block has a cell for each position of a lap but the last. The index of that
 *                one means: the next block is being put in.
 *   stamp        of a cell: the index of the message in it, with bit 0 set (so that it is never 0,
 *                as in a fresh block). One from an earlier life of the block is another index, so a
 *                block is not cleaned to be used again.
 *
 *   block +----+----+----+  next   block +----+----+----+
 *         | 4  | 5  | 6  | ------>       | 8  | 9  | 10 |        laps of four: 7 and 11 have no
 *                                                                cell
 *         |read|sent|..  |               |sent|free|free|        .. claimed, not yet written
 *         +----+----+----+               +----+----+----+        head = 5, tail = 9
 *
 * INVARIANTS
 *
 * C1  tail_block is the block of the tail, for whoever finds the tail unchanged afterwards: it is
 *     stored before the tail moves into the new block, and changes only while the tail stands
 *     between two blocks. The same for head_block, with several receivers.
 * C2  A block is reached only through a claim (or, alone, by the only receiver), and goes back when
 *     all its cells have been read. So nobody looks into memory that was given back.
 * C3  Who claims the last cell of a block has the next block already: running out of memory is
 *     found before anything is claimed.
 * C4  What is between head and tail has been sent or is being sent at this moment. Nothing else is:
 *     no marks, no holes.
 *
 * LINEARIZATION. A send: its compare-and-swap of the tail. A receive: the load of the stamp (alone)
 * or the compare-and-swap of the head (shared). Empty: the load of a tail that equals the head.
 * Closing: the setting of a flag in the tail; since it is the same word, each send is before it or
 * is refused, and what the tail says then is final: close() and its receivers count nobody.
 *
 * WAITING. Who goes to sleep sets a flag in the same word, and learns with the same instruction
 * whether there was a message; who claims a cell learns with the same instruction whether somebody
 * sleeps. So no fence is needed on either side, and none is missing.
 *
 * A PEER THAT IS STOPPED half-way: a sender that has claimed a cell and not yet written it makes
 * receivers wait for it (spinning, then yielding), as they must not say "empty" (M-56) nor take
 * what comes after it (M-66); senders go on, unless it was the last cell of a block and the next
 * block is not yet in place: a handful of instructions. A receiver that is stopped stops nobody but
 * those who come to the end of the block that it was about to leave; the block that it reads from
 * stays until it has read.
 *
 * ORDER. A1 -> R1 the stamp: a message is there. A2 -> R2 the tail: the block behind tail_block is
 * there (each change of the tail is a read-modify-write, so later ones carry it on), and what was
 * done before a flag was set. A3 -> R3 `taken`: all others have read what they claimed of a block.
 * A4 -> R4 the head: a block in head_block; and that a tail read later, for a length, is not behind
 * it. A5 -> R5 `next`: a new block is set up. A6 -> R6 the pool: a block was read. A7 -> R7
 * `shared`: what all others received, when one is left. A8 -> R8 `seen`: the tail that it was, for
 * A4: who claims by a tail that another has read moves the head past messages of which it knows no
 * more. An exchange need not acquire: what it stands on the load before it saw, which has the
 * position that the exchange finds (positions do not come again, so C1 holds: who stores a block
 * has seen all exchanges that count on the one before). Exchanges carry on what earlier ones have
 * released.
 *
 * WRAP. Positions have 61 bits and wrap; only differences of them are used, and equality.
 */
#ifndef CHANBENCH_BASE_CHAIN_H
#define CHANBENCH_BASE_CHAIN_H

#include "impls/base/config.h"
#include "impls/base/spin.h"

#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>

/* Bytes that two CPUs cannot write at the same time; what different sides write is that far
 * apart. */
#define CHAIN_LINE 64

/* Flags of the tail. */
enum {
	CHAIN_CLOSED = 1,  /* no more sends */
	CHAIN_ORPHAN = 2,  /* no sender is left */
	CHAIN_WAITING = 4, /* somebody sleeps: who sends has to wake */
	CHAIN_ENDING = CHAIN_CLOSED | CHAIN_ORPHAN,
	CHAIN_FLAGS = 7,
	CHAIN_STEP = 8 /* from one index to the next */
};

struct chain_block {
	_Atomic(struct chain_block *) next; /* in the chain; also in the pool */
	/* cells that were read; kept while the receiving end is shared */
	_Atomic size_t taken;
};

struct chain {
	struct layout layout;
	size_t cells;         /* of a block; a lap is one more */
	size_t first, stride; /* bytes: from the block to its first cell; from a cell to the next */
	size_t element;       /* bytes: from the cell to its element */

	alignas(CHAIN_LINE) _Atomic uint64_t tail;
	_Atomic(struct chain_block *) tail_block;

	alignas(CHAIN_LINE) _Atomic uint64_t head;
	_Atomic(struct chain_block *) head_block;
	_Atomic uint64_t seen; /* shared: a tail that was there some time ago */
	_Atomic bool shared;   /* there are several receivers */
	/* a flag of CHAIN_ENDING was set: who looks at cells only should look at the tail */
	_Atomic bool disturbed;

	/* never waited for: whoever finds it set does without the pool */
	alignas(CHAIN_LINE) atomic_flag pool_busy;
	struct chain_block *pool;
	size_t pooled;
};

/* Cells claimed by a sender. */
struct chain_claim {
	struct chain_block *block;
	uint64_t index; /* of the first, without flags */
	size_t count;
	unsigned flags; /* of the tail when it was claimed */
};

/* An empty chain whose positions begin at `start`. False: out of memory. In memory aligned to
 * CHAIN_LINE. */
bool chan_chain_open(struct chain *c, const struct layout *layout, uint64_t start);

/* Frees the memory; elements that are still inside are forgotten. */
void chan_chain_free(struct chain *c);

/* Claims up to `n` (not 0) cells that follow each other, at least one. CHAN_OK, CHAN_CLOSED,
 * CHAN_NOMEM. */
enum chan_status chan_chain_claim(struct chain *c, size_t n, struct chain_claim *claim);

/* Writes the messages into the cells claimed. */
void chan_chain_publish(struct chain *c, const struct chain_claim *claim, const void *msgs);

/* Takes up to `limit` (not 0) messages out, without waiting for more; for those that are being
 * written it waits. When there are less: `*tail` is the tail at the moment when there were no
 * more. */
size_t chan_chain_take(struct chain *c, void *msgs, size_t limit, uint64_t *tail);

/* Whether it seems worth while to call take. False negatives of a moment only. */
bool chan_chain_ready(const struct chain *c);

/* Sets a flag, and says whether there was a message, or a sign of the end, at this moment. */
bool chan_chain_flag(struct chain *c, unsigned flag);
void chan_chain_unflag(struct chain *c, unsigned flag);

static inline unsigned chan_chain_flags(const struct chain *c)
{
	/* R2 */
	return (unsigned)atomic_load_explicit(&c->tail, memory_order_acquire) & CHAIN_FLAGS;
}

/* Messages sent, or being sent, and not yet taken; as it was at some moment during the call. */
size_t chan_chain_len(const struct chain *c);

/* The receiving end is used by several from now on, or by one. Called by the only one who can
 * use it. */
void chan_chain_share(struct chain *c);
void chan_chain_unshare(struct chain *c);

/* The oldest message where it lies, or NULL; and the end of it. For one who is alone with a
 * closed chain. */
void *chan_chain_front(struct chain *c);
void chan_chain_pop(struct chain *c);

#endif
