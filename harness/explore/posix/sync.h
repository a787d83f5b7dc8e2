/* SPDX-License-Identifier: MIT
 *
 * sync.h - what stands in for libc: what the files of this room share.
 *
 *   mutex.c spin.c rwlock.c condition.c semaphore.c barrier.c once.c   synchronisation objects
 *   thread.c key.c c11.c       threads, thread-specific data, C11's threads.h
 *   futex.c syscall.c          futex, futex_waitv, membarrier; other system calls are refused
 *   clock.c eventfd.c          clocks, sleeps; eventfd, and poll on one
 *   memory.c string.c process.c   malloc, memcpy, exit and their like
 *   refused.c                  what is not modelled, by name
 *   redefine.syms              SEAM: which function is replaced by which; redefine_test holds it to
 *                              what is here
 *   harmless.syms              functions of libc that need no stand-in
 *
 * This room includes runtime/runtime.h (and thread.c, of the same subject as the runtime's threads,
 * core.h and look.h). The runtime calls it through three weak functions (runtime/thread.c).
 *
 * The objects under test do not call libc's pthread_mutex_lock, malloc or clock_gettime:
 * redefine.syms has objcopy rename what they call, to explored_pthread_mutex_lock and so on.
 * Nothing else in the process is renamed: what a stand-in itself calls is libc's own.
 *
 * What is modelled lives in the runtime's records (explore_object), not in the object's own bytes:
 * a mutex has no room for a vector clock. The bytes say whether an object was initialised: the
 * initialisers leave what libc's leave (zeros, and the mutex's type), and a destroy leaves what no
 * initialiser does. So a mutex that was made by PTHREAD_MUTEX_INITIALIZER needs no call, and one
 * that lies in fresh heap memory, or was destroyed, is found out. In terms of data races an
 * initialiser and a destroy write the object, and any other use reads it: unordered with those, it
 * is a race.
 *
 * Errors. What a function reports by its result (ETIMEDOUT, EBUSY, EAGAIN) is reported so. What
 * POSIX leaves undefined (unlocking what another thread holds, destroying what is in use) is a
 * failed assertion of the program under test. What is not modelled ends the execution as
 * "unsupported", with the function's name.
 *
 * Before an execution begins (constructors of the program) there is one thread and no schedule:
 * initialisers, locks that are free, pthread_once and the heap work; what would need more is
 * refused (sync_inside).
 */
#ifndef CHANBENCH_EXPLORE_SYNC_H
#define CHANBENCH_EXPLORE_SYNC_H

#include "harness/explore/runtime/runtime.h"
#include <pthread.h>
#include <time.h>

enum sync_type {
	SYNC_MUTEX = 1,
	SYNC_CONDITION,
	SYNC_RWLOCK,
	SYNC_SEMAPHORE,
	SYNC_BARRIER,
	SYNC_ONCE,
	SYNC_SPIN,
	SYNC_FUTEX
};

/* The record of an object that must have been initialised with zeros in its first `size` bytes
 * (all of it for most types; the first access of an execution looks). Fails the execution when
 * it was not, or was destroyed. */
void *sync_record(const volatile void *object, size_t size, enum sync_type type, size_t record_size, const char *what,
                  uintptr_t pc);

/* Begins a new life of an object: zeros, no record. Checks the write. */
void sync_begin(volatile void *object, size_t size, enum sync_type type, uintptr_t pc);

/* Ends it: bytes that no initialiser leaves, no record. Checks the write. */
void sync_end(volatile void *object, size_t size, enum sync_type type, uintptr_t pc);

/* Whether an execution is under way; if not, exits with a line that names the function. */
void sync_inside(const char *function);

/* One step about `object`: it waits for `enabled` (NULL: it need not) until the deadline, and then
 * reads the object, so that an initialisation or a destroy that nothing orders before it is a race.
 * Returns what explore_reach does. */
bool sync_step(const volatile void *object, size_t size, bool (*enabled)(const struct explore_op *op), void *state,
               uint64_t deadline, const char *function, uintptr_t pc);

/* ---- queues of waiters (sync.c). A waiter stands on the stack of the thread that waits. ---- */

struct sync_waiter {
	struct sync_waiter *next;
	struct sync_queue *queue; /* NULL: woken */
	uint64_t tag;             /* what a wake selects by: see sync_wake */
};

struct sync_queue {
	struct sync_waiter *first;
};

void sync_enqueue(struct sync_queue *queue, struct sync_waiter *waiter);
void sync_dequeue(struct sync_waiter *waiter); /* one that gave up; nothing when it was woken */

/* Wakes up to `count` of those for whom accept(tag, argument) holds (NULL: of all), and says how
 * many. Which ones is a choice: neither POSIX nor the kernel promises an order. */
unsigned sync_wake(struct sync_queue *queue, unsigned count, bool (*accept)(uint64_t tag, uint64_t argument),
                   uint64_t argument);

/* the `enabled` of whoever waits; `state` is its waiter */
bool sync_woken(const struct explore_op *op);

/* ---- time (clock.c) ---- */

/* Sets errno; -1: what a system call returns that failed. */
int sync_failed(int error);

bool sync_time_valid(const struct timespec *time);
/* A deadline of the virtual clock. Centuries from now is EXPLORE_NEVER: programs say "for ever"
 * like that. */
uint64_t sync_deadline(clockid_t clock, const struct timespec *absolute);
/* The same for what a caller gave. False: EINVAL. */
bool sync_until(clockid_t clock, const struct timespec *absolute, uint64_t *deadline);
uint64_t sync_deadline_after(const struct timespec *relative);

/* ---- threads (thread.c), keys (key.c) and what is called of one file by another ---- */

int sync_thread_start(pthread_t *thread, bool detached, void *(*start)(void *), void *arg, uintptr_t pc);
int sync_thread_join(pthread_t thread, void **result, uint64_t deadline, const char *function, uintptr_t pc);
void sync_thread_reset(void);
void sync_threads_joined(void); /* fails when a thread was neither joined nor detached */

void sync_key_reset(void);
void sync_key_destructors(void);

int sync_mutex_lock(pthread_mutex_t *mutex, uint64_t deadline, const char *function, uintptr_t pc);
int sync_mutex_trylock(pthread_mutex_t *mutex, const char *function, uintptr_t pc);
int sync_mutex_unlock(pthread_mutex_t *mutex, const char *function, uintptr_t pc);
/* For waiting on a condition variable: 0 when the caller holds the mutex, whatever its type;
 * letting go of it, whatever its count, which is returned; having it again. */
int sync_mutex_check(pthread_mutex_t *mutex, const char *function, uintptr_t pc);
unsigned sync_mutex_release(pthread_mutex_t *mutex, const char *function, uintptr_t pc);
void sync_mutex_regain(pthread_mutex_t *mutex, unsigned count, const char *function, uintptr_t pc);

int sync_condition_wait(pthread_cond_t *condition, pthread_mutex_t *mutex, uint64_t deadline, const char *function,
                        uintptr_t pc);
int sync_condition_wake(pthread_cond_t *condition, unsigned count, const char *function, uintptr_t pc);

int sync_once(int *once, void (*function)(void), uintptr_t pc);

long sync_futex(const long argument[6], uintptr_t pc);
long sync_futex_waitv(const long argument[6], uintptr_t pc);
void sync_membarrier_reset(void);

void posix_clock_reset(void);
void posix_eventfd_reset(void);
void posix_process_reset(void);
void posix_process_atexit(void); /* runs what atexit was given */

#endif
