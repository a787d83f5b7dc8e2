/* SPDX-License-Identifier: MIT */
#include "harness/stress/round.h"

#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* How many operations a step may record beyond the limit. A thread has room for what it does,
 * and to receive all that the others send. */
#define OPS_MARGIN 128
/* How many values a thread may make. */
#define VALUES_MAX ((size_t)1 << 16)

void round_fail(struct round *round, const char *format, ...)
{
	static pthread_mutex_t one = PTHREAD_MUTEX_INITIALIZER;
	va_list args;
	pthread_mutex_lock(&one);
	if (!atomic_load(&round->failed)) {
		va_start(args, format);
		vsnprintf(round->failure, sizeof round->failure, format, args);
		va_end(args);
		atomic_store(&round->failed, true);
	}
	pthread_mutex_unlock(&one);
}

/* ------------------------------------------------------------------------------------------
 * Operations
 */

bool worker_more(struct worker *worker)
{
	if (worker->steps == 0 || worker->op_count + OPS_MARGIN > worker->op_limit ||
	    worker->made + 2 * BATCH_MAX > worker->round->tally.per_thread || atomic_load(&worker->round->failed))
		return false;
	worker->steps--;
	return true;
}

uint64_t worker_deadline(struct worker *worker, enum op_wait *wait)
{
	size_t which = worker_random(worker, 10), ns = worker_random(worker, 300000);
	*wait = which < 4 ? WAIT_NOW : which < 7 ? WAIT_TIMED : WAIT_FOREVER;
	return *wait == WAIT_NOW     ? CHAN_NOW
	       : *wait == WAIT_TIMED ? chan_deadline_in(which == 4 ? 0 : ns)
	                             : CHAN_FOREVER;
}

void worker_pause(struct worker *worker)
{
	size_t which = worker_random(worker, 16);
	if (which == 0)
		sched_yield();
	else if (which < 4)
		for (volatile size_t spin = worker_random(worker, 200); spin > 0; spin = spin - 1)
			;
}

/* A history that lacks an operation would be a wrong one. */
static bool has_room(struct worker *worker)
{
	if (worker->op_count < worker->op_room)
		return true;
	round_fail(worker->round, "thread %u: more operations than its history has room for (%zu)", worker->index,
	           worker->op_room);
	return false;
}

struct op *op_begin(struct worker *worker, enum op_code code, enum op_wait wait)
{
	bool recorded = worker->round->recorded && worker->nested == 0 && has_room(worker);
	struct op *op = recorded ? &worker->ops[worker->op_count++] : &worker->scratch;
	*op = (struct op){
		.ret = OP_PENDING, .thread = (uint16_t)worker->index, .code = (uint8_t)code, .wait = (uint8_t)wait};
	atomic_store_explicit(&worker->seat->code, code, memory_order_relaxed);
	atomic_store_explicit(&worker->seat->wait, wait, memory_order_relaxed);
	if (recorded)
		op->call = history_stamp();
	return op;
}

void op_end(struct worker *worker, struct op *op, enum chan_status status)
{
	if (op != &worker->scratch)
		op->ret = history_stamp();
	op->status = (uint8_t)status;
	atomic_store_explicit(&worker->seat->code, OP_CODES, memory_order_relaxed);
	atomic_fetch_add_explicit(&worker->seat->operations, 1, memory_order_relaxed);
	bool too_early = op->wait == WAIT_FOREVER || op->wait == WAIT_TIMED
	                         ? status == CHAN_FULL || status == CHAN_EMPTY
	                         : false;
	bool too_late = op->wait == WAIT_FOREVER || op->wait == WAIT_NOW ? status == CHAN_TIMEOUT : false;
	if (status == CHAN_INVALID || status > CHAN_NOMEM || too_early || too_late)
		round_fail(worker->round, "thread %u: %s(%s) returned %s", worker->index, op_name(op->code),
		           op->wait == WAIT_NOW       ? "now"
		           : op->wait == WAIT_TIMED   ? "timed"
		           : op->wait == WAIT_FOREVER ? "forever"
		                                      : "",
		           status_name(status));
}

