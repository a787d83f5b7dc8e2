/* SPDX-License-Identifier: MIT
 *
 * blocks.c - the unbounded channel of the futex family: a list of blocks of slots, without a lock.
 *
 * WHERE IT COMES FROM
 *
 * The slots are those of Vyukov's bounded queue (1024cores.net): each carries a stamp that says
 * whose turn it is, and a sender claims its slot by moving the tail with a compare-and-swap.
 * Instead of coming round in a ring the tail goes on into the next block. There must be no moment
 * in which the tail and the block do not fit. The way to that is crossbeam's (its SegQueue and its
 * list channel): an index that belongs to no slot stands between two blocks. Blocks that were read
 * are used again, as in Tokio's list; a few are kept, the others freed (rule U-7). Waiting, arming
 * and closing are those of fastpath/unbounded.h.
 *
 * SHAPE
 *
 *   tail, head   indices: a position above three bits, which in the tail are the channel's state. A
 *                lap is a power of two. A block has a slot for each position of a lap but the last.
 *                The index of that one means: the next block is being put in.
 *   stamp        of a slot: the index of the message in it, with bit 0 set (so it is never 0, as in
 *                a fresh block). A stamp from an earlier life of the block is another index, so a
 *                block need not be cleaned to be used again.
 *
 *   block +----+----+----+  next   block +----+----+----+
 *         | 4  | 5  | 6  | ------>       | 8  | 9  | 10 |        laps of four: 7 and 11 have no
 *         |read|sent|..  |               |sent|free|free|        slot
 *         +----+----+----+               +----+----+----+        .. claimed, not yet written
 *                                                                head = 5, tail = 9
 *
 * ALGORITHM
 *
 *   Send        1  Read the tail. It is closed: refuse.
 *               2  The slot is the last of its block: have the next block ready.
 *               3  Move the tail by compare-and-swap. Failed: wait a while, begin again.
 *               4  It was the last slot: store the next block in tail_block, move the tail past the
 *                  index without a slot, link the block.
 *               5  Copy the message in, store the stamp.
 *   Receive,    1  The slot at the head has its stamp: copy the message out, advance the head by a
 *   alone          plain store.
 *               2  It was the last slot: go on to the next block, give the old one back.
 *               3  No stamp: the tail says whether that is the end, or a sender is under way.
 *   Receive,    1  Read the head. Only if it has come up to `seen`, read the tail, and store it
 *                  there.
 *   shared      2  Claim messages of one block by moving the head with a compare-and-swap.
 *               3  The last slot is among them: store the next block in head_block, and move the
 *                  head past the index without a slot.
 *               4  Wait for the stamps, copy out, add to `taken`. The last of all to leave the
 *                  block gives it back.
 *
 * INVARIANTS
 *
 * C1  tail_block is the block of the tail, for whoever finds the tail unchanged afterwards. It is
 *     stored before the tail moves into the new block, and changes only while the tail stands
 *     between two blocks. The same holds for head_block where there are several receivers.
 * C2  A block is reached only through a claim (or, alone, by the only receiver), and goes back when
 *     all its slots have been read. So nobody looks into memory that was given back.
 * C3  The sender that claims the last slot of a block has the next block already. So it finds out
 *     that memory has run out before it has claimed anything.
 * C4  What is between head and tail has been sent or is being sent at this moment. There is nothing
 *     else: no marks, no holes.
 *
 * WHO EXCLUDES WHOM
 *
 *                   send             put in a block    receive          give back, get
 *   send            swap of tail     index without     stamp            pool_busy
 *                                    a slot
 *   receive alone   stamp            stamp (A5 before  the contract:    pool_busy
 *                                    it)               one receiver
 *   receive shared  stamp            next              swap of head     taken, pool_busy
 *
 * pool_busy is never waited for: a thread that finds it set does without the pool.
 *
 * LINEARIZATION. A send: its compare-and-swap of the tail. A receive: the load of the stamp (alone)
 * or the compare-and-swap of the head (shared). Empty: the load of a tail that equals the head.
 * Closing: the setting of a bit in the tail. It is the same word, so each send is before it or is
 * refused, and what the tail says then is final. So neither close() nor a receiver counts anybody.
 *
 * WAITING. A receiver that goes to sleep sets a bit in the same word, and learns by the same
 * instruction whether there was a message. A sender that claims a slot learns by the same
 * instruction whether somebody sleeps. So no fence is needed on either side, and none is missing.
 *
 * ORDER
 *
 * A0 -> R0  `shared`: what all others received, when one is left (fastpath/unbounded.h).
 * A1 -> R1  the stamp: a message is there.
 * A2 -> R2  the tail: the block in tail_block is there, and what was done before a bit was set.
 *           Each change of the tail is a read-modify-write, so later ones carry it on.
 * A3 -> R3  `taken`: all others have read what they claimed of a block.
 * A4 -> R4  the head: a block in head_block; and that a tail read later, for a length, is not
 *           behind it.
 * A5 -> R5  `next`: a new block is set up.
 * A6 -> R6  pool_busy: a block was read.
 * A8 -> R8  `seen`: the tail that it was, for A4. A receiver that claims by a tail that another has
 *           read moves the head past messages of which it knows no more.
 *
 * A compare-and-swap need not acquire. The load before it saw what it stands on, and the position
 * that the load saw is the one that the exchange finds. Positions do not come again, so C1 holds:
 * the thread that stores a block has seen all exchanges that count on the one before. Exchanges
 * carry on what earlier ones have released.
 *
 * A PEER THAT IS PREEMPTED. A sender that has claimed a slot and not yet written it makes receivers
 * wait for it, spinning, then yielding: they must not say "empty" (M-56), nor take what comes after
 * it (M-66). Senders go on, unless it was the last slot of a block and the next block is not yet in
 * place, which takes a handful of instructions. A receiver that is preempted holds up only those
 * who come to the end of the block that it was about to leave. The block that it reads from stays
 * until it has read.
 *
 * WRAP. Positions have 61 bits and wrap. Only differences of them are used, and equality.
 */
