/* SPDX-License-Identifier: MIT */
#include "harness/check/actor.h"

#include "harness/check/expect.h"
#include "harness/check/quiesce.h"
#include "harness/sleep.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>

#define ACTORS_MAX 16

/* How long the process may take to come to rest, how long one look at that takes at most, and how
 * much longer a thread that seems to be stuck is watched, in case it polls. */
#define REST_NS  UINT64_C(5000000000)
#define LOOK_NS  UINT64_C(50000000)
#define DOUBT_NS UINT64_C(50000000)

enum state { IDLE, GIVEN, RETURNED, STOPPING };

struct actor {
	pthread_t thread;
	pthread_mutex_t mutex;
	pthread_cond_t given;
	enum state state;
	struct job job;
	enum chan_status status;
	char name;
	char what[96];
};

static struct actor actors[ACTORS_MAX];
static size_t actor_count;

static void *act(void *arg)
{
	struct actor *actor = arg;
	pthread_mutex_lock(&actor->mutex);
	for (;;) {
		while (actor->state != GIVEN && actor->state != STOPPING)
			pthread_cond_wait(&actor->given, &actor->mutex);
		if (actor->state == STOPPING)
			break;
		pthread_mutex_unlock(&actor->mutex);
		enum chan_status status = actor->job.run(&actor->job);
		pthread_mutex_lock(&actor->mutex);
		actor->status = status;
		actor->state = RETURNED;
	}
	pthread_mutex_unlock(&actor->mutex);
	return NULL;
}

struct actor *actor_start(void)
{
	if (actor_count == ACTORS_MAX)
		broken_because("at most 16 threads in a test", "one more was started");
	struct actor *actor = &actors[actor_count];
	actor->name = (char)('a' + actor_count);
	pthread_mutex_init(&actor->mutex, NULL);
	pthread_cond_init(&actor->given, NULL);
	if (pthread_create(&actor->thread, NULL, act, actor) != 0)
		untestable("a thread could not be started");
	actor_count++;
	return actor;
}

void actor_run(struct actor *actor, const struct job *job, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	vsnprintf(actor->what, sizeof(actor->what), format, args);
	va_end(args);
	step("thread %c: %s", actor->name, actor->what);
	pthread_mutex_lock(&actor->mutex);
	actor->job = *job;
	actor->state = GIVEN;
	pthread_cond_signal(&actor->given);
	pthread_mutex_unlock(&actor->mutex);
}

bool actor_done(struct actor *actor)
{
	pthread_mutex_lock(&actor->mutex);
	bool done = actor->state == RETURNED;
	pthread_mutex_unlock(&actor->mutex);
	return done;
}

static void never_rests(void)
{
	untestable("the threads never come to rest: what blocks cannot be observed");
}

void settle(void)
{
	if (!quiesce(REST_NS))
		never_rests();
}

void want_actor_blocked(struct actor *actor, const char *file, int line)
{
	char expected[128], seen[128];
	settle();
	if (!actor_done(actor))
		return;
	snprintf(expected, sizeof(expected), "thread %c (%s) is blocked", actor->name, actor->what);
	snprintf(seen, sizeof(seen), "it returned %s", status_name(actor->status));
	broken(file, line, expected, seen);
}

/* Waits until the job has returned (true), or until nothing moves any more. */
static bool returns_or_rests(struct actor *actor)
{
	uint64_t end = chan_deadline_in(REST_NS);
	while (!actor_done(actor)) {
		if (quiesce(LOOK_NS))
			return actor_done(actor);
		if (chan_now() > end)
			never_rests();
	}
	return true;
}

void actor_await(struct actor *actor)
{
	while (!actor_done(actor) && !quiesce(LOOK_NS))
		;
}

const struct job *actor_join(struct actor *actor, enum chan_status *status, const char *file, int line)
{
	char expected[128];
	bool doubted = false;
	while (!returns_or_rests(actor)) {
		if (actor->job.deadline != CHAN_FOREVER && actor->job.deadline > chan_now()) {
			sleep_until(actor->job.deadline);
			continue;
		}
		if (doubted) {
			snprintf(expected, sizeof(expected), "thread %c (%s) returns", actor->name, actor->what);
			broken(file, line, expected, "it is still blocked, and nothing moves");
		}
		doubted = true;
		sleep_until(chan_deadline_in(DOUBT_NS));
	}
	pthread_mutex_lock(&actor->mutex);
	*status = actor->status;
	actor->state = IDLE;
	pthread_mutex_unlock(&actor->mutex);
	return &actor->job;
}

const struct job *want_actor_returns(struct actor *actor, enum chan_status status, const char *file, int line)
{
	char expected[160];
	enum chan_status seen;
	const struct job *job = actor_join(actor, &seen, file, line);
	if (seen != status) {
		snprintf(expected, sizeof(expected), "thread %c (%s) returns %s", actor->name, actor->what,
		         status_name(status));
		broken(file, line, expected, status_name(seen));
	}
	return job;
}

void want_actor_gets(struct actor *actor, uint64_t value, const char *file, int line)
{
	char expected[160], seen[64];
	uint64_t got = want_actor_returns(actor, CHAN_OK, file, line)->value;
	if (got == value)
		return;
	snprintf(expected, sizeof(expected), "thread %c (%s) gets %" PRIu64, actor->name, actor->what, value);
	snprintf(seen, sizeof(seen), "it got %" PRIu64, got);
	broken(file, line, expected, seen);
}

void actors_stop(void)
{
	for (size_t i = 0; i < actor_count; i++) {
		struct actor *actor = &actors[i];
		pthread_mutex_lock(&actor->mutex);
		actor->state = STOPPING;
		pthread_cond_signal(&actor->given);
		pthread_mutex_unlock(&actor->mutex);
		pthread_join(actor->thread, NULL);
	}
	actor_count = 0;
}
