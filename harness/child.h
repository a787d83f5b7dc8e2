/* SPDX-License-Identifier: MIT
 *
 * child.h - whatever may crash, hang or lie runs in a process of its own, under a watchdog.
 *
 * The child reports by writing lines to a pipe, and any line counts as a sign of life. Its stdout
 * and stderr are caught. The last of them is kept for the message that says what went wrong.
 *
 * No process outlives its purpose. The child dies with its parent. It leads a process group of its
 * own, which is killed as a whole. What it started in other sessions is killed, too: this process
 * is a subreaper, so that orphans become children of the thread that called child_run, and that
 * thread kills all its children when the run is over. It may therefore have no other children.
 */
#ifndef CHANBENCH_HARNESS_CHILD_H
#define CHANBENCH_HARNESS_CHILD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct child_spec {
	/* Either a program is run: argv (NULL-terminated), searched in PATH if it has no slash. The
	 * pipe is its descriptor 3. */
	const char *const *argv;
	/* the pipe is the program's stdout instead; only its stderr is caught as output */
	bool lines_on_stdout;
	/* Or a function is run in a fork of this process. Its result is the exit status. */
	int (*body)(int pipe, void *arg);
	void *arg;

	/* Called in the parent for each line from the pipe, without its newline. */
	void (*on_line)(const char *line, void *arg);
	void *on_line_arg;

	uint64_t silence_ns; /* killed when no line comes for so long; 0: never */
	uint64_t total_ns;   /* killed after so long, whatever it says; 0: never */
};

enum child_end {
	CHILD_EXITED,    /* by itself; `code` is its exit status */
	CHILD_SIGNALLED, /* by a signal; `code` is its number */
	CHILD_HUNG,      /* killed: silent for too long */
	CHILD_OVERDUE,   /* killed: total_ns over */
	/* killed: this process got SIGINT, SIGTERM or SIGHUP (child_interrupted) */
	CHILD_INTERRUPTED,
	CHILD_NOT_STARTED /* fork, pipe or exec failed; `code` is errno */
};

struct child_result {
	enum child_end end;
	int code;
	uint64_t elapsed_ns;
	char output[4096]; /* the last of what it wrote to stdout and stderr; NUL-terminated */
};

/* Runs it to its end. */
void child_run(const struct child_spec *spec, struct child_result *result);

/* One line that says how it ended: "crashed (SIGSEGV)", "hung: no progress for 10 s, killed",
 * "exited with status 3". */
void child_describe(const struct child_result *result, char *text, size_t size);

/* Catches SIGINT, SIGTERM and SIGHUP (unless it is ignored) from now on. With the first one,
 * child_run stops its child and returns CHILD_INTERRUPTED, and child_interrupted() is the number of
 * the signal (else 0). A second one ends the program at once. */
void child_catch_interrupts(void);
int child_interrupted(void);

#endif