#include "impls/fastpath/unbounded.h"
#include "impls/futex/futex.h"

#include <stdlib.h>

enum {
	BLOCK_BYTES = 4096,
	POOL_BYTES = 8 * BLOCK_BYTES, /* that are kept, or one block if that is larger */
	STEP = UNBOUNDED_STATE + 1    /* from one index to the next */
};

/* ns after a lost race for the tail: long enough for the winner to send several before the next
 * try, or both lose time. */
#define RACE_PAUSE     640u
#define RACE_PAUSE_MAX (4 * RACE_PAUSE)

struct slot {
	_Atomic uint64_t stamp;
	/* the element follows at blocks.element */
};

struct block {
	_Atomic(struct block *) next; /* in the list; also in the pool */
	_Atomic size_t taken;         /* slots that were read, while there are several receivers */
};

struct blocks {
	struct unbounded channel;

	alignas(UNBOUNDED_LINE) struct layout layout;
	size_t slots;         /* of a block; a lap is one more */
	size_t first, stride; /* bytes: from the block to its first slot; from a slot to the next */
	size_t element;       /* bytes: from the slot to its element */

	alignas(UNBOUNDED_LINE) _Atomic uint64_t tail;
	_Atomic(struct block *) tail_block;

	alignas(UNBOUNDED_LINE) _Atomic uint64_t head;
	_Atomic(struct block *) head_block;
	_Atomic uint64_t seen; /* shared: a tail that was there some time ago */

	alignas(UNBOUNDED_LINE) atomic_flag pool_busy;
	struct block *pool;
	size_t pooled;
};

