/* SPDX-License-Identifier: MIT
 *
 * fast.h - what a fast path executes of base: the owner check, the light fence, the note of the CPU
 * that it runs on, and the copy of an element.
 *
 * These are the steps that nearly every send and receive takes, so they stand together, inline and
 * small. What they belong to is explained elsewhere: fence.h has the slow half of the fence, spin.h
 * what a waiting thread does with the CPU that its peer was last seen on.
 *
 *   owner_check_enter(&h->owner, "send");    debug builds only: one thread at a time
 *   ...                                      the message is published
 *   chan_last_cpu_note(&ch->sender_cpu);     the other side may look where this one runs
 *   chan_fence_light();                      the message is seen before "does anybody sleep?"
 *   ...                                      somebody sleeps: wake him
 *   owner_check_leave(&h->owner);
 *
 * OWNER CHECK. Debug builds check that a handle is used by one thread at a time; release builds
 * (NDEBUG) do nothing. Every operation enters the check of its handle and leaves it. A second
 * thread that enters meanwhile is a mistake of the caller, which would otherwise show as a
 * corrupted channel much later: the check names the operation and aborts. The same thread may enter
 * again, because destroy and wake callbacks call back. The check orders nothing (relaxed), or it
 * would hide races that the program has.
 */
#ifndef CHANBENCH_BASE_FAST_H
#define CHANBENCH_BASE_FAST_H

#include "impls/base/compiler.h"
#include "impls/base/config.h"

#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#if defined(__GLIBC__) && (defined(__x86_64__) || defined(__aarch64__))
#if __has_include(<sys/rseq.h>)
#include <sys/rseq.h> /* from 2.35 */
#endif
#endif

/* ------------------------------------------------------------------------------------------
 * The owner check
 */
#ifndef NDEBUG

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

struct owner_check {
	_Atomic uintptr_t thread; /* the thread that is inside; 0: none */
	unsigned depth;           /* how often it is; written by that thread only */
};

static inline void owner_check_init(struct owner_check *check)
{
	atomic_init(&check->thread, 0);
	check->depth = 0;
}

static inline void owner_check_enter(struct owner_check *check, const char *operation)
{
	uintptr_t self = (uintptr_t)pthread_self();
	uintptr_t nobody = 0;

	if (atomic_load_explicit(&check->thread, memory_order_relaxed) != self &&
	    !atomic_compare_exchange_strong_explicit(&check->thread, &nobody, self, memory_order_relaxed,
	                                             memory_order_relaxed)) {
		fprintf(stderr, "channel: %s: this handle is in use by another thread; clone one for each thread\n",
		        operation);
		abort();
	}
	check->depth++;
}

static inline void owner_check_leave(struct owner_check *check)
{
	if (--check->depth == 0)
		atomic_store_explicit(&check->thread, 0, memory_order_relaxed);
}

#else

struct owner_check {
	char unused;
};

static inline void owner_check_init(struct owner_check *check)
{
	(void)check;
}

static inline void owner_check_enter(struct owner_check *check, const char *operation)
{
	(void)check;
	(void)operation;
}

static inline void owner_check_leave(struct owner_check *check)
{
	(void)check;
}

#endif

/* ------------------------------------------------------------------------------------------
 * The light fence
 */

/* Whether the heavy side of the fence reaches the other threads (fence.h). The first
 * chan_fence_setup writes it, once; before that both sides fence for real. */
extern atomic_bool chan_fence_asymmetric;

#if defined(__GNUC__) && !defined(__clang__) && defined(__SANITIZE_THREAD__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wtsan" /* fence.h, NOTES */
#endif
static inline void chan_fence_full(void)
{
	atomic_thread_fence(memory_order_seq_cst);
}
#if defined(__GNUC__) && !defined(__clang__) && defined(__SANITIZE_THREAD__)
#pragma GCC diagnostic pop
#endif

/* Stands between the stores and the loads of the side that must be fast. */
static inline void chan_fence_light(void)
{
	if (atomic_load_explicit(&chan_fence_asymmetric, memory_order_relaxed))
		atomic_signal_fence(memory_order_seq_cst);
	else
		chan_fence_full();
}

/* ------------------------------------------------------------------------------------------
 * The last CPU
 */

/* The CPU on which this thread runs at this moment. The kernel keeps the number in a word of the
 * thread's own (rseq), if the C library has registered one. */
static inline int chan_cpu(void)
{
#ifdef RSEQ_SIG
	if (__rseq_size != 0) {
		const struct rseq *area = (const void *)((char *)__builtin_thread_pointer() + __rseq_offset);
		return (int)*(const volatile uint32_t *)&area->cpu_id;
	}
#endif
	return sched_getcpu();
}

/* A thread, and the CPU on which it was seen; 0: nobody yet. The thread is its pointer to its
 * thread-local storage. The low bits of that pointer are the same for all threads, for it lies at
 * the ends of stacks, which are pages apart; they hold the number of the CPU instead. */
typedef uint64_t chan_last_cpu;

#define CHAN_LAST_CPU_MASK ((chan_last_cpu)0xfff)

static inline chan_last_cpu chan_last_cpu_now(void)
{
#if defined(__x86_64__) || defined(__aarch64__)
	uintptr_t thread = (uintptr_t)__builtin_thread_pointer();
#else
	static _Thread_local char here;
	uintptr_t thread = (uintptr_t)&here;
#endif
	return (thread & ~CHAN_LAST_CPU_MASK) | ((chan_last_cpu)chan_cpu() & CHAN_LAST_CPU_MASK);
}

/* The word in which one side of a channel notes where it runs, for the other side to look at
 * (chan_spin_begin). */
typedef _Atomic chan_last_cpu chan_last_cpu_t;

/* Writes only what has changed, so that the line stays shared. Relaxed: it is a hint. */
static inline void chan_last_cpu_note(chan_last_cpu_t *seen)
{
	chan_last_cpu now = chan_last_cpu_now();

	if (atomic_load_explicit(seen, memory_order_relaxed) != now)
		atomic_store_explicit(seen, now, memory_order_relaxed);
}

/* ------------------------------------------------------------------------------------------
 * Elements and times
 */

/* Copies the bytes of one element. Either pointer may be NULL when there are none. */
static inline void chan_bytes_copy(void *dst, const void *src, size_t size)
{
	if (size == sizeof(uint64_t))
		memcpy(dst, src, sizeof(uint64_t)); /* a move, not a call */
	else if (size != 0)
		memcpy(dst, src, size);
}

static inline void chan_layout_copy(const struct layout *layout, void *dst, const void *src)
{
	chan_bytes_copy(dst, src, layout->size);
}

/* A deadline (never CHAN_FOREVER) or a span of `ns` nanoseconds. A time_t of 32 bits holds 68
 * years, and what is later counts as that. */
static inline struct timespec chan_timespec(uint64_t ns)
{
	uint64_t seconds = ns / 1000000000u;
	struct timespec ts = {.tv_nsec = (long)(ns % 1000000000u)};

	ts.tv_sec = sizeof(time_t) < 8 && seconds > INT32_MAX ? INT32_MAX : (time_t)seconds;
	return ts;
}

#endif
