/* SPDX-License-Identifier: MIT
 *
 * child.c - runs a child to its end.
 *
 * 1. child_run makes three pipes (lines, output, and the errno of a failed exec) and forks.
 * 2. The child becomes what is to run: its group, its signals, its descriptors, then the function
 *    or the program.
 * 3. The parent reads until the child has ended, was silent for too long, has taken too long, or
 *    until this process was interrupted (watch).
 * 4. The parent kills what is left of the group, reaps the child, ends what it started elsewhere,
 *    reads what the pipes still hold (reap).
 */
#include "harness/child.h"

#include "impls/channel.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	LINE_FD = 3,            /* where a program finds its pipe */
	LONGEST_LINE = 1 << 20, /* more without a newline is no report of ours */
	CHUNK = 1 << 16,        /* what a pipe holds */
	TICK_MS = 50,           /* how late a signal, an end or a deadline may be noticed */
	LEFT_CHUNKS = 64,       /* a pipe may have been made larger */
	ORPHANS_ROUNDS = 1000,  /* some of them may start others meanwhile */
	ENDING_TICK_MS = 1      /* the same when the pipes are closed and only the end is missing */
};

/* It exists in a build that measures coverage (the preset asks the linker for it). Without this
 * call, _exit would lose what was counted. */
extern void __gcov_dump(void) __attribute__((weak));

static volatile sig_atomic_t interrupted;
static volatile pid_t running; /* the group to kill on the second signal; 0: none */

static void on_interrupt(int number)
{
	if (interrupted == 0) {
		interrupted = number;
		return;
	}
	if (running != 0)
		kill(-running, SIGKILL);
	signal(number, SIG_DFL);
	raise(number);
}

void child_catch_interrupts(void)
{
	struct sigaction action = {.sa_handler = on_interrupt};
	struct sigaction hangup;
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	/* Under nohup SIGHUP is ignored, and stays so. */
	if (sigaction(SIGHUP, NULL, &hangup) == 0 && hangup.sa_handler != SIG_IGN)
		sigaction(SIGHUP, &action, NULL);
}

int child_interrupted(void)
{
	return interrupted;
}

/* ------------------------------------------------------------------------------------------
 * The child's side, between fork and exec
 */

struct pipes {
	int line[2], output[2], failure[2];
};

static void become_child(const struct child_spec *spec, const struct pipes *pipes, pid_t parent)
{
	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(127); /* the parent was gone before the line above */
	signal(SIGINT, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
	signal(SIGHUP, SIG_DFL);
	signal(SIGPIPE, SIG_DFL);

	/* The descriptors leave the numbers that they are to have later. */
	int failure = fcntl(pipes->failure[1], F_DUPFD_CLOEXEC, 10);
	int line = fcntl(pipes->line[1], F_DUPFD_CLOEXEC, 10);
	int output = fcntl(pipes->output[1], F_DUPFD_CLOEXEC, 10);
	int input = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (failure < 0 || line < 0 || output < 0 || input < 0)
		goto failed;
	if (dup2(input, STDIN_FILENO) < 0 || dup2(output, STDOUT_FILENO) < 0 || dup2(output, STDERR_FILENO) < 0)
		goto failed;

	if (spec->body != NULL) {
		close(failure);
		close(pipes->failure[1]);
		close(pipes->line[0]);
		int status = spec->body(line, spec->arg);
		fflush(NULL);
		if (__gcov_dump != NULL)
			__gcov_dump();
		_exit(status);
	}
	if (dup2(line, spec->lines_on_stdout ? STDOUT_FILENO : LINE_FD) < 0)
		goto failed;
	execvp(spec->argv[0], (char *const *)spec->argv);
failed:;
	int error = errno;
	if (write(failure, &error, sizeof error) < 0)
		_exit(126);
	_exit(127);
}

/* ------------------------------------------------------------------------------------------
 * The parent's side
 */

struct watched {
	const struct child_spec *spec;
	struct child_result *result;
	pid_t pid;
	int line, output; /* -1: closed */
	char *text;       /* the line that is being received */
	size_t length;
	bool overlong; /* what comes up to the next newline is dropped */
	uint64_t heard;
};

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void take_lines(struct watched *w, const char *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (bytes[i] == '\n') {
			w->text[w->length] = '\0';
			w->heard = chan_now();
			if (!w->overlong && w->spec->on_line != NULL)
				w->spec->on_line(w->text, w->spec->on_line_arg);
			w->length = 0;
			w->overlong = false;
		} else if (w->length == LONGEST_LINE) {
			w->overlong = true;
		} else {
			w->text[w->length++] = bytes[i];
		}
	}
}