/* Slots claimed by a sender. */
struct claim {
	struct block *block;
	uint64_t index; /* of the first, without state */
	size_t count;
	unsigned state; /* when they were claimed */
};

/* `slots` is one less than a power of two. */
static inline size_t offset_of(const struct blocks *b, uint64_t index)
{
	return (size_t)(index / STEP) & b->slots;
}

static inline struct slot *slot_at(const struct blocks *b, struct block *block, size_t offset)
{
	return (struct slot *)(void *)((char *)block + b->first + offset * b->stride);
}

static inline void *element_of(const struct blocks *b, struct slot *slot)
{
	return (char *)slot + b->element;
}

/* An index without state; one between two blocks is the first of the next. */
static inline uint64_t place_of(const struct blocks *b, uint64_t index)
{
	index &= ~(uint64_t)UNBOUNDED_STATE;
	return offset_of(b, index) == b->slots ? index + STEP : index;
}

/* The `n`th message of the caller's. */
static inline void *message_at(const struct blocks *b, const void *msgs, size_t n)
{
	return b->layout.size == 0 ? NULL : (char *)(uintptr_t)msgs + n * b->layout.size;
}

static inline void write_slot(const struct blocks *b, struct slot *slot, uint64_t index, const void *msg)
{
	chan_layout_copy(&b->layout, element_of(b, slot), msg);
	/* A1: the message is in */
	atomic_store_explicit(&slot->stamp, index | 1, memory_order_release);
}

static inline bool written(const struct slot *slot, uint64_t index)
{
	/* R1: the message is written */
	return atomic_load_explicit(&slot->stamp, memory_order_acquire) == (index | 1);
}

static void await_written(struct slot *slot, uint64_t index)
{
	for (unsigned turn = 0; !written(slot, index);)
		chan_give_way(&turn);
}

/* ------------------------------------------------------------------------------------------
 * Blocks: new, kept, given back
 */

static struct block *block_new(const struct blocks *b)
{
	size_t align = b->layout.align < alignof(max_align_t) ? alignof(max_align_t) : b->layout.align;
	struct block *block;
	void *memory;

	if (b->slots > (SIZE_MAX - b->first) / b->stride)
		return NULL;
	if (posix_memalign(&memory, align, b->first + b->slots * b->stride) != 0)
		return NULL;
	block = memory;
	for (size_t i = 0; i < b->slots; i++)
		atomic_init(&slot_at(b, block, i)->stamp, 0);
	return block;
}

/* A block for the end of the list, from the pool or new; NULL: out of memory. */
static struct block *block_get(struct blocks *b)
{
	struct block *block = NULL;

	/* R6: it was read */
	if (!atomic_flag_test_and_set_explicit(&b->pool_busy, memory_order_acquire)) {
		block = b->pool;
		if (block != NULL) {
			b->pool = atomic_load_explicit(&block->next, memory_order_relaxed);
			b->pooled--;
		}
		/* A6: the pool is whole */
		atomic_flag_clear_explicit(&b->pool_busy, memory_order_release);
	}
	if (block == NULL)
		block = block_new(b);
	if (block != NULL) {
		atomic_store_explicit(&block->next, NULL, memory_order_relaxed);
		atomic_store_explicit(&block->taken, 0, memory_order_relaxed);
	}
	return block;
}

static void block_put(struct blocks *b, struct block *block)
{
	/* R6: the pool is whole */
	if (!atomic_flag_test_and_set_explicit(&b->pool_busy, memory_order_acquire)) {
		if (b->pooled == 0 || b->pooled < POOL_BYTES / (b->first + b->slots * b->stride)) {
			atomic_store_explicit(&block->next, b->pool, memory_order_relaxed);
			b->pool = block;
			b->pooled++;
			block = NULL;
		}
		/* A6: the block was read */
		atomic_flag_clear_explicit(&b->pool_busy, memory_order_release);
	}
	free(block);
}

static size_t round_up(size_t n, size_t align)
{
	return (n + align - 1) & ~(align - 1);
}

