/* SPDX-License-Identifier: MIT
 *
 * guard.h - debug builds check that a handle is used by one thread at a time; release builds
 * (NDEBUG) do nothing.
 *
 * Every operation enters its handle's guard and leaves it. A second thread that enters meanwhile is
 * a mistake of the caller that would otherwise show as a corrupted channel much later: it is named
 * and the program ends. The same thread may enter again: destroy and wake callbacks call back.
 */
#ifndef CHANBENCH_BASE_GUARD_H
#define CHANBENCH_BASE_GUARD_H

#ifndef NDEBUG

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

struct owner_check {
	_Atomic uintptr_t thread; /* who is inside; 0: nobody */
	unsigned depth;           /* how often; of that thread only */
};

static inline void owner_check_init(struct owner_check *g)
{
	atomic_init(&g->thread, 0);
	g->depth = 0;
}

/* Relaxed on purpose: the guard must not order anything that the program does not order itself,
 * or it would hide races. */
static inline void owner_check_enter(struct owner_check *g, const char *operation)
{
	uintptr_t self = (uintptr_t)pthread_self();
	uintptr_t nobody = 0;

	if (atomic_load_explicit(&g->thread, memory_order_relaxed) != self &&
	    !atomic_compare_exchange_strong_explicit(&g->thread, &nobody, self, memory_order_relaxed,
	                                             memory_order_relaxed)) {
		fprintf(stderr, "channel: %s: this handle is in use by another thread; clone one for each thread\n",
		        operation);
		abort();
	}
	g->depth++;
}

static inline void owner_check_leave(struct owner_check *g)
{
	if (--g->depth == 0)
		atomic_store_explicit(&g->thread, 0, memory_order_relaxed);
}

#else

struct owner_check {
	char unused;
};

static inline void owner_check_init(struct owner_check *g)
{
	(void)g;
}

static inline void owner_check_enter(struct owner_check *g, const char *operation)
{
	(void)g;
	(void)operation;
}

static inline void owner_check_leave(struct owner_check *g)
{
	(void)g;
}

#endif

#endif
