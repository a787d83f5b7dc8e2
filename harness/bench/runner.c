/* SPDX-License-Identifier: MIT */
#include "harness/bench/runner.h"

#include "harness/bench/driver.h"
#include "harness/bench/progress.h"
#include "harness/bench/random.h"
#include "harness/child.h"
#include "harness/say.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What is known of a cell from its processes so far. */
struct state {
	uint64_t messages; /* of a trial; 0: not found out yet */
	char verdict[256]; /* why it is not started again; "": nothing happened */
};

struct run {
	const struct plan *plan;
	const struct run_options *options;
	json_t *rows;
	struct state *states; /* by cell */

	/* The process that is running now. */
	size_t cell;
	uint64_t process;
	uint64_t got;     /* rows */
	uint64_t started; /* when */
	double claimed;   /* a driver: seconds that its rows have claimed */
	/* a driver: what it printed that is no line of the protocol; "": nothing */
	char misreport[256];
	bool out_of_memory;
};

/* ------------------------------------------------------------------------------------------
 * Rows
 */

static bool is_driver(const struct run *run)
{
	const struct cell *cell = &run->plan->cells[run->cell];
	return cell->impl != NULL && cell->impl->driver.program[0] != '\0';
}

static bool is_peer(const struct run *run)
{
	const struct cell *cell = &run->plan->cells[run->cell];
	return cell->impl != NULL && cell->impl->peer;
}

static void add_row(struct run *run, json_t *row)
{
	const struct cell *cell = &run->plan->cells[run->cell];
	char name[1024];

	plan_name(run->plan, cell, name, sizeof name);
	int failed = json_object_set_new(row, "name", json_string(name)) |
	             json_object_set_new(row, "run_name", json_string(name)) |
	             json_object_set_new(row, "process", json_integer((json_int_t)run->process)) |
	             json_object_set_new(row, "order", json_integer((json_int_t)json_array_size(run->rows)));
	if (cell->control != CONTROL_NONE)
		failed |= json_object_set_new(row, "control", json_string(control_names[cell->control]));
	if (is_peer(run))
		failed |= json_object_set_new(row, "peer", json_string(cell->impl->package));
	if (is_driver(run)) {
		const char *slash = strrchr(cell->impl->driver.program, '/');
		failed |= json_object_set_new(row, "driver",
		                              json_string(slash != NULL ? slash + 1 : cell->impl->driver.program));
	}
	if (cell->impl != NULL && cell->impl->plugin[0] != '\0') {
		/* where it lies is nobody's affair */
		const char *slash = strrchr(cell->impl->plugin, '/');
		failed |=
			json_object_set_new(row, "plugin", json_string(slash != NULL ? slash + 1 : cell->impl->plugin));
	}
	if (failed != 0 || json_array_append_new(run->rows, row) != 0)
		run->out_of_memory = true;
}

/* A trial that has no numbers. */
static void add_failure(struct run *run, uint64_t repetition, const char *verdict)
{
	json_t *row =
		json_pack("{s:s,s:s,s:s,s:I,s:I,s:s,s:b,s:s}", "name", "", "run_name", "", "run_type", "iteration",
	                  "repetitions", (json_int_t)run->options->repetitions, "repetition_index",
	                  (json_int_t)repetition, "verdict", verdict, "error_occurred", 1, "error_message", verdict);
	if (row == NULL)
		run->out_of_memory = true;
	else
		add_row(run, row);
}

/* A row of ours from what a driver says of a trial. */
static json_t *believe(struct run *run, const json_t *said)
{
	const struct cell *cell = &run->plan->cells[run->cell];
	struct driver_trial trial = {.block = &run->plan->blocks[cell->block],
	                             .messages = run->states[cell->twin].messages,
	                             .elapsed = (double)(chan_now() - run->started) / 1e9,
	                             .claimed = run->claimed};
	json_t *row = driver_row(&trial, said);
	run->claimed += fmax(json_number_value(json_object_get(said, "seconds")), 0);
	if (json_object_set_new(row, "repetitions", json_integer((json_int_t)run->options->repetitions)) != 0 ||
	    json_object_set_new(row, "repetition_index", json_integer((json_int_t)run->got - 1)) != 0)
		run->out_of_memory = true;
	return row;
}

/* Everything but a row. How many messages a trial has is settled by the first process that says
 * it. */
