/* SPDX-License-Identifier: MIT
 *
 * testing.h - what the unit tests of select and events share: channels of uint64_t, and a thread
 * that is seen to sleep.
 *
 * The tests run over every implementation of the registry: `impl` is the one at work. A test of
 * what it does not offer is shown as skipped. A failed assertion in another thread than the test's
 * own aborts the program, which fails it.
 */
#ifndef CHANBENCH_TESTING_H
#define CHANBENCH_TESTING_H

#include "impls/channels.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static const struct chan_impl *impl;

#define MUST(condition)                                                                                                \
	do {                                                                                                           \
		if (!(condition)) {                                                                                    \
			fprintf(stderr, "%s:%d: %s: %s\n", __FILE__, __LINE__, impl->name, #condition);                \
			abort();                                                                                       \
		}                                                                                                      \
	} while (0)

/* One mpsc channel of uint64_t. */
struct pair {
	struct chan_sender *tx;
	struct chan_receiver *rx;
};

static inline struct pair pair_open(size_t capacity)
{
	struct chan_config config = {.size = sizeof(uint64_t), .capacity = capacity};
	struct pair p;
	MUST(impl->mpsc->open(&config, &p.tx, &p.rx) == CHAN_OK);
	return p;
}

static inline void pair_close(struct pair *p)
{
	impl->mpsc->sender_drop(&p->tx);
	impl->mpsc->receiver_drop(&p->rx);
}

static inline enum chan_status put(struct pair *p, uint64_t v)
{
	return impl->mpsc->send(p->tx, &v, CHAN_NOW);
}

/* What is received, or UINT64_MAX for none. */
static inline uint64_t take(struct pair *p)
{
	uint64_t v;
	return impl->mpsc->recv(p->rx, &v, CHAN_NOW) == CHAN_OK ? v : UINT64_MAX;
}

/* A thread whose kernel id is known. */
struct sleeper {
	pthread_t thread;
	_Atomic pid_t tid;
	void (*body)(void *arg);
	void *arg;
};

static inline void *sleeper_main(void *arg)
{
	struct sleeper *s = (struct sleeper *)arg;
	atomic_store(&s->tid, (pid_t)syscall(SYS_gettid));
	s->body(s->arg);
	return NULL;
}

static inline void sleeper_start(struct sleeper *s, void (*body)(void *), void *arg)
{
	atomic_init(&s->tid, 0);
	s->body = body;
	s->arg = arg;
	MUST(pthread_create(&s->thread, NULL, sleeper_main, s) == 0);
}

/* The thread's count of context switches if it is asleep, -1 if it is not. */
static inline long sleeper_look(struct sleeper *s)
{
	char path[64], line[128], state = '?';
	long switches = 0, n;

	snprintf(path, sizeof path, "/proc/self/task/%d/status", (int)atomic_load(&s->tid));
	FILE *f = fopen(path, "r");
	if (f == NULL)
		return -1;
	while (fgets(line, sizeof line, f) != NULL) {
		if (sscanf(line, "voluntary_ctxt_switches: %ld", &n) == 1 ||
		    sscanf(line, "nonvoluntary_ctxt_switches: %ld", &n) == 1)
			switches += n;
		sscanf(line, "State: %c", &state);
	}
	fclose(f);
	return state == 'S' ? switches : -1;
}

/* Returns once the thread is seen asleep, without a context switch between five looks. */
static inline void sleeper_await(struct sleeper *s)
{
	long before = -1;

	for (int same = 0; same < 5;) {
		long now = atomic_load(&s->tid) != 0 ? sleeper_look(s) : -1;
		same = now >= 0 && now == before ? same + 1 : 0;
		before = now;
		usleep(1000);
	}
}

static inline void sleeper_join(struct sleeper *s)
{
	MUST(pthread_join(s->thread, NULL) == 0);
}

/* Whether it is for these tests: its mpsc channels can be waited for. */
static inline bool testing_offered(void)
{
	const struct chan_mpsc_ops *ops = impl->mpsc;
	return ops != NULL && ops->arm_send != NULL && ops->arm_recv != NULL && ops->disarm != NULL;
}

/* Runs the tests on every implementation; returns the exit status. */
static inline int testing_run(const struct CMUnitTest *tests, size_t count)
{
	int failed = 0;

	for (size_t i = 0; (impl = chan_registry[i]) != NULL; i++)
		if (testing_offered())
			failed += _cmocka_run_group_tests(impl->name, tests, count, NULL, NULL);
		else
			printf("%s: cannot be waited for, not tested\n", impl->name);
	return failed != 0;
}

#endif
