/* SPDX-License-Identifier: MIT
 *
 * bench.c - `chanbench bench`: measures what was asked for, and says what came out.
 */
#include "harness/bench/glance.h"
#include "harness/bench/provenance.h"
#include "harness/bench/results.h"
#include "harness/bench/runner.h"
#include "harness/bench/table.h"
#include "harness/child.h"
#include "harness/cli/commands.h"
#include "harness/say.h"

#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* About what one row of a result file takes. */
#define ROW_BYTES 1200u

struct request {
	struct plan_request plan;
	struct run_options run;
	const char *out;   /* NULL: no file */
	const char *color; /* of --color; NULL: not given */
	bool list_cells;
	const char **params; /* owned; plan.params points to it */
};

static int read_placement(const struct options *options, const char **placement)
{
	static const char *const names[] = {"free", "cores", "one"};
	const char *text = options_get(options, "placement");

	for (size_t i = 0; text != NULL && i < sizeof names / sizeof names[0]; i++)
		if (strcmp(text, names[i]) == 0)
			*placement = names[i];
	if (text == NULL || strcmp(*placement, text) == 0)
		return 0;
	say("--placement must be free, cores or one, not '%s'", text);
	return -1;
}

static int read_request(const struct options *options, struct request *request)
{
	bool quick = options_get(options, "quick") != NULL;
	size_t n = 0;

	*request = (struct request){
		.plan = {.impls = options_get(options, "impl"),
	                 .scenarios = options_get(options, "scenario"),
	                 .presets = options_get(options, "preset"),
	                 .controls = options_get(options, "no-controls") == NULL,
	                 .strict_peers = options_get(options, "strict-peers") != NULL},
		.run = {.program = "/proc/self/exe",
	                .processes = 8,
	                .repetitions = quick ? 1 : 3,
	                .seconds = quick ? 0.1 : 0.3,
	                .timeout = 10,
	                .seed = chan_now() % 1000000,
	                .placement = "free",
	                .progress = isatty(STDERR_FILENO) != 0},
		.out = options_get(options, "out"),
		.color = options_get(options, "color"),
		.list_cells = options_get(options, "list-cells") != NULL,
		.params = calloc(options->count + 1, sizeof *request->params),
	};
	if (request->params == NULL) {
		say("out of memory");
		return EXIT_MACHINE;
	}
	while ((request->params[n] = options_nth(options, "param", n)) != NULL)
		n++;
	request->plan.params = request->params;
	request->plan.param_count = n;
	struct run_options *run = &request->run;
	if (options_number(options, "processes", 1, 1000, &run->processes) != 0 ||
	    options_number(options, "repetitions", 1, 1000, &run->repetitions) != 0 ||
	    options_number(options, "seed", 0, INT64_MAX, &run->seed) != 0 ||
	    options_seconds(options, "seconds", 0.001, 600, &run->seconds) != 0 ||
	    options_seconds(options, "timeout", 0.1, 3600, &run->timeout) != 0 ||
	    read_placement(options, &run->placement) != 0)
		return EXIT_USAGE;
	struct screen screen;
	if (!screen_open(&screen, stdout, request->color)) {
		say("--color must be auto, always or never, not '%s'", request->color);
		return EXIT_USAGE;
	}
	if (request->list_cells && request->out != NULL) {
		say("--list-cells measures nothing: there would be nothing to write to --out=%s", request->out);
		return EXIT_USAGE;
	}
	return EXIT_GOOD;
}

static void list_cells(const struct plan *plan)
{
	for (size_t i = 0; i < plan->cell_count; i++) {
		char name[1024];
		plan_name(plan, &plan->cells[i], name, sizeof name);
		if (plan->cells[i].lacks == NULL)
			puts(name);
		else
			printf("%s  (not run: it lacks %s)\n", name, plan->cells[i].lacks);
	}
}

/* Where the table goes: not into the midst of a result file that goes to the standard output. */
static FILE *table_stream(const struct results_out *out)
{
	struct stat file, standard;
	if (out->fd >= 0 && fstat(out->fd, &file) == 0 && fstat(STDOUT_FILENO, &standard) == 0 &&
	    file.st_dev == standard.st_dev && file.st_ino == standard.st_ino)
		return stderr;
	return stdout;
}