static bool blocks_open(struct unbounded *ch, uint64_t start)
{
	struct blocks *b = (struct blocks *)ch;
	const struct layout *layout = &ch->core.layout;
	size_t align = layout->align < alignof(uint64_t) ? alignof(uint64_t) : layout->align;
	size_t lap = 2;

	b->layout = *layout;
	b->element = round_up(sizeof(struct slot), layout->align);
	b->stride = round_up(b->element + layout->size, align);
	b->first = round_up(sizeof(struct block), align);
	while (lap * 2 * b->stride <= BLOCK_BYTES)
		lap *= 2;
	b->slots = lap - 1;

	uint64_t index = place_of(b, start * STEP);
	atomic_init(&b->tail, index);
	atomic_init(&b->head, index);
	atomic_init(&b->seen, index);
	atomic_flag_clear_explicit(&b->pool_busy, memory_order_relaxed);
	struct block *block = block_get(b);
	atomic_init(&b->tail_block, block);
	atomic_init(&b->head_block, block);
	return block != NULL;
}

static void free_all(struct block *block)
{
	while (block != NULL) {
		struct block *next = atomic_load_explicit(&block->next, memory_order_relaxed);

		free(block);
		block = next;
	}
}

static void blocks_close(struct unbounded *ch)
{
	struct blocks *b = (struct blocks *)ch;

	free_all(atomic_load_explicit(&b->head_block, memory_order_relaxed));
	free_all(b->pool);
}

/* ------------------------------------------------------------------------------------------
 * Sending
 */

/* The caller has claimed the last slot of `block`: the next block goes in (C1), and the others, who
 * wait, go on. */
static void extend(struct blocks *b, struct block *block, struct block *next)
{
	atomic_store_explicit(&b->tail_block, next, memory_order_relaxed);
	/* A2: tail_block is the new one */
	atomic_fetch_add_explicit(&b->tail, STEP, memory_order_release);
	/* A5: the block is set up */
	atomic_store_explicit(&block->next, next, memory_order_release);
}

/* Claims up to `n` (not 0) slots that follow each other, at least one. CHAN_OK, CHAN_CLOSED,
 * CHAN_NOMEM. */
static enum chan_status claim_slots(struct blocks *b, size_t n, struct claim *claim)
{
	struct block *next = NULL;
	enum chan_status status = CHAN_OK;
	uint32_t pause = RACE_PAUSE;
	unsigned turn = 0;

	/* R2: tail_block fits */
	uint64_t tail = atomic_load_explicit(&b->tail, memory_order_acquire);
	for (;;) {
		size_t offset = offset_of(b, tail);
		size_t count = b->slots - offset;

		if (tail & UNBOUNDED_CLOSED) {
			status = CHAN_CLOSED;
			break;
		}
		if (count == 0) { /* somebody puts the next block in */
			chan_give_way(&turn);
			/* R2: tail_block fits */
			tail = atomic_load_explicit(&b->tail, memory_order_acquire);
			continue;
		}
		bool last = n >= count;
		if (last && next == NULL) {
			next = block_get(b); /* C3 */
			last = next != NULL;
		}
		if (!last)
			count = n < count ? n : count - 1;
		if (count == 0) {
			status = CHAN_NOMEM;
			break;
		}
		/* C1 */
		struct block *block = atomic_load_explicit(&b->tail_block, memory_order_relaxed);
		/* A2: carries on what was released */
		if (atomic_compare_exchange_strong_explicit(&b->tail, &tail, tail + count * STEP, memory_order_release,
		                                            memory_order_relaxed)) {
			if (last) {
				extend(b, block, next);
				next = NULL;
			}
			claim->block = block;
			claim->index = tail & ~(uint64_t)UNBOUNDED_STATE;
			claim->count = count;
			claim->state = (unsigned)tail & UNBOUNDED_STATE;
			break;
		}
		chan_relax_for(pause);
		pause = pause < RACE_PAUSE_MAX ? pause * 2 : pause;
		/* R2: tail_block fits */
		tail = atomic_load_explicit(&b->tail, memory_order_acquire);
	}
	if (next != NULL)
		block_put(b, next);
	return status;
}

