/* SPDX-License-Identifier: MIT */
#include "harness/bench/progress.h"

#include "impls/channel.h"

#include <inttypes.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

void progress_start(struct progress *progress, bool shown, uint64_t steps)
{
	*progress = (struct progress){.shown = shown, .steps = steps, .started = chan_now()};
}

void progress_step(struct progress *progress, const char *name)
{
	struct winsize window = {.ws_col = 0};
	char left[32] = "", line[512];

	if (progress->shown) {
		if (progress->done != 0) {
			uint64_t each = (chan_now() - progress->started) / progress->done;
			uint64_t seconds = each * (progress->steps - progress->done) / 1000000000u;
			snprintf(left, sizeof left, "%" PRIu64 ":%02" PRIu64 " left  ", seconds / 60, seconds % 60);
		}
		int width =
			ioctl(STDERR_FILENO, TIOCGWINSZ, &window) == 0 && window.ws_col > 1 ? window.ws_col - 1 : 79;
		snprintf(line, sizeof line, "[%" PRIu64 "/%" PRIu64 "]  %s%s", progress->done + 1, progress->steps,
		         left, name);
		fprintf(stderr, "\r%.*s\033[K", width, line);
		fflush(stderr);
	}
	progress->done++;
}

void progress_stop(struct progress *progress)
{
	if (progress->shown)
		fputs("\r\033[K", stderr);
}
