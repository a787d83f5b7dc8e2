/* SPDX-License-Identifier: MIT */
#include "harness/bench/progress.h"

#include "impls/channel.h"

#include <inttypes.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* With spaces, since not every terminal knows how to erase; and not into the last column, where
 * some begin a new line. */
static void overwrite(const char *line)
{
	struct winsize window = {.ws_col = 0};
	int width = ioctl(STDERR_FILENO, TIOCGWINSZ, &window) == 0 && window.ws_col > 1 ? window.ws_col - 1 : 79;
	fprintf(stderr, "\r%-*.*s\r", width, width, line);
	fflush(stderr);
}

void progress_start(struct progress *progress, bool shown, uint64_t steps)
{
	*progress = (struct progress){.shown = shown, .steps = steps, .started = chan_now()};
}

void progress_step(struct progress *progress, const char *name)
{
	char left[32] = "", line[512];

	if (progress->shown) {
		if (progress->done != 0) {
			uint64_t each = (chan_now() - progress->started) / progress->done;
			uint64_t seconds = each * (progress->steps - progress->done) / 1000000000u;
			snprintf(left, sizeof left, "%" PRIu64 ":%02" PRIu64 " left  ", seconds / 60, seconds % 60);
		}
		snprintf(line, sizeof line, "[%" PRIu64 "/%" PRIu64 "]  %s%s", progress->done + 1, progress->steps,
		         left, name);
		overwrite(line);
	}
	progress->done++;
}

void progress_stop(struct progress *progress)
{
	if (progress->shown)
		overwrite("");
}
