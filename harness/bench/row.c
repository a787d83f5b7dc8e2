/* SPDX-License-Identifier: MIT
 *
 * row.c - what a cell writes: events, and a row for each trial in google-benchmark's form.
 */
#include "harness/bench/cell.h"

#include "harness/bench/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <math.h>
#include <pthread.h>
#include <unistd.h>

/* Where the harness finds its pipe, and from where on it keeps it. */
enum { GIVEN_FD = 3, KEPT_FD = 60 };

static int report_fd = GIVEN_FD;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

int row_open(void)
{
	int kept = fcntl(GIVEN_FD, F_DUPFD_CLOEXEC, KEPT_FD), nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
	if (kept >= 0 && nowhere >= 0 && dup3(nowhere, GIVEN_FD, O_CLOEXEC) == GIVEN_FD) {
		close(nowhere);
		report_fd = kept;
		return 0;
	}
	say("bench-cell: descriptor %d is no pipe to report to: %s", GIVEN_FD, strerror(errno));
	return -1;
}

/* A parent that has gone away takes this process with it: nobody would read on. */
static void write_line(json_t *object)
{
	char *text = object != NULL ? json_dumps(object, JSON_COMPACT) : NULL;
	if (text == NULL) {
		say("no memory for a row");
		_exit(EXIT_MACHINE);
	}
	size_t size = strlen(text);
	text[size++] = '\n'; /* in place of the terminating zero */
	pthread_mutex_lock(&lock);
	for (size_t at = 0; at < size;) {
		ssize_t n = write(report_fd, text + at, size - at);
		if (n < 0 && errno != EINTR) {
			say("bench-cell: cannot write to descriptor %d: %s", report_fd, strerror(errno));
			_exit(EXIT_MACHINE);
		}
		at += n > 0 ? (size_t)n : 0;
	}
	pthread_mutex_unlock(&lock);
	free(text);
	json_decref(object);
}

void row_event(const char *event, const char *member, uint64_t value)
{
	json_t *object = json_pack("{s:s}", "event", event);
	if (member != NULL)
		json_object_set_new(object, member, json_integer((json_int_t)value));
	write_line(object);
}

static void put_integer(json_t *row, const char *member, uint64_t value)
{
	json_object_set_new(row, member, json_integer((json_int_t)value));
}

static void put_real(json_t *row, const char *member, double value)
{
	if (isfinite(value))
		json_object_set_new(row, member, json_real(value));
}

static void put_latency(json_t *row, const struct histogram *latency)
{
	if (latency->total == 0)
		return;
	put_integer(row, "p50_ns", histogram_percentile(latency, 50));
	put_integer(row, "p99_ns", histogram_percentile(latency, 99));
	put_integer(row, "p999_ns", histogram_percentile(latency, 99.9));
	put_integer(row, "max_ns", latency->max);
}

/* By receiver, the slow ones first. */
static void put_lagged(json_t *row, const struct trial *trial)
{
	json_t *lagged = trial->lagged_count != 0 ? json_array() : NULL;
	for (size_t i = 0; i < trial->lagged_count; i++)
		json_array_append_new(lagged, json_integer((json_int_t)trial->lagged[i]));
	if (lagged != NULL)
		json_object_set_new(row, "lagged", lagged);
}

void row_write(const struct cell *cell, const struct trial *trial, const struct engine_row *engine, uint64_t repetition)
{
	double items = (double)trial->items;
	uint64_t rate = cell->request->params.v[PARAM_RATE];
	uint64_t switches = trial->use.voluntary + trial->use.involuntary;
	json_t *row = json_object();
	json_object_set_new(row, "name", json_string(engine->name));
	json_object_set_new(row, "run_name", json_string(engine->name));
	json_object_set_new(row, "run_type", json_string("iteration"));
	put_integer(row, "repetitions", cell->request->repetitions);
	put_integer(row, "repetition_index", repetition);
	put_integer(row, "threads", trial->threads);
	put_integer(row, "iterations", (uint64_t)engine->iterations);
	put_real(row, "real_time", engine->error != NULL ? (double)trial->use.elapsed_ns : engine->real_time_ns);
	put_integer(row, "cpu_time", trial->use.cpu_ns);
	json_object_set_new(row, "time_unit", json_string("ns"));
	json_object_set_new(row, "verdict", json_string(engine->error != NULL ? engine->error : "ok"));
	put_integer(row, "messages", cell->messages);
	put_integer(row, "items", trial->items);
	if (engine->error != NULL) {
		json_object_set_new(row, "error_occurred", json_true());
		json_object_set_new(row, "error_message", json_string(engine->error));
	} else {
		put_real(row, "items_per_second", engine->items_per_second);
		if (rate != 0) {
			/* The producers look at the clock between messages: CPU and switches
			 * would be those of the harness. */
			json_object_set_new(row, "saturated", json_boolean(trial->saturated));
		} else {
			put_real(row, "cpu_ns_per_item", (double)trial->use.cpu_ns / items);
			put_real(row, "ctx_switches_per_item", (double)switches / items);
			put_integer(row, "voluntary_switches", trial->use.voluntary);
			put_integer(row, "involuntary_switches", trial->use.involuntary);
		}
		put_latency(row, &trial->latency);
		const struct figure *figures = cell->request->workload->figures;
		for (size_t i = 0; figures != NULL && figures[i].member != NULL; i++)
			put_real(row, figures[i].member, trial->figures[i]);
		put_lagged(row, trial);
		if (cell->bytes != 0)
			put_integer(row, "bytes_per_channel", cell->bytes);
		if (cell->true_capacity != 0)
			put_integer(row, "true_capacity", cell->true_capacity);
	}
	write_line(json_pack("{s:o}", "row", row));
}
