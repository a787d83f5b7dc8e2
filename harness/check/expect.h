/* SPDX-License-Identifier: MIT
 *
 * expect.h - the steps of a test, and what is expected of each.
 *
 * Every step is told to the parent process before it is taken. So the parent can say what was done
 * when a step fails, crashes or hangs. A failed expectation ends the test (through CMocka):
 * therefore only the test's own thread may use these. What other threads do is expected with
 * actor.h.
 *
 *   want(CHAN_OK, try_send(t, tx, 1));
 *   want(CHAN_FULL, try_send(t, tx, 2));
 *   want_u64(1, rx_get(t, rx, CHAN_LEN));
 */
#ifndef CHANBENCH_CHECK_EXPECT_H
#define CHANBENCH_CHECK_EXPECT_H

#include "harness/status.h"

/* The call returns this status. */
#define want(status, call) want_status(status, (step("%s", #call), (call)), __FILE__, __LINE__)

/* The expression has this value, or is true. */
#define want_u64(value, expression) want_number(value, (step("%s", #expression), (expression)), __FILE__, __LINE__)
#define want_true(expression)       want_truth((step("%s", #expression), (expression)), #expression, __FILE__, __LINE__)

/* Tells the parent what is done next. */
void step(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* How often a test repeats what depends on the order of threads: `n` times where the order is luck,
 * and a few times where every order is tried. */
unsigned rounds(unsigned n);

/* Ends the test: failed. */
void broken(const char *file, int line, const char *expected, const char *seen);
/* The same with one sentence of what was seen. */
#define broken_because(expected, seen) broken(__FILE__, __LINE__, expected, seen)

/* Ends the test: the implementation lacks what the test needs. */
void not_offered(const char *what);
/* Something that a passing test has measured, for the report. */
void measured(const char *text);
/* Ends the test and says why it cannot be made here. */
void untestable(const char *why);

/* Where the steps are told; -1: nowhere. Set by the runner. */
void expect_report_to(int pipe);

void want_status(enum chan_status expected, enum chan_status seen, const char *file, int line);
void want_number(uint64_t expected, uint64_t seen, const char *file, int line);
void want_truth(bool seen, const char *text, const char *file, int line);

#endif