static json_t *make_context(const struct run_options *run)
{
	json_t *context = provenance_context();
	if (context == NULL || json_object_set_new(context, "seed", json_integer((json_int_t)run->seed)) != 0 ||
	    json_object_set_new(context, "placement", json_string(run->placement)) != 0 ||
	    json_object_set_new(context, "processes", json_integer((json_int_t)run->processes)) != 0 ||
	    json_object_set_new(context, "repetitions", json_integer((json_int_t)run->repetitions)) != 0 ||
	    json_object_set_new(context, "seconds", json_real(run->seconds)) != 0) {
		json_decref(context);
		return NULL;
	}
	return context;
}

static void print_head(const struct request *request, const struct plan *plan, const struct screen *screen)
{
	const struct run_options *run = &request->run;
	char text[256];
	snprintf(text, sizeof text,
	         "chanbench: %zu cells, %" PRIu64 " processes x %" PRIu64
	         " repetitions, trials of about %g s, placement %s, seed %" PRIu64,
	         plan->cell_count, run->processes, run->repetitions, run->seconds, run->placement, run->seed);
	screen_prose(screen, 0, 2, text);
	fflush(screen->out);
}

static void print_legend(const struct screen *screen)
{
	fputc('\n', screen->out);
	screen_prose(
		screen, 0, 0,
		"Rates are medians of all trials; k, M, G: thousands, millions, ... The 95 % interval takes the "
		"process as the unit. 'of best': 1.00 is the fastest. An item is what the rate counts; switches are "
		"context switches an item. Latency: from the intended send to the receive, of the median, of 99 % and "
		"99.9 % of the messages. Bytes: of a channel just opened. 'null (floor)' is the harness with no channel "
		"in it, which makes each message anew and misses none: only batches, and receivers that lag, can be "
		"faster. '(again)' repeats an implementation: a difference that is not larger than this noise is none. "
		"Verdict: 'ok' when every message of every trial is accounted for. '(limit)': messages through the "
		"plainest ring, one by one and 32 at once; round trips by a cache line, by a futex, by a mutex with "
		"condition variables. Measured once for all tables.");
}

static void print_doubts(json_t *context, json_t *rows, const struct screen *screen)
{
	char *text = NULL;
	size_t size = 0;
	FILE *memory = open_memstream(&text, &size);
	bool any = memory != NULL && provenance_print_doubts(context, rows, memory);

	if (memory != NULL)
		fclose(memory);
	fputs("\nWhat makes this run doubtful\n", screen->out);
	for (char *line = text, *end; any && line != NULL && (end = strchr(line, '\n')) != NULL; line = end + 1) {
		*end = '\0';
		screen_prose(screen, 2, 4, line);
	}
	if (!any)
		fputs("  - nothing that can be seen from here\n", screen->out);
	free(text);
}

static int measure(const struct request *request, const struct plan *plan)
{
	struct results_out out = {.fd = -1};
	struct machine_use before, after;
	json_t *rows = json_array(), *context = NULL;
	int status = EXIT_MACHINE;
	bool written = true;
	size_t trials = plan->cell_count * request->run.processes * request->run.repetitions;

	if (request->out != NULL && results_open(&out, request->out, trials * ROW_BYTES) != 0)
		goto done;
	context = make_context(&request->run);
	if (context == NULL || rows == NULL) {
		say("out of memory");
		goto done;
	}
	FILE *table = table_stream(&out);
	struct screen screen;
	screen_open(&screen, table, request->color);
	print_head(request, plan, &screen);
	machine_use_now(&before);
	enum run_end end = run_plan(plan, &request->run, rows);
	machine_use_now(&after);
	provenance_add_use(context, &before, &after);
	if (end == RUN_INTERRUPTED)
		json_object_set_new(context, "interrupted", json_true());
	/* The file first: it must not depend on who reads the table. */
	if (request->out != NULL)
		written = results_write(&out, context, rows) == 0;
	bool good = table_print(plan, rows, &screen);
	print_legend(&screen);
	good = glance_print(plan, rows, &screen) && good;
	print_doubts(context, rows, &screen);
	if (end == RUN_FAILED || !written)
		status = EXIT_MACHINE;
	else if (end == RUN_INTERRUPTED)
		status = 128 + child_interrupted();
	else
		status = good ? EXIT_GOOD : EXIT_VERDICT;
done:
	if (out.fd >= 0)
		results_discard(&out);
	json_decref(rows);
	json_decref(context);
	return status;
}

