/* SPDX-License-Identifier: MIT
 *
 * say.h - how every command speaks to its user: one clear line on stderr, and these exit statuses.
 */
#ifndef CHANBENCH_HARNESS_SAY_H
#define CHANBENCH_HARNESS_SAY_H

#include <stdbool.h>
#include <stddef.h>

enum exit_status {
	EXIT_GOOD = 0,    /* everything asked for was done, and every verdict is good */
	EXIT_VERDICT = 1, /* a verdict failed: a broken rule, a broken ledger, slower than before */
	EXIT_USAGE = 2,   /* the command line (or a file it names) is wrong */
	EXIT_MACHINE = 3  /* the machine or the harness failed: no memory, no file, no process */
			  /* 128 + signal: interrupted; what was measured is kept */
};

/* Prints "chanbench: ...\n" to stderr, as one write. Returns nothing; the caller says what
 * follows. */
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Whether what is written to this descriptor comes out where the standard output does: then nothing
 * else may be printed there. */
bool say_is_stdout(int fd);

/* The name in `names` (count of them) that is nearest to what was typed, or NULL when none is
 * near: for "unknown scenario 'fanin'; did you mean 'fan_in'?" */
const char *say_nearest(const char *typed, const char *const *names, size_t count);

#endif