struct op *op_chain(struct worker *worker, enum op_code code)
{
	if (!worker->round->recorded || worker->op_count == 0 || !has_room(worker))
		return &worker->scratch;
	struct op *op = &worker->ops[worker->op_count];
	*op = op[-1];
	op->code = (uint8_t)code;
	op->chained = true;
	worker->op_count++;
	return op;
}

/* ------------------------------------------------------------------------------------------
 * Hooks and wakes
 */

static _Thread_local struct worker *self;

static void reenter(void)
{
	struct worker *worker = self;
	if (worker == NULL || worker->round->recorded || worker->nested > 0 || worker->round->scenario->reenter == NULL)
		return;
	unsigned code = atomic_load_explicit(&worker->seat->code, memory_order_relaxed);
	worker->nested++;
	if (worker_random(worker, 4) == 0)
		worker->round->scenario->reenter(worker);
	worker->nested--;
	atomic_store_explicit(&worker->seat->code, code, memory_order_relaxed);
}

static void on_destroy(void *msg, void *context)
{
	value_end(context, msg, VALUE_DESTROYED);
	reenter();
}

static int on_clone(void *dst, const void *src, void *context)
{
	struct round *round = context;
	struct worker *worker = self;
	if (worker != NULL && !round->recorded && worker->nested == 0) {
		size_t which = worker_random(worker, 64);
		worker->nested++;
		if (which < 8 && round->scenario->refused != NULL)
			round->scenario->refused(worker);
		worker->nested--;
		if (which == 9)
			return -1;
	}
	__builtin_memcpy(dst, src, round->config.size);
	if (round->config.size >= sizeof(uint64_t)) {
		uint64_t value = value_look(round, src);
		size_t at = (size_t)(value >> 32) * round->tally.per_thread + (value & UINT32_MAX) - 1;
		if (!atomic_load(&round->failed))
			atomic_fetch_add_explicit(&round->tally.alive[at], 1, memory_order_relaxed);
	}
	atomic_fetch_add_explicit(&round->tally.cloned, 1, memory_order_relaxed);
	return 0;
}

static void on_wake(struct chan_waiter *waiter)
{
	atomic_fetch_add(&((struct stress_waiter *)waiter)->fired, 1);
	reenter();
}

void stress_waiter_init(struct stress_waiter *waiter)
{
	*waiter = (struct stress_waiter){.waiter = {.wake = on_wake}};
	atomic_init(&waiter->fired, 0);
}

/* ------------------------------------------------------------------------------------------
 * Choices
 */

/* A little before the end of 64 bits, which is the end of any narrower counter, too, or before the
 * half of them, where differences change their sign. It is so near that every round goes beyond. */
static uint64_t before_a_wrap(struct round *round)
{
	static const uint64_t ends[] = {0, 0, 0, 0, (uint64_t)1 << 63, (uint64_t)1 << 31, (uint64_t)1 << 15, 0};

	return ends[random_below(&round->random, 8)] - random_below(&round->random, 40) - 1;
}

void round_choose_config(struct round *round, bool copies)
{
	/* Also around the sizes at which a watch channel has other buffers. */
	static const size_t sizes[] = {8, 8, 16, 24, 64, 640, 40, 0, 1, 4, 256, 320};
	static const uint64_t wraps[] = {
		0,          UINT64_MAX,      UINT64_MAX - 5,  UINT32_MAX,        UINT32_MAX - 3,
		UINT16_MAX, UINT64_MAX >> 1, UINT32_MAX >> 1, UINT64_MAX - 4096, 1};
	struct chan_config *config = &round->config;
	config->size = sizes[random_below(&round->random, round->recorded ? 6 : sizeof sizes / sizeof *sizes)];
	round->hooks = random_below(&round->random, 3) != 0;
	if (round->honours_start && round->wrap)
		config->start = before_a_wrap(round);
	else
		config->start = round->honours_start && random_below(&round->random, 2) == 0
		                        ? wraps[random_below(&round->random, 10)]
		                        : 0;
	config->destroy = round->hooks ? on_destroy : NULL;
	config->clone = round->hooks && copies ? on_clone : NULL;
	config->context = round;
}

/* ------------------------------------------------------------------------------------------
 * A round
 */

static void *thread_main(void *arg)
{
	struct worker *worker = arg;
	self = worker;
	pthread_barrier_wait(&worker->round->start);
	worker->round->scenario->work(worker);
	self = NULL;
	return NULL;
}