static int run(int argc, char **argv)
{
	struct options options;
	struct request request = {.params = NULL};
	struct impl_set set = {0};
	struct plan plan = {0};
	int status = options_read(&options, &bench_command, argc, argv);

	if (status >= 0)
		goto done;
	child_catch_interrupts();
	/* a reader of the table that went away must not cost the results */
	signal(SIGPIPE, SIG_IGN);
	status = read_request(&options, &request);
	if (status != EXIT_GOOD)
		goto done;
	status = open_implementations(&options, &set);
	if (child_interrupted() != 0)
		status = 128 + child_interrupted();
	if (status != EXIT_GOOD)
		goto done;
	if (plan_make(&plan, &request.plan, &set) != 0)
		status = EXIT_USAGE;
	else if (request.list_cells)
		list_cells(&plan);
	else
		status = measure(&request, &plan);
done:
	plan_close(&plan);
	impl_set_close(&set);
	free(request.params);
	options_close(&options);
	return status;
}

static const struct option bench_options[] = {
	{"quick", NULL, "8 processes x 1 repetition, trials of 0.1 s", false},
	{"impl", "A,B", "these; 'peers': all peers, 'all': everything; without: ours and the plug-ins", false},
	{"strict-peers", NULL, "peers that are broken count for the exit status, too", false},
	{"scenario", "X,Y", "these scenarios; without: all", false},
	{"preset", "NAME", "these presets (NAME,NAME); without: all, or the defaults with --param", false},
	{"param", "k=v[,v...]", "a parameter's value, or several: a cell for each combination", true},
	{"processes", "N", "processes a cell (8)", false},
	{"repetitions", "N", "trials a process (3)", false},
	{"seconds", "T", "about how long a trial takes (0.3)", false},
	{"seed", "N", "what the order of the cells is drawn from (printed; without: the clock)", false},
	{"placement", "free|cores|one", "threads wherever the kernel puts them (free), one a core, all on one", false},
	{"plugin", "FILE.so", "measure what this plug-in holds, too", true},
	{"driver", "PROGRAM", "measure what this program can run, too (harness/drivers/README.md)", true},
	{"timeout", "S", "seconds without progress after which a trial counts as hung (10)", false},
	{"out", "FILE.json", "every trial, in google-benchmark's JSON", false},
	{"color", "auto|always|never", "colours and bars: on a terminal without NO_COLOR (auto)", false},
	{"list-cells", NULL, "print what would be measured, and stop", false},
	{"no-controls", NULL, "without the null floor, the A/A pair and the limits", false},
	{NULL, NULL, NULL, false},
};

const struct command bench_command = {
	.name = "bench",
	.usage = "[--quick] [--impl=A,B] [--scenario=X,Y] [--preset=NAME] [--param=k=v[,v...]]... [OPTION]...",
	.summary = "measures implementations and prints a table",
	.details =
		"Names are exact. A cell is a scenario, an implementation and a value for each parameter ('chanbench "
		"list' shows\n"
		"them). Each cell runs in processes of its own; one that crashes, hangs or breaks its ledger is shown "
		"as that, and\n"
		"the others go on. Without --scenario, those that lack a named preset, or cannot take a --param, are "
		"left out.\n"
		"Ctrl-C keeps what was measured. Exit status: 0 all good, 1 something is broken, 2 wrong usage, 3 the "
		"machine failed.\n",
	.examples = "  chanbench bench --quick\n"
		    "  chanbench bench --scenario=fan_in --param=producers=1,2,4 --param=capacity=32,unbounded "
		    "--out=fan_in.json\n"
		    "  chanbench bench --plugin=./mine.so --impl=mine,mutex --preset=documents\n"
		    "  chanbench bench --quick --impl=mutex,peers --scenario=fan_in\n"
		    "  chanbench bench --scenario=spsc --list-cells\n",
	.options = bench_options,
	.run = run,
};
