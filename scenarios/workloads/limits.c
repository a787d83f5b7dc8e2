/* SPDX-License-Identifier: MIT
 *
 * limits.c - what the machine does between two threads without any channel: the ceilings that the
 * tables show.
 *
 * Mode ring and ring_by_32: messages of 8 bytes through the plainest ring there is, for one
 * producer and one consumer: no close, no waiting but spinning, nobody counted; one by one, and
 * with 32 a step. Each index has a line of its own, and each side keeps a copy of the other's index
 * and looks at the real one only when the copy says that there is nothing to do (Lamport's ring
 * with FastForward's and MCRingBuffer's lesson).
 *
 * Mode cache_line, futex, cond: round trips. One thread stores a number and waits for the other to
 * store it, too: spinning on two words, sleeping on two futexes, or with a mutex and two condition
 * variables. A channel that hands over by the same means cannot be faster.
 *
 * A thread that spins for long yields, so that the workload also ends on one CPU.
 */
#include "harness/bench/memory.h"
#include "harness/bench/trial.h"

#include <linux/futex.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { MODE_RING, MODE_RING_BY_32, MODE_CACHE_LINE, MODE_FUTEX, MODE_COND };

#define SLOTS 1024u

static const struct workload_param params[] = {{PARAM_MODE, "ring"}, {PARAM_COUNT, NULL}};

static const char *const modes[] = {[MODE_RING] = "ring",
                                    [MODE_RING_BY_32] = "ring_by_32",
                                    [MODE_CACHE_LINE] = "cache_line",
                                    [MODE_FUTEX] = "futex",
                                    [MODE_COND] = "cond",
                                    NULL};

static const struct preset presets[] = {
	{"all", "what every table shows", "mode=ring,ring_by_32,cache_line,futex,cond"},
	{NULL, NULL, NULL},
};

/* One side of the ring: its index, which the other reads, and what it knows of the other's.
 * Indices count on for ever. */
struct end {
	_Alignas(128) _Atomic uint64_t index;
	_Alignas(128) uint64_t other;
};

/* A word that one side writes and the other waits for. */
struct word {
	_Alignas(128) _Atomic uint32_t value;
	pthread_cond_t changed;
};

struct bench {
	struct trial *trial;
	uint64_t step; /* ring: messages at once, at most */
	struct end head, tail;
	_Alignas(128) uint64_t slots[SLOTS];
	struct word there, back;
	pthread_mutex_t lock;
};

static void relax(unsigned *looks)
{
	if (++*looks % 256 == 0)
		sched_yield();
#if defined(__x86_64__) || defined(__i386__)
	else
		__builtin_ia32_pause();
#elif defined(__aarch64__) || defined(__arm__)
	else
		__asm__ volatile("yield");
#endif
}

/* How many of `wanted` there are between this side and the other, which is `ahead` in front; at
 * least 1. */
static uint64_t await(struct end *own, const struct end *other, uint64_t ahead, uint64_t at, uint64_t wanted)
{
	unsigned looks = 0;

	while (own->other + ahead == at) {
		own->other = atomic_load_explicit(&other->index, memory_order_acquire);
		if (own->other + ahead == at)
			relax(&looks);
	}
	uint64_t there = own->other + ahead - at;
	return there < wanted ? there : wanted;
}

static void produce(struct worker *worker)
{
	struct bench *b = worker->arg;
	uint64_t salt = b->trial->salt;

	for (uint64_t at = 0; at < b->trial->messages;) {
		uint64_t left = b->trial->messages - at;
		uint64_t n = await(&b->tail, &b->head, SLOTS, at, left < b->step ? left : b->step);
		for (uint64_t end = at + n; at < end; at++)
			b->slots[at % SLOTS] = at ^ salt;
		atomic_store_explicit(&b->tail.index, at, memory_order_release);
	}
}

static void consume(struct worker *worker)
{
	struct bench *b = worker->arg;
	uint64_t salt = b->trial->salt, wrong = 0, at = 0;

	while (at < b->trial->messages) {
		uint64_t n = await(&b->head, &b->tail, 0, at, b->step);
		for (uint64_t end = at + n; at < end; at++)
			wrong |= b->slots[at % SLOTS] ^ at ^ salt;
		atomic_store_explicit(&b->head.index, at, memory_order_release);
		if (at % SLOTS < n)
			worker_progress(worker, at);
	}
	worker->stop_ns = chan_now();
	b->trial->items = at;
	if (wrong != 0)
		trial_fail(b->trial, "the ring gave another message than was sent");
}

