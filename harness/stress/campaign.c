/* SPDX-License-Identifier: MIT */
#include "harness/stress/campaign.h"

#include "harness/child.h"
#include "harness/stress/campaign_child.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

struct listening {
	struct stress_result *result;
	bool ended;
};

__attribute__((format(printf, 2, 3))) static void add(struct stress_result *result, const char *format, ...)
{
	size_t used = strlen(result->text);
	va_list args;
	va_start(args, format);
	vsnprintf(result->text + used, sizeof result->text - used, format, args);
	va_end(args);
}

static void hear(const char *line, void *arg)
{
	struct listening *listening = arg;
	struct stress_result *r = listening->result;
	uint64_t round;
	if (strcmp(line, "tally") == 0)
		r->verdict = STRESS_TALLY;
	else if (strcmp(line, "history") == 0)
		r->verdict = STRESS_HISTORY;
	else if (strcmp(line, "endless") == 0)
		r->verdict = STRESS_HUNG;
	else if (strcmp(line, "ended") == 0)
		listening->ended = true;
	else if (strncmp(line, "text ", 5) == 0)
		add(r, "%s\n", line + 5);
	else if (sscanf(line, "round %" SCNu64 " %" SCNu64, &round, &r->seed) != 2)
		sscanf(line, STATS_SCAN, &r->rounds, &r->operations, &r->histories, &r->recorded, &r->undecided,
		       &r->made, &r->received, &r->returned, &r->destroyed, &r->largest, &r->largest_ns);
}

/* Which thread was in which operation. */
static void tell_seats(struct board *board, struct stress_result *result)
{
	static const char *const waits[] = {"(now)", "(timed)", "(forever)", "()"};
	unsigned threads = atomic_load(&board->threads);
	for (unsigned i = 0; i < threads && i < THREADS_MAX; i++) {
		unsigned code = atomic_load(&board->seats[i].code), wait = atomic_load(&board->seats[i].wait);
		if (code >= OP_CODES)
			add(result,
			    "  thread %u: between operations (it has ended, or waits until the receivers have "
			    "everything)\n",
			    i);
		else
			add(result, "  thread %u: in %s%s\n", i, op_name(code),
			    waits[wait <= WAIT_NEVER ? wait : WAIT_NEVER]);
	}
}

void stress_campaign_run(const struct impl_info *info, enum kind kind, const struct stress_options *options,
                         struct stress_result *result)
{
	struct stress_campaign campaign = {.info = info, .kind = kind, .options = options};
	struct listening listening = {.result = result};
	struct child_result ended;
	char how[256];

	*result = (struct stress_result){.verdict = STRESS_GOOD, .seed = options->seed};
	campaign.board = mmap(NULL, sizeof *campaign.board, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (campaign.board == MAP_FAILED) {
		result->verdict = STRESS_MACHINE;
		add(result, "no memory to share with the process that is watched\n");
		return;
	}
	const struct child_spec spec = {.body = stress_campaign_child,
	                                .arg = &campaign,
	                                .on_line = hear,
	                                .on_line_arg = &listening,
	                                .silence_ns = (uint64_t)(options->timeout * 1e9)};
	child_run(&spec, &ended);
	result->elapsed_ns = ended.elapsed_ns;
	child_describe(&ended, how, sizeof how);
	bool good = ended.end == CHILD_EXITED && ended.code == 0 && listening.ended;
	if (ended.end == CHILD_HUNG) {
		result->verdict = STRESS_HUNG;
		add(result, "%s\n", how);
	}
	if (result->verdict == STRESS_HUNG) {
		tell_seats(campaign.board, result);
	} else if (ended.end == CHILD_NOT_STARTED || (ended.end == CHILD_EXITED && ended.code == 3)) {
		result->verdict = STRESS_MACHINE;
		add(result, "the process for it %s\n%s", how, ended.output);
	} else if (!good && ended.end != CHILD_INTERRUPTED && result->verdict == STRESS_GOOD) {
		result->verdict = STRESS_CRASHED;
		add(result, "%s\n", how);
		tell_seats(campaign.board, result);
		add(result, "%s", ended.output);
	}
	munmap(campaign.board, sizeof *campaign.board);
}
