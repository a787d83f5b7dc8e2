/* SPDX-License-Identifier: MIT */
#include "impls/testing/elements.h"

#include <errno.h>
#include <sys/syscall.h>

/* ------------------------------------------------------------------------------------------
 * Assertions and implementations
 */

const struct chan_impl *impl;

void must_fail(const char *file, int line, const char *condition)
{
	fprintf(stderr, "%s:%d: %s: %s\n", file, line, impl != NULL ? impl->name : "-", condition);
	abort();
}

/* Whether it is for these tests: its mpsc channels can be waited for. */
static bool testing_offered(void)
{
	const struct chan_mpsc_ops *ops = impl->mpsc;
	return ops != NULL && ops->arm_send != NULL && ops->arm_recv != NULL && ops->disarm != NULL;
}

int testing_run(const struct CMUnitTest *tests, size_t count)
{
	int failed = 0;

	for (size_t i = 0; (impl = chan_registry[i]) != NULL; i++)
		if (testing_offered())
			failed += _cmocka_run_group_tests(impl->name, tests, count, NULL, NULL);
		else
			printf("%s: cannot be waited for, not tested\n", impl->name);
	return failed != 0;
}

struct pair pair_open(size_t capacity)
{
	struct chan_config config = {.size = sizeof(uint64_t), .capacity = capacity};
	struct pair p;

	MUST(impl->mpsc->open(&config, &p.tx, &p.rx) == CHAN_OK);
	return p;
}

void pair_close(struct pair *p)
{
	impl->mpsc->sender_drop(&p->tx);
	impl->mpsc->receiver_drop(&p->rx);
}

enum chan_status put(struct pair *p, uint64_t v)
{
	return impl->mpsc->send(p->tx, &v, CHAN_NOW);
}

uint64_t take(struct pair *p)
{
	uint64_t v;

	return impl->mpsc->recv(p->rx, &v, CHAN_NOW) == CHAN_OK ? v : UINT64_MAX;
}

/* ------------------------------------------------------------------------------------------
 * Threads
 */

static void *sleeper_main(void *arg)
{
	struct sleeper *s = arg;

	atomic_store(&s->tid, (pid_t)syscall(SYS_gettid));
	s->body(s->arg);
	atomic_store(&s->returned, true);
	return NULL;
}

void sleeper_start(struct sleeper *s, void (*body)(void *), void *arg)
{
	atomic_init(&s->tid, 0);
	atomic_init(&s->returned, false);
	s->body = body;
	s->arg = arg;
	MUST(pthread_create(&s->thread, NULL, sleeper_main, s) == 0);
}

long sleeper_look(struct sleeper *s)
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

bool sleeper_sleeps(struct sleeper *s)
{
	long before = -1;

	for (int same = 0; same < 5;) {
		if (atomic_load(&s->returned))
			return false;
		long now = atomic_load(&s->tid) != 0 ? sleeper_look(s) : -1;
		same = now >= 0 && now == before ? same + 1 : 0;
		before = now;
		usleep(1000);
	}
	return true;
}

void sleeper_await(struct sleeper *s)
{
	MUST(sleeper_sleeps(s));
}

void sleeper_join(struct sleeper *s)
{
	MUST(pthread_join(s->thread, NULL) == 0);
}

int nth_cpu(int n)
{
	cpu_set_t set;

	MUST(sched_getaffinity(getpid(), sizeof set, &set) == 0);
	for (size_t cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET(cpu, &set) && n-- == 0)
			return (int)cpu;
	return -1;
}

void pin_to_cpu(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET((size_t)cpu, &set);
	MUST(sched_setaffinity(0, sizeof set, &set) == 0);
}

/* ------------------------------------------------------------------------------------------
 * Memory that runs out
 */

atomic_long allocations_left = PLENTY;

static bool allocation_fails(void)
{
	if (atomic_load(&allocations_left) == PLENTY)
		return false;
	return atomic_fetch_sub(&allocations_left, 1) <= 0;
}

/* The names that the linker's --wrap gives to the function that is called, and to the real one. */
void *__real_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size);
int __real_posix_memalign(void **out, size_t align, size_t size);
int __wrap_posix_memalign(void **out, size_t align, size_t size);

void *__wrap_calloc(size_t n, size_t size)
{
	return allocation_fails() ? NULL : __real_calloc(n, size);
}

int __wrap_posix_memalign(void **out, size_t align, size_t size)
{
	return allocation_fails() ? ENOMEM : __real_posix_memalign(out, align, size);
}

/* ------------------------------------------------------------------------------------------
 * The tally
 */

struct token {
	uint64_t id;
	atomic_int cloning;
};

atomic_bool clone_fails;
void (*clone_probe)(void);
void (*destroy_probe)(const struct item *);

static atomic_long made, ended;

struct item item_make(uint64_t id)
{
	struct item item = {.id = id, .token = malloc(sizeof(struct token))};

	item.token->id = id;
	atomic_init(&item.token->cloning, 0);
	atomic_fetch_add(&made, 1);
	return item;
}

void item_end(struct item *item)
{
	MUST(item->token->id == item->id);
	free(item->token);
	item->token = NULL;
	atomic_fetch_add(&ended, 1);
}

int tally_clone(void *dst, const void *src, void *context)
{
	const struct item *from = src;

	(void)context;
	MUST(atomic_fetch_add(&from->token->cloning, 1) == 0); /* else two at once on one value */
	if (clone_probe != NULL)
		clone_probe();
	bool failed = atomic_load(&clone_fails);
	if (!failed)
		*(struct item *)dst = item_make(from->id);
	atomic_fetch_sub(&from->token->cloning, 1);
	return failed;
}

void tally_destroy(void *msg, void *context)
{
	struct item item = *(struct item *)msg;

	(void)context;
	memset(msg, 0xEE, sizeof item);
	if (destroy_probe != NULL)
		destroy_probe(&item);
	item_end(&item);
}

long tally_alive(void)
{
	return atomic_load(&made) - atomic_load(&ended);
}

int tally_reset(void **state)
{
	(void)state;
	atomic_store(&made, 0);
	atomic_store(&ended, 0);
	atomic_store(&clone_fails, false);
	atomic_store(&allocations_left, PLENTY);
	clone_probe = NULL;
	destroy_probe = NULL;
	return 0;
}

int tally_check(void **state)
{
	(void)state;
	return tally_alive() == 0 ? 0 : -1;
}

/* ------------------------------------------------------------------------------------------ */

static void count_wake(struct chan_waiter *waiter)
{
	atomic_fetch_add(&((struct test_waiter *)waiter)->fired, 1);
}

struct test_waiter test_waiter(void)
{
	return (struct test_waiter){.waiter = {.wake = count_wake}};
}