/* ------------------------------------------------------------------------------------------
 * Round trips
 */

static void spin_for(struct bench *b, struct word *word, uint32_t value)
{
	unsigned looks = 0;

	(void)b;
	while (atomic_load_explicit(&word->value, memory_order_acquire) != value)
		relax(&looks);
}

static void store(struct bench *b, struct word *word, uint32_t value)
{
	(void)b;
	atomic_store_explicit(&word->value, value, memory_order_release);
}

static void sleep_for(struct bench *b, struct word *word, uint32_t value)
{
	(void)b;
	while (atomic_load_explicit(&word->value, memory_order_acquire) != value)
		syscall(SYS_futex, &word->value, FUTEX_WAIT_PRIVATE, value - 1, NULL, NULL, 0);
}

static void wake(struct bench *b, struct word *word, uint32_t value)
{
	store(b, word, value);
	syscall(SYS_futex, &word->value, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

static void wait_for(struct bench *b, struct word *word, uint32_t value)
{
	pthread_mutex_lock(&b->lock);
	while (atomic_load_explicit(&word->value, memory_order_relaxed) != value)
		pthread_cond_wait(&word->changed, &b->lock);
	pthread_mutex_unlock(&b->lock);
}

static void signal_one(struct bench *b, struct word *word, uint32_t value)
{
	pthread_mutex_lock(&b->lock);
	atomic_store_explicit(&word->value, value, memory_order_relaxed);
	pthread_cond_signal(&word->changed);
	pthread_mutex_unlock(&b->lock);
}

static const struct means {
	void (*await)(struct bench *b, struct word *word, uint32_t value);
	void (*tell)(struct bench *b, struct word *word, uint32_t value);
} means[] = {
	[MODE_CACHE_LINE] = {spin_for, store}, [MODE_FUTEX] = {sleep_for, wake}, [MODE_COND] = {wait_for, signal_one}};

static void call(struct worker *worker)
{
	struct bench *b = worker->arg;
	const struct means *by = &means[b->trial->params.v[PARAM_MODE]];

	for (uint64_t i = 1; i <= b->trial->messages; i++) {
		by->tell(b, &b->there, (uint32_t)i);
		by->await(b, &b->back, (uint32_t)i);
		worker_progress(worker, i);
	}
	worker->stop_ns = chan_now();
	b->trial->items = b->trial->messages;
}

static void answer(struct worker *worker)
{
	struct bench *b = worker->arg;
	const struct means *by = &means[b->trial->params.v[PARAM_MODE]];

	for (uint64_t i = 1; i <= b->trial->messages; i++) {
		by->await(b, &b->there, (uint32_t)i);
		by->tell(b, &b->back, (uint32_t)i);
	}
}

/* ------------------------------------------------------------------------------------------ */

static void run(struct trial *trial)
{
	uint64_t mode = trial->params.v[PARAM_MODE];
	bool ring = mode == MODE_RING || mode == MODE_RING_BY_32;
	struct bench *b = memory_get(_Alignof(struct bench), sizeof *b);
	struct worker *workers = trial_workers(2);

	*b = (struct bench){.trial = trial, .step = mode == MODE_RING_BY_32 ? 32 : 1};
	pthread_mutex_init(&b->lock, NULL);
	pthread_cond_init(&b->there.changed, NULL);
	pthread_cond_init(&b->back.changed, NULL);
	workers[0] = (struct worker){.body = ring ? produce : call, .arg = b};
	workers[1] = (struct worker){.body = ring ? consume : answer, .arg = b};
	trial_run(trial, workers, 2);
	pthread_cond_destroy(&b->back.changed);
	pthread_cond_destroy(&b->there.changed);
	pthread_mutex_destroy(&b->lock);
	free(workers);
	free(b);
}

/* On no channel at all; a cell must say something. */
static enum kind kind(const struct params *p, const char **why)
{
	(void)p;
	(void)why;
	return KIND_MPSC;
}

const struct workload limits = {
	.name = "limits",
	.summary = "two threads without a channel: what the machine can do; every table shows it",
	.kinds = "none",
	.item = "messages or round trips",
	.params = params,
	.modes = modes,
	.presets = presets,
	.kind = kind,
	.run = run,
};