/* Writes the messages into the slots claimed. */
static void publish(struct blocks *b, const struct claim *claim, const void *msgs)
{
	size_t offset = offset_of(b, claim->index);

	for (size_t i = 0; i < claim->count; i++)
		write_slot(b, slot_at(b, claim->block, offset + i), claim->index + i * STEP, message_at(b, msgs, i));
}

static enum chan_status blocks_send_some(struct handle *h, const void *msgs, size_t n, size_t *sent, unsigned *state)
{
	struct blocks *b = (struct blocks *)h->core;
	struct claim claim = {0};
	enum chan_status status = claim_slots(b, n, &claim);

	if (status != CHAN_OK)
		return status;
	publish(b, &claim, msgs);
	*sent += claim.count;
	*state = claim.state;
	return CHAN_OK;
}

/* The frequent case without a call: a slot that is not the last of its block, claimed at the first
 * try. */
static CHAN_INLINE enum chan_status blocks_send(struct handle *h, const void *msg, unsigned *state)
{
	struct blocks *b = (struct blocks *)h->core;
	/* R2: tail_block fits */
	uint64_t tail = atomic_load_explicit(&b->tail, memory_order_acquire);
	size_t offset = offset_of(b, tail), sent = 0;

	if (!(tail & UNBOUNDED_CLOSED) && offset + 1 < b->slots) {
		/* C1 */
		struct block *block = atomic_load_explicit(&b->tail_block, memory_order_relaxed);

		/* A2: carries on what was released */
		if (atomic_compare_exchange_strong_explicit(&b->tail, &tail, tail + STEP, memory_order_release,
		                                            memory_order_relaxed)) {
			write_slot(b, slot_at(b, block, offset), tail & ~(uint64_t)UNBOUNDED_STATE, msg);
			*state = (unsigned)tail & UNBOUNDED_STATE;
			return CHAN_OK;
		}
		chan_relax_for(RACE_PAUSE);
	}
	return blocks_send_some(h, msg, 1, &sent, state);
}

/* ------------------------------------------------------------------------------------------
 * Receiving
 */

/* The only receiver has read the last slot of `block`. Its sender had linked the next block before
 * it stored the stamp: R1 is R5, too. */
static struct block *leave_block(struct blocks *b, struct block *block)
{
	struct block *next = atomic_load_explicit(&block->next, memory_order_relaxed);

	atomic_store_explicit(&b->head_block, next, memory_order_relaxed);
	block_put(b, block);
	return next;
}

/* The frequent case without a call: the receiver is alone, the message is there, and its slot is
 * not the last. */
static CHAN_INLINE bool blocks_take_one(struct unbounded *ch, void *msg)
{
	struct blocks *b = (struct blocks *)ch;

	if (unbounded_shared(ch)) /* R0: is it alone? */
		return false;

	uint64_t head = atomic_load_explicit(&b->head, memory_order_relaxed);
	struct block *block = atomic_load_explicit(&b->head_block, memory_order_relaxed);
	size_t offset = offset_of(b, head);
	struct slot *slot = slot_at(b, block, offset);
	if (offset + 1 == b->slots || !written(slot, head))
		return false;
	chan_layout_copy(&b->layout, msg, element_of(b, slot));
	atomic_store_explicit(&b->head, head + STEP, memory_order_release); /* A4: for lengths */
	return true;
}