static void on_driver_line(struct run *run, const char *line, const char *event, json_int_t messages)
{
	uint64_t *known = &run->states[run->plan->cells[run->cell].twin].messages;
	if (event != NULL && strcmp(event, "calibrated") == 0) {
		if (messages > 0 && *known == 0)
			*known = (uint64_t)messages;
		else if (messages <= 0 || (uint64_t)messages != *known)
			snprintf(run->misreport, sizeof run->misreport,
			         "the driver runs %" JSON_INTEGER_FORMAT " messages instead of %" PRIu64, messages,
			         *known);
	} else if (event == NULL && run->misreport[0] == '\0') {
		int n = snprintf(run->misreport, sizeof run->misreport,
		                 "the driver printed a line that is not of the protocol: ");
		for (size_t i = 0; line[i] != '\0' && i < 60 && (size_t)n + 1 < sizeof run->misreport; i++)
			run->misreport[n++] = line[i] >= ' ' && line[i] <= '~' ? line[i] : '?';
		run->misreport[n] = '\0';
	}
}

static void on_line(const char *line, void *arg)
{
	struct run *run = arg;
	struct state *state = &run->states[run->plan->cells[run->cell].twin];
	json_t *root = json_loads(line, 0, NULL);
	json_t *row = json_object_get(root, "row");
	const char *event = json_string_value(json_object_get(root, "event"));

	if (json_is_object(row) && run->got < run->options->repetitions) {
		run->got++;
		add_row(run, is_driver(run) ? believe(run, row) : json_incref(row));
	} else if (is_driver(run)) {
		on_driver_line(run, line, event, json_integer_value(json_object_get(root, "messages")));
	} else if (event != NULL && strcmp(event, "calibrated") == 0) {
		json_int_t messages = json_integer_value(json_object_get(root, "messages"));
		if (messages > 0)
			state->messages = (uint64_t)messages;
	}
	json_decref(root);
}

/* ------------------------------------------------------------------------------------------
 * How a process ended
 */

/* The report of a sanitizer in what the child printed, up to the first line's end:
 * "ThreadSanitizer: data race ..." */
static bool find_report(const char *output, char *text, size_t size)
{
	const char *at = strstr(output, "Sanitizer: ");
	if (at == NULL)
		return false;
	while (at > output && at[-1] != ' ' && at[-1] != '\n')
		at--;
	size_t n = strcspn(at, "\n(");
	while (n > 0 && at[n - 1] == ' ')
		n--;
	snprintf(text, size, "%.*s", (int)(n < 120 ? n : 120), at);
	return true;
}

static void last_line(const char *output, char *text, size_t size)
{
	size_t end = strlen(output), start;
	while (end > 0 && output[end - 1] == '\n')
		end--;
	for (start = end; start > 0 && output[start - 1] != '\n'; start--)
		;
	if (strncmp(output + start, "chanbench: ", 11) == 0)
		start += 11;
	snprintf(text, size, "%.*s", (int)(end - start < 160 ? end - start : 160), output + start);
}

static void explain(const struct child_result *result, char *text, size_t size)
{
	char line[200];
	if (find_report(result->output, text, size))
		return;
	child_describe(result, text, size);
	last_line(result->output, line, sizeof line);
	if (result->end == CHILD_EXITED && line[0] != '\0') {
		size_t n = strlen(text);
		snprintf(text + n, size - n, ": %s", line);
	}
}

/* Every trial reported, and then the process failed all the same (a sanitizer does that): the
 * last of them is to blame. */
static void blame_last(struct run *run, const char *verdict)
{
	json_t *row = json_array_get(run->rows, json_array_size(run->rows) - 1);
	json_object_del(row, "items_per_second");
	if (json_object_set_new(row, "verdict", json_string(verdict)) != 0 ||
	    json_object_set_new(row, "error_occurred", json_true()) != 0 ||
	    json_object_set_new(row, "error_message", json_string(verdict)) != 0)
		run->out_of_memory = true;
}

static void conclude(struct run *run, const struct child_result *result)
{
	struct state *state = &run->states[run->cell];
	uint64_t repetitions = run->options->repetitions;

	if (result->end == CHILD_EXITED && result->code == 0 && run->got == repetitions && run->misreport[0] == '\0')
		return;
	if (run->misreport[0] != '\0')
		snprintf(state->verdict, sizeof state->verdict, "%s", run->misreport);
	else if (result->end == CHILD_EXITED && result->code == 0)
		snprintf(state->verdict, sizeof state->verdict, "ended without its trials");
	else
		explain(result, state->verdict, sizeof state->verdict);
	if (run->got == repetitions)
		blame_last(run, state->verdict);
	for (uint64_t k = run->got; k < repetitions; k++)
		add_failure(run, k, k == run->got ? state->verdict : "skipped");
}

/* ------------------------------------------------------------------------------------------
 * Running
 */

struct arguments {
	char *of[PARAM_COUNT + 16];
	size_t count;
};

__attribute__((format(printf, 2, 3))) static bool argue(struct arguments *arguments, const char *format, ...)
{
	va_list list;
	va_start(list, format);
	int n = vasprintf(&arguments->of[arguments->count], format, list);
	va_end(list);
	if (n >= 0)
		arguments->count++;
	else
		arguments->of[arguments->count] = NULL;
	return n >= 0;
}

