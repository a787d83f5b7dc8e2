/* SPDX-License-Identifier: MIT
 *
 * threads.c - see threads.h
 */
#include "harness/bench/threads.h"

#include "harness/bench/memory.h"
#include "impls/channel.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <sys/resource.h>

const char *const placement_names[PLACEMENT_COUNT] = {"free", "cores", "one"};

static enum placement placement = PLACEMENT_FREE;
static size_t *cpus;
static size_t cpu_count;

static struct {
	pthread_mutex_t lock;
	pthread_cond_t ready; /* all workers are at the gate */
	pthread_cond_t open;
	size_t waiting;
	uint64_t start_ns; /* 0: closed */
} gate = {.lock = PTHREAD_MUTEX_INITIALIZER, .ready = PTHREAD_COND_INITIALIZER, .open = PTHREAD_COND_INITIALIZER};

/* The workers that are running now, for threads_progress. */
static struct {
	pthread_mutex_t lock;
	struct worker *workers;
	size_t count;
	uint64_t before; /* the sum of all that have ended */
} crew = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void give_up(const char *what, int error)
{
	say("cannot %s: %s; ask for fewer producers and consumers", what, strerror(error));
	_Exit(EXIT_MACHINE);
}

void placement_apply(enum placement wanted)
{
	cpu_set_t allowed;
	placement = wanted;
	if (sched_getaffinity(0, sizeof allowed, &allowed) != 0)
		give_up("read the CPU affinity", errno);
	cpus = memory_get(sizeof(size_t), CPU_SETSIZE * sizeof *cpus);
	for (size_t cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET(cpu, &allowed))
			cpus[cpu_count++] = cpu;
	if (wanted != PLACEMENT_ONE)
		return;
	CPU_ZERO(&allowed);
	CPU_SET(cpus[0], &allowed);
	if (sched_setaffinity(0, sizeof allowed, &allowed) != 0)
		give_up("restrict the process to one CPU", errno);
}

struct seat {
	struct worker *worker;
	size_t number;
	pthread_t thread;
};

static uint64_t ns_of(const struct timeval *tv)
{
	return (uint64_t)tv->tv_sec * 1000000000u + (uint64_t)tv->tv_usec * 1000u;
}

static void *run_worker(void *arg)
{
	struct seat *seat = arg;
	struct worker *worker = seat->worker;
	if (placement == PLACEMENT_CORES) {
		cpu_set_t mine;
		CPU_ZERO(&mine);
		CPU_SET(cpus[seat->number % cpu_count], &mine);
		if (sched_setaffinity(0, sizeof mine, &mine) != 0)
			give_up("pin a thread to its CPU", errno);
	}

	struct rusage before, after;
	getrusage(RUSAGE_THREAD, &before);
	pthread_mutex_lock(&gate.lock);
	gate.waiting++;
	pthread_cond_signal(&gate.ready);
	while (gate.start_ns == 0)
		pthread_cond_wait(&gate.open, &gate.lock);
	worker->start_ns = gate.start_ns;
	pthread_mutex_unlock(&gate.lock);

	worker->body(worker);

	getrusage(RUSAGE_THREAD, &after);
	worker->cpu_ns =
		ns_of(&after.ru_utime) + ns_of(&after.ru_stime) - ns_of(&before.ru_utime) - ns_of(&before.ru_stime);
	worker->voluntary = (uint64_t)(after.ru_nvcsw - before.ru_nvcsw);
	worker->involuntary = (uint64_t)(after.ru_nivcsw - before.ru_nivcsw);
	return NULL;
}

static void set_crew(struct worker *workers, size_t count)
{
	pthread_mutex_lock(&crew.lock);
	for (size_t i = 0; i < crew.count; i++)
		crew.before += atomic_load_explicit(&crew.workers[i].progress, memory_order_relaxed);
	crew.workers = workers;
	crew.count = count;
	pthread_mutex_unlock(&crew.lock);
}

void threads_run(struct worker *workers, size_t count, struct threads_use *use)
{
	struct seat *seats = memory_get(_Alignof(struct seat), count * sizeof *seats);
	gate.waiting = 0;
	gate.start_ns = 0;
	for (size_t i = 0; i < count; i++) {
		seats[i] = (struct seat){.worker = &workers[i], .number = i};
		int error = pthread_create(&seats[i].thread, NULL, run_worker, &seats[i]);
		if (error != 0)
			give_up("start a thread", error);
	}
	set_crew(workers, count);

	pthread_mutex_lock(&gate.lock);
	while (gate.waiting < count)
		pthread_cond_wait(&gate.ready, &gate.lock);
	uint64_t start_ns = chan_now();
	gate.start_ns = start_ns;
	pthread_cond_broadcast(&gate.open);
	pthread_mutex_unlock(&gate.lock);

	for (size_t i = 0; i < count; i++)
		pthread_join(seats[i].thread, NULL);
	set_crew(NULL, 0);
	free(seats);

	*use = (struct threads_use){0};
	for (size_t i = 0; i < count; i++) {
		if (workers[i].stop_ns > start_ns + use->elapsed_ns)
			use->elapsed_ns = workers[i].stop_ns - start_ns;
		use->cpu_ns += workers[i].cpu_ns;
		use->voluntary += workers[i].voluntary;
		use->involuntary += workers[i].involuntary;
	}
}

uint64_t threads_progress(void)
{
	pthread_mutex_lock(&crew.lock);
	uint64_t sum = crew.before;
	for (size_t i = 0; i < crew.count; i++)
		sum += atomic_load_explicit(&crew.workers[i].progress, memory_order_relaxed);
	pthread_mutex_unlock(&crew.lock);
	return sum;
}
