/* SPDX-License-Identifier: MIT
 *
 * cell_child.c - see cell_child.h
 */
#include "harness/bench/cell_child.h"

#include "harness/bench/cell.h"
#include "harness/say.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>

/* Says about twice a second how far the workers have come, when they have come further. */
static struct {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t stop;
	bool stopped;
} monitor = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void *watch_progress(void *arg)
{
	(void)arg;
	uint64_t said = 0;
	struct timespec next;
	clock_gettime(CLOCK_MONOTONIC, &next);
	pthread_mutex_lock(&monitor.lock);
	while (!monitor.stopped) {
		next.tv_nsec += 500000000;
		next.tv_sec += next.tv_nsec / 1000000000;
		next.tv_nsec %= 1000000000;
		while (!monitor.stopped && pthread_cond_timedwait(&monitor.stop, &monitor.lock, &next) != ETIMEDOUT)
			;
		uint64_t done = threads_progress();
		if (done != said && !monitor.stopped)
			row_event("progress", "messages", done);
		said = done;
	}
	pthread_mutex_unlock(&monitor.lock);
	return NULL;
}

static int monitor_start(void)
{
	pthread_condattr_t monotonic;
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&monitor.stop, &monotonic);
	pthread_condattr_destroy(&monotonic);
	int error = pthread_create(&monitor.thread, NULL, watch_progress, NULL);
	if (error != 0)
		say("bench-cell: cannot start a thread: %s", strerror(error));
	return error != 0 ? -1 : 0;
}

static void monitor_stop(void)
{
	pthread_mutex_lock(&monitor.lock);
	monitor.stopped = true;
	pthread_cond_signal(&monitor.stop);
	pthread_mutex_unlock(&monitor.lock);
	pthread_join(monitor.thread, NULL);
}

static struct trial trial;
static uint64_t repetition;

static void run(struct engine_trial *engine, void *arg)
{
	struct cell *cell = arg;
	row_event("trial", "repetition", repetition);
	cell_trial(cell, cell->messages, &trial);
	if (cell->calibration[0] != '\0')
		trial_fail(&trial, "%s", cell->calibration);
	engine->seconds = (double)trial.use.elapsed_ns / 1e9;
	engine->items = trial.items;
	engine->error = trial_failed(&trial) ? trial.failure : NULL;
}

static void row(const struct engine_row *engine, void *arg)
{
	row_write(arg, &trial, engine, repetition++);
}

/* NULL, or why this cell cannot run; a parent that has planned it never asks for such a one. */
static const char *refusal(struct cell *cell)
{
	const struct workload *workload = cell->request->workload;
	const struct params *params = &cell->request->params;
	static char text[128];
	static struct impl_info info;
	const char *why = NULL;
	cell->kind = workload->kind(params, &why);
	if (cell->kind == KIND_COUNT)
		return why;
	if (cell->request->control && workload->no_null != NULL && (why = workload->no_null(params)) != NULL)
		return why;
	if ((why = info_describe(cell->impl, "", &info)) != NULL)
		return why;
	if (info.offered[cell->kind] == 0)
		why = kind_names[cell->kind];
	else if (workload->lacks != NULL)
		why = workload->lacks(&info, params);
	if (why == NULL)
		return NULL;
	snprintf(text, sizeof text, "%s does not offer %s", cell->impl->name, why);
	return text;
}

static int write_histogram(const char *path)
{
	FILE *file = fopen(path, "w");
	if (file == NULL || histogram_write(&trial.latency, 1, file) != 0) {
		say("cannot write '%s': %s", path, strerror(errno));
		if (file != NULL)
			fclose(file);
		return -1;
	}
	if (fclose(file) == 0)
		return 0;
	say("cannot write '%s': %s", path, strerror(errno));
	return -1;
}

int bench_cell_main(int argc, char **argv)
{
	static struct cell cell;
	struct cell_request request;
	char error[256];
	if (cell_request_read(argc, argv, &request) != 0)
		return EXIT_USAGE;
	if (row_open() != 0)
		return EXIT_MACHINE;
	/* First of all: an implementation may count the CPUs when it is loaded, or start
	 * threads. */
	placement_apply(request.placement);
	prctl(PR_SET_TIMERSLACK, 1); /* producers that keep a rate wake up when they are to */
	cell = (struct cell){.request = &request, .messages = request.messages};
	cell.impl = request.control ? &null_impl : impl_load(request.impl, request.plugin, error, sizeof error);
	if (cell.impl == NULL) {
		say("bench-cell: %s%s%s %s", request.plugin != NULL ? "plug-in '" : "this program",
		    request.plugin != NULL ? request.plugin : "", request.plugin != NULL ? "'" : "", error);
		return EXIT_USAGE;
	}
	const char *why = refusal(&cell);
	if (why != NULL) {
		say("bench-cell: %s: %s", request.workload->name, why);
		return EXIT_USAGE;
	}
	cell_name(&request, cell.name, sizeof cell.name);
	if (!request.control && (cell.impl->flags & CHAN_UNCOUNTED) == 0)
		cell.bytes = cell_bytes(cell.impl, cell.kind, &request.params);
	if ((cell.impl->flags & CHAN_PEER) != 0)
		cell.true_capacity = cell_true_capacity(cell.impl, cell.kind, &request.params);
	work_calibrate();
	if (monitor_start() != 0)
		return EXIT_MACHINE;
	if (cell.messages == 0)
		cell_calibrate(&cell);
	row_event("calibrated", "messages", cell.messages);
	const struct engine_job job = {.name = cell.name, .run = run, .row = row, .arg = &cell};
	int ran = engine_run(&job, (unsigned)request.repetitions);
	monitor_stop();
	if (ran != 0) {
		say("bench-cell: google-benchmark ran nothing");
		return EXIT_MACHINE;
	}
	if (request.histogram != NULL && write_histogram(request.histogram) != 0)
		return EXIT_MACHINE;
	row_event("done", NULL, 0);
	return EXIT_GOOD;
}