/* Keeps the last of the output. */
static void take_output(struct child_result *result, const char *bytes, size_t n)
{
	size_t room = sizeof result->output - 1, have = strlen(result->output);
	if (n > room) {
		bytes += n - room;
		n = room;
	}
	if (have + n > room) {
		size_t drop = have + n - room;
		memmove(result->output, result->output + drop, have - drop);
		have -= drop;
	}
	for (size_t i = 0; i < n; i++)
		result->output[have + i] = bytes[i] == '\0' ? ' ' : bytes[i];
	result->output[have + n] = '\0';
}

/* Reads once: a child that writes without end must not keep its watchdog waiting. Closes the
 * descriptor at its end. Returns whether there was something. */
static bool drain(struct watched *w, int *fd)
{
	char bytes[CHUNK];
	ssize_t n = *fd < 0 ? -1 : read(*fd, bytes, sizeof bytes);
	if (n > 0 && fd == &w->line)
		take_lines(w, bytes, (size_t)n);
	else if (n > 0)
		take_output(w->result, bytes, (size_t)n);
	else if (*fd >= 0 && (n == 0 || (errno != EAGAIN && errno != EINTR)))
		close_fd(fd);
	return n > 0;
}

/* Whether the child has ended. It is not reaped yet, so that the number of its group stays its
 * own. */
static bool has_ended(pid_t pid)
{
	siginfo_t info = {.si_pid = 0};
	return waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == pid;
}

static void watch(struct watched *w, uint64_t started)
{
	const struct child_spec *spec = w->spec;
	for (;;) {
		struct pollfd fds[2] = {{.fd = w->line, .events = POLLIN}, {.fd = w->output, .events = POLLIN}};
		bool ending = w->line < 0 && w->output < 0;
		if (poll(fds, 2, ending ? ENDING_TICK_MS : TICK_MS) > 0) {
			drain(w, &w->line);
			drain(w, &w->output);
		}
		uint64_t now = chan_now();
		if (has_ended(w->pid)) {
			w->result->end = CHILD_EXITED; /* or signalled: the reaping says */
			return;
		}
		if (interrupted != 0)
			w->result->end = CHILD_INTERRUPTED;
		else if (spec->silence_ns != 0 && now > w->heard && now - w->heard > spec->silence_ns)
			w->result->end = CHILD_HUNG;
		else if (spec->total_ns != 0 && now - started > spec->total_ns)
			w->result->end = CHILD_OVERDUE;
		else
			continue;
		return;
	}
}

/* Ends the processes that the child started in sessions of their own: the end of its group did not
 * reach them. They became children of this process, the nearest subreaper, when their parent
 * ended. */
static void end_orphans(void)
{
	char path[64], text[4096];
	snprintf(path, sizeof path, "/proc/self/task/%ld/children", (long)gettid());
	for (int round = 0; round < ORPHANS_ROUNDS; round++) {
		int fd = open(path, O_RDONLY | O_CLOEXEC);
		ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof text - 1);
		close_fd(&fd);
		if (n <= 0)
			return;
		/* "123 456 ": a number without a space behind it may be cut off. It is left to the
		 * next round. */
		while (n > 0 && text[n - 1] != ' ')
			n--;
		text[n] = '\0';
		char *at = text, *end;
		for (long pid; (pid = strtol(at, &end, 10)) > 0; at = end) {
			kill((pid_t)pid, SIGKILL);
			waitpid((pid_t)pid, NULL, 0);
		}
	}
}