static bool prepare(struct round *round, size_t operations)
{
	struct tally *tally = &round->tally;
	size_t share = operations / round->threads + 1;
	tally->per_thread = share * 4 + 256 < VALUES_MAX ? share * 4 + 256 : VALUES_MAX;
	tally->alive = calloc((round->threads + 1) * tally->per_thread, sizeof *tally->alive);
	tally->notes = calloc((round->threads + 1) * tally->per_thread, sizeof *tally->notes);
	round->workers = aligned_alloc(64, (round->threads + 1) * sizeof *round->workers);
	if (tally->alive == NULL || tally->notes == NULL || round->workers == NULL)
		return false;
	__builtin_memset(round->workers, 0, (round->threads + 1) * sizeof *round->workers);
	round->prepared = round->threads + 1;
	for (unsigned i = 0; i <= round->threads; i++) { /* the last one is the scenario's own */
		struct worker *worker = &round->workers[i];
		worker->round = round;
		worker->index = i;
		worker->random = round->seed * THREADS_MAX + i;
		worker->steps = share;
		worker->seat = &round->board->seats[i % THREADS_MAX];
		worker->op_limit = round->recorded ? share + OPS_MARGIN : SIZE_MAX;
		worker->op_room = 2 * operations + 2 * (THREADS_MAX + 1) * OPS_MARGIN;
		worker->ops = round->recorded ? malloc(worker->op_room * sizeof *worker->ops) : NULL;
		if (round->recorded && worker->ops == NULL)
			return false;
	}
	return true;
}

/* Each value must have ended. */
static void settle(struct round *round)
{
	struct tally *tally = &round->tally;
	uint64_t made = atomic_load(&tally->made) + atomic_load(&tally->cloned), ended = 0;
	for (int i = 0; i < VALUE_ENDS; i++)
		ended += atomic_load(&tally->ended[i]);
	if (atomic_load(&round->failed) || (!round->hooks && round->may_vanish))
		return;
	for (size_t i = 0; i < round->threads * tally->per_thread; i++)
		if (atomic_load(&tally->alive[i]) != 0)
			round_fail(round,
			           "tally: value %zu.%zu was sent and never ended: neither received nor handed back "
			           "nor destroyed",
			           i / tally->per_thread, i % tally->per_thread + 1);
	if (made != ended)
		round_fail(round, "tally: %llu values were made and %llu ended", (unsigned long long)made,
		           (unsigned long long)ended);
}

static bool collect(struct round *round)
{
	size_t count = 0, at = 0;
	for (unsigned i = 0; i < round->threads; i++)
		count += round->workers[i].op_count;
	struct op *ops = malloc((count + 1) * sizeof *ops);
	if (ops == NULL)
		return false;
	for (unsigned i = 0; i < round->threads; i++)
		for (size_t k = 0; k < round->workers[i].op_count; k++)
			ops[at++] = round->workers[i].ops[k];
	round->history.kind = round->kind;
	round->history.ops = ops;
	round->history.count = count;
	return true;
}

bool round_run(struct round *round, size_t operations)
{
	bool good = prepare(round, operations);
	unsigned started = 0;
	round->random = ~round->seed;
	atomic_store(&round->board->threads, round->threads);
	if (!good)
		return false;
	if (round->scenario->open(round)) { /* it may want fewer threads */
		if (pthread_barrier_init(&round->start, NULL, round->threads) != 0)
			return false;
		for (; started < round->threads; started++)
			if (pthread_create(&round->workers[started].thread, NULL, thread_main,
			                   &round->workers[started]) != 0)
				abort(); /* the threads that were started wait for it */
		for (unsigned i = 0; i < started; i++)
			pthread_join(round->workers[i].thread, NULL);
		self = &round->workers[round->threads];
		round->scenario->close(round);
		self = NULL;
		settle(round);
		pthread_barrier_destroy(&round->start);
	}
	return !round->recorded || collect(round);
}

void round_free(struct round *round)
{
	for (unsigned i = 0; i < round->prepared; i++)
		free(round->workers[i].ops);
	free((void *)(uintptr_t)round->history.ops);
	free(round->workers);
	free(round->tally.notes);
	free(round->tally.alive);
}