static size_t take_alone(struct blocks *b, void *msgs, size_t limit)
{
	uint64_t head = atomic_load_explicit(&b->head, memory_order_relaxed);
	struct block *block = atomic_load_explicit(&b->head_block, memory_order_relaxed);
	size_t offset = offset_of(b, head), n;

	for (n = 0; n < limit; n++) {
		struct slot *slot = slot_at(b, block, offset);

		if (!written(slot, head))
			break;
		chan_layout_copy(&b->layout, message_at(b, msgs, n), element_of(b, slot));
		head += STEP;
		if (++offset == b->slots) {
			block = leave_block(b, block);
			head += STEP;
			offset = 0;
		}
	}
	if (n > 0)
		atomic_store_explicit(&b->head, head, memory_order_release); /* A4: for lengths */
	return n;
}

/* Claims up to `limit` messages of one block. 0: there are none; `*state` says so. */
static size_t claim_head(struct blocks *b, size_t limit, uint64_t *claimed, struct block **block, unsigned *state)
{
	unsigned turn = 0;

	for (;;) {
		/* R4: head_block fits */
		uint64_t head = atomic_load_explicit(&b->head, memory_order_acquire);
		/* R8: as R2 */
		uint64_t seen = atomic_load_explicit(&b->seen, memory_order_acquire);
		size_t count = b->slots - offset_of(b, head);

		if (count == 0) { /* somebody moves on to the next block */
			chan_give_way(&turn);
			continue;
		}
		if ((int64_t)(seen - head) <= 0) {
			/* R2: not behind head */
			uint64_t tail = atomic_load_explicit(&b->tail, memory_order_acquire);
			seen = tail & ~(uint64_t)UNBOUNDED_STATE;
			if (seen == head) { /* never behind it: A4 */
				*state = (unsigned)tail & UNBOUNDED_STATE;
				return 0;
			}
			/* A8: hands R2 on */
			atomic_store_explicit(&b->seen, seen, memory_order_release);
		}
		if (count > (seen - head) / STEP)
			count = (size_t)((seen - head) / STEP);
		if (count > limit)
			count = limit;
		*block = atomic_load_explicit(&b->head_block, memory_order_relaxed); /* C1 */
		/* A4: carries head_block on */
		if (atomic_compare_exchange_strong_explicit(&b->head, &head, head + count * STEP, memory_order_release,
		                                            memory_order_relaxed)) {
			*claimed = head;
			return count;
		}
		chan_relax_for(RACE_PAUSE);
	}
}

/* Takes messages of one block; 0: there are none. */
static size_t take_shared(struct blocks *b, void *msgs, size_t limit, unsigned *state)
{
	struct block *block;
	uint64_t index;
	size_t count = claim_head(b, limit, &index, &block, state);

	if (count == 0)
		return 0;
	size_t offset = offset_of(b, index);
	if (offset + count == b->slots) {
		struct block *next;
		unsigned turn = 0;

		/* R5: it is set up */
		while ((next = atomic_load_explicit(&block->next, memory_order_acquire)) == NULL)
			chan_give_way(&turn);
		atomic_store_explicit(&b->head_block, next, memory_order_relaxed);
		/* A4: head_block fits */
		atomic_store_explicit(&b->head, index + (count + 1) * STEP, memory_order_release);
	}
	for (size_t i = 0; i < count; i++) {
		struct slot *slot = slot_at(b, block, offset + i);

		await_written(slot, index + i * STEP);
		chan_layout_copy(&b->layout, message_at(b, msgs, i), element_of(b, slot));
	}
	/* A3 -> R3: the last one has the reads of all before its own. */
	if (atomic_fetch_add_explicit(&block->taken, count, memory_order_acq_rel) + count == b->slots)
		block_put(b, block);
	return count;
}