static void reap(struct watched *w)
{
	int status;
	kill(-w->pid, SIGKILL); /* and with it what the child left behind in its group */
	kill(w->pid, SIGKILL);
	running = 0;
	while (waitpid(w->pid, &status, 0) < 0 && errno == EINTR)
		;
	end_orphans();
	/* The pipes hold what was written before the end. There is a bound, in case another process
	 * still writes. */
	for (int i = 0; i < LEFT_CHUNKS && drain(w, &w->output); i++)
		;
	for (int i = 0; i < LEFT_CHUNKS && drain(w, &w->line); i++)
		;
	if (w->result->end != CHILD_EXITED)
		return;
	if (WIFSIGNALED(status)) {
		w->result->end = CHILD_SIGNALLED;
		w->result->code = WTERMSIG(status);
	} else {
		w->result->code = WEXITSTATUS(status);
	}
}

void child_run(const struct child_spec *spec, struct child_result *result)
{
	struct pipes pipes = {{-1, -1}, {-1, -1}, {-1, -1}};
	struct watched w = {.spec = spec, .result = result, .line = -1, .output = -1};
	uint64_t started = chan_now();

	*result = (struct child_result){.end = CHILD_NOT_STARTED};
	if (interrupted != 0) {
		result->end = CHILD_INTERRUPTED;
		return;
	}
	w.text = malloc(LONGEST_LINE + 1);
	if (w.text == NULL || pipe2(pipes.line, O_CLOEXEC) != 0 || pipe2(pipes.output, O_CLOEXEC) != 0 ||
	    pipe2(pipes.failure, O_CLOEXEC) != 0) {
		result->code = errno;
		goto done;
	}
	prctl(PR_SET_CHILD_SUBREAPER, 1); /* for end_orphans */
	fflush(NULL);                     /* else the child would write our pending output, too */
	pid_t parent = getpid();
	w.pid = fork();
	if (w.pid < 0) {
		result->code = errno;
		goto done;
	}
	if (w.pid == 0)
		become_child(spec, &pipes, parent);
	setpgid(w.pid, w.pid); /* parent and child both do it: either may be first */
	running = w.pid;
	close_fd(&pipes.line[1]);
	close_fd(&pipes.output[1]);
	close_fd(&pipes.failure[1]);
	w.line = pipes.line[0];
	w.output = pipes.output[0];
	fcntl(w.line, F_SETFL, O_NONBLOCK);
	fcntl(w.output, F_SETFL, O_NONBLOCK);

	/* This read ends when exec has closed the other side. */
	int error = 0;
	ssize_t n;
	while ((n = read(pipes.failure[0], &error, sizeof error)) < 0 && errno == EINTR && interrupted == 0)
		;
	w.heard = chan_now();
	watch(&w, started);
	reap(&w);
	if (n == (ssize_t)sizeof error) {
		result->end = CHILD_NOT_STARTED;
		result->code = error;
	}
	pipes.line[0] = w.line;
	pipes.output[0] = w.output;
done:
	free(w.text);
	close_fd(&pipes.line[0]);
	close_fd(&pipes.line[1]);
	close_fd(&pipes.output[0]);
	close_fd(&pipes.output[1]);
	close_fd(&pipes.failure[0]);
	close_fd(&pipes.failure[1]);
	result->elapsed_ns = chan_now() - started;
	if (result->end == CHILD_HUNG)
		result->code = (int)(spec->silence_ns / 1000000000u);
	else if (result->end == CHILD_OVERDUE)
		result->code = (int)(spec->total_ns / 1000000000u);
}

void child_describe(const struct child_result *result, char *text, size_t size)
{
	const char *name;
	switch (result->end) {
	case CHILD_EXITED:
		snprintf(text, size, "exited with status %d", result->code);
		break;
	case CHILD_SIGNALLED:
		name = sigabbrev_np(result->code);
		if (name != NULL)
			snprintf(text, size, "crashed (SIG%s)", name);
		else
			snprintf(text, size, "crashed (signal %d)", result->code);
		break;
	case CHILD_HUNG:
		snprintf(text, size, "hung: no progress for %d s, killed", result->code);
		break;
	case CHILD_OVERDUE:
		snprintf(text, size, "not done after %d s, killed", result->code);
		break;
	case CHILD_INTERRUPTED:
		snprintf(text, size, "interrupted");
		break;
	case CHILD_NOT_STARTED:
		snprintf(text, size, "could not be started: %s", strerror(result->code));
		break;
	}
}