static bool make_arguments(const struct run *run, struct arguments *a)
{
	const struct run_options *options = run->options;
	const struct cell *cell = &run->plan->cells[run->cell];
	const struct block *block = &run->plan->blocks[cell->block];
	bool driver = is_driver(run);
	bool good = argue(a, "%s", driver ? cell->impl->driver.program : options->program) &&
	            argue(a, "%s", driver ? "run" : "bench-cell") && argue(a, "--scenario=%s", block->workload->name) &&
	            (cell->impl != NULL ? argue(a, "--impl=%s", cell->impl->name)
	                                : argue(a, "--control=%s", control_names[cell->control]));

	if (good && cell->impl != NULL && cell->impl->plugin[0] != '\0')
		good = argue(a, "--plugin=%s", cell->impl->plugin);
	for (const struct workload_param *p = block->workload->params; good && p->param != PARAM_COUNT; p++) {
		char value[64];
		param_print(block->workload, p->param, block->params.v[p->param], value, sizeof value);
		good = argue(a, "--%s%s=%s", driver ? "" : "param=", param_name(p->param), value);
	}
	return good && argue(a, "--repetitions=%" PRIu64, options->repetitions) &&
	       argue(a, "--seconds=%g", options->seconds) &&
	       argue(a, "--messages=%" PRIu64, run->states[cell->twin].messages) &&
	       argue(a, "--placement=%s", options->placement) &&
	       argue(a, "--seed=%" PRIu64, options->seed + run->process);
}

static enum run_end run_cell(struct run *run)
{
	struct arguments arguments = {.count = 0};
	struct child_result result;
	enum run_end end = RUN_DONE;

	run->got = 0;
	run->started = chan_now();
	run->claimed = 0;
	run->misreport[0] = '\0';
	if (run->states[run->cell].verdict[0] != '\0') {
		for (uint64_t k = 0; k < run->options->repetitions; k++)
			add_failure(run, k, "skipped");
	} else if (make_arguments(run, &arguments)) {
		struct child_spec spec = {.argv = (const char *const *)arguments.of,
		                          .on_line = on_line,
		                          .on_line_arg = run,
		                          .silence_ns = (uint64_t)(run->options->timeout * 1e9)};
		spec.lines_on_stdout = is_driver(run);
		if (is_peer(run)) {
			/* A driver's signs of life are its own word; and a ring whose producers
			 * spin while one is preempted has some for minutes. So there is an end
			 * to them. */
			const double patience = 20;
			/* some are for calibrating */
			double trials = (double)run->options->repetitions + 4;
			spec.total_ns =
				(uint64_t)((run->options->timeout + run->options->seconds * trials * patience) * 1e9);
		}
		child_run(&spec, &result);
		if (result.end == CHILD_INTERRUPTED) {
			end = RUN_INTERRUPTED;
		} else if (result.end == CHILD_NOT_STARTED) {
			char text[256];
			child_describe(&result, text, sizeof text);
			say("the process of a cell %s", text);
			end = RUN_FAILED;
		} else {
			conclude(run, &result);
		}
	} else {
		run->out_of_memory = true;
	}
	for (size_t i = 0; i < arguments.count; i++)
		free(arguments.of[i]);
	if (run->out_of_memory) {
		say("out of memory");
		end = RUN_FAILED;
	}
	return end;
}

static void shuffle(size_t *order, size_t count, uint64_t *random)
{
	for (size_t i = count; i > 1; i--) {
		size_t k = random_below(random, i), kept = order[k];
		order[k] = order[i - 1];
		order[i - 1] = kept;
	}
}

enum run_end run_plan(const struct plan *plan, const struct run_options *options, json_t *rows)
{
	struct run run = {.plan = plan, .options = options, .rows = rows};
	size_t *order = malloc((plan->cell_count + 1) * sizeof *order), count = 0;
	uint64_t random = options->seed;
	enum run_end end = RUN_DONE;
	struct progress progress;

	run.states = calloc(plan->cell_count + 1, sizeof *run.states);
	if (order == NULL || run.states == NULL) {
		say("out of memory");
		end = RUN_FAILED;
		goto done;
	}
	for (size_t i = 0; i < plan->cell_count; i++)
		if (plan->cells[i].lacks == NULL)
			order[count++] = i;
	progress_start(&progress, options->progress, count * options->processes);
	for (; run.process < options->processes && end == RUN_DONE; run.process++) {
		shuffle(order, count, &random);
		for (size_t i = 0; i < count && end == RUN_DONE; i++) {
			char name[1024];
			run.cell = order[i];
			plan_name(plan, &plan->cells[run.cell], name, sizeof name);
			progress_step(&progress, name);
			end = run_cell(&run);
		}
	}
	progress_stop(&progress);
done:
	free(order);
	free(run.states);
	return end;
}