static size_t blocks_take(struct unbounded *ch, void *msgs, size_t limit, unsigned *state)
{
	struct blocks *b = (struct blocks *)ch;
	bool shared = unbounded_shared(ch); /* R0: is it alone? */
	unsigned turn = 0;
	size_t n = 0;

	for (;;) {
		void *rest = message_at(b, msgs, n);
		size_t more = shared ? take_shared(b, rest, limit - n, state) : take_alone(b, rest, limit - n);

		n += more;
		if (n == limit || (shared && more == 0))
			return n;
		if (shared)
			continue;
		/* R2: or it is the end */
		uint64_t tail = atomic_load_explicit(&b->tail, memory_order_acquire);
		*state = (unsigned)tail & UNBOUNDED_STATE;
		if (place_of(b, tail) == atomic_load_explicit(&b->head, memory_order_relaxed))
			return n;
		/* There was one more by then, or it is being written. */
		chan_give_way(&turn);
	}
}

static bool blocks_ready(const struct unbounded *ch)
{
	const struct blocks *b = (const struct blocks *)ch;
	bool shared = unbounded_shared(ch); /* R0: is it alone? */
	/* After that: when it is alone, not a head of when it was not, which may have been
	 * between two blocks. */
	uint64_t head = atomic_load_explicit(&b->head, memory_order_relaxed);
	if (shared)
		return place_of(b, atomic_load_explicit(&b->tail, memory_order_relaxed)) != place_of(b, head);
	struct block *block = atomic_load_explicit(&b->head_block, memory_order_relaxed);
	return written(slot_at(b, block, offset_of(b, head)), head);
}

static void blocks_share(struct unbounded *ch)
{
	struct blocks *b = (struct blocks *)ch;
	struct block *block = atomic_load_explicit(&b->head_block, memory_order_relaxed);
	size_t offset = offset_of(b, atomic_load_explicit(&b->head, memory_order_relaxed));

	atomic_store_explicit(&block->taken, offset, memory_order_relaxed);
}

static void *blocks_front(struct unbounded *ch)
{
	struct blocks *b = (struct blocks *)ch;
	uint64_t head = atomic_load_explicit(&b->head, memory_order_relaxed);
	uint64_t tail = atomic_load_explicit(&b->tail, memory_order_relaxed); /* closed: final */
	struct block *block = atomic_load_explicit(&b->head_block, memory_order_relaxed);

	if (place_of(b, tail) == head)
		return NULL;
	struct slot *slot = slot_at(b, block, offset_of(b, head));
	await_written(slot, head);
	return element_of(b, slot);
}

static void blocks_pop(struct unbounded *ch)
{
	struct blocks *b = (struct blocks *)ch;
	uint64_t head = atomic_load_explicit(&b->head, memory_order_relaxed) + STEP;

	if (offset_of(b, head) == b->slots) {
		leave_block(b, atomic_load_explicit(&b->head_block, memory_order_relaxed));
		head += STEP;
	}
	atomic_store_explicit(&b->head, head, memory_order_release); /* A4: for lengths */
}

/* ------------------------------------------------------------------------------------------
 * State and length
 */

static bool blocks_set(struct unbounded *ch, unsigned bits)
{
	struct blocks *b = (struct blocks *)ch;
	/* A2: what was done before */
	uint64_t tail = atomic_fetch_or_explicit(&b->tail, bits, memory_order_release) | bits;

	/* An old head says that there is a message, which is then looked for. */
	return (tail & UNBOUNDED_ENDING) != 0 ||
	       place_of(b, tail) != place_of(b, atomic_load_explicit(&b->head, memory_order_relaxed));
}

static void blocks_unset(struct unbounded *ch, unsigned bits)
{
	/* carries A2 on */
	atomic_fetch_and_explicit(&((struct blocks *)ch)->tail, ~(uint64_t)bits, memory_order_relaxed);
}

static unsigned blocks_state(const struct unbounded *ch)
{
	const struct blocks *b = (const struct blocks *)ch;

	/* R2: what was done before a bit */
	return (unsigned)atomic_load_explicit(&b->tail, memory_order_acquire) & UNBOUNDED_STATE;
}

/* The messages before an index, counted from some beginning; modulo what the caller masks. */
static uint64_t messages_before(const struct blocks *b, uint64_t index)
{
	uint64_t position = place_of(b, index) / STEP;

	return position - position / (b->slots + 1);
}

static size_t blocks_len(struct unbounded *ch, size_t most)
{
	struct blocks *b = (struct blocks *)ch;
	/* R2: the last block */
	uint64_t head, tail = atomic_load_explicit(&b->tail, memory_order_acquire), before;

	(void)most; /* all of them are as quickly counted */
	/* until the tail was the same before and after the head was read: that moment */
	do {
		before = tail;
		/* R4: the tail is not behind */
		head = atomic_load_explicit(&b->head, memory_order_acquire);
		/* R2: nor older than before */
		tail = atomic_load_explicit(&b->tail, memory_order_acquire);
	} while (place_of(b, before) != place_of(b, tail));
	/* The positions wrap at a multiple of the lap: so many messages are in all of them. */
	uint64_t wrap = (UINT64_MAX / STEP / (b->slots + 1) + 1) * b->slots;
	uint64_t n = messages_before(b, tail) - messages_before(b, head);

	return (size_t)(place_of(b, tail) < place_of(b, head) ? n + wrap : n);
}

/* ------------------------------------------------------------------------------------------
 * The table
 */

static const struct unbounded_store store = {
	.open = blocks_open,
	.close = blocks_close,
	.send = blocks_send,
	.send_some = blocks_send_some,
	.take_one = blocks_take_one,
	.take = blocks_take,
	.ready = blocks_ready,
	.set = blocks_set,
	.unset = blocks_unset,
	.state = blocks_state,
	.len = blocks_len,
	.share = blocks_share,
	.front = blocks_front,
	.pop = blocks_pop,
};

static enum chan_status open_channel(const struct chan_config *config, struct chan_sender **tx,
                                     struct chan_receiver **rx)
{
	return chan_unbounded_open(config, tx, rx, sizeof(struct blocks), sizeof(struct handle), &store);
}

static enum chan_status send(struct chan_sender *tx, const void *msg, uint64_t deadline)
{
	(void)deadline;
	return unbounded_send(tx, msg, &store);
}

static enum chan_status send_many(struct chan_sender *tx, const void *msgs, size_t n, size_t *sent, uint64_t deadline)
{
	(void)deadline;
	return unbounded_send_many(tx, msgs, n, sent, &store);
}

static enum chan_status recv_many(struct chan_receiver *rx, void *msgs, size_t limit, size_t *received,
                                  uint64_t deadline)
{
	return unbounded_recv_many(rx, msgs, limit, received, deadline, &store);
}

static enum chan_status recv(struct chan_receiver *rx, void *msg, uint64_t deadline)
{
	return unbounded_recv(rx, msg, deadline, &store, recv_many);
}

const struct chan_mpsc_ops chan_futex_unbounded_ops = {
	.open = open_channel,
	.send = send,
	.recv = recv,
	.sender_drop = chan_unbounded_sender_drop,
	.receiver_drop = chan_unbounded_receiver_drop,
	.sender_clone = chan_core_sender_clone,
	.downgrade = chan_core_downgrade,
	.upgrade = chan_core_upgrade,
	.weak_clone = chan_core_weak_clone,
	.weak_drop = chan_core_weak_drop,
	.receiver_clone = chan_unbounded_receiver_clone,
	.send_many = send_many,
	.recv_many = recv_many,
	.close = chan_unbounded_close,
	.closed = chan_core_wait_closed,
	.arm_send = chan_unbounded_arm_send,
	.arm_recv = chan_unbounded_arm_recv,
	.arm_closed = chan_core_arm_closed,
	.disarm = chan_unbounded_disarm,
	.sender_get = chan_unbounded_sender_get,
	.receiver_get = chan_unbounded_receiver_get,
	.weak_get = chan_core_weak_get,
};
