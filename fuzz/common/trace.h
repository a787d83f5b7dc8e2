/* SPDX-License-Identifier: MIT
 *
 * trace.h - what was done so far, in readable form, and how a target says what was wrong.
 *
 * Before each step a target calls `step` with a format and numbers; that only stores them. When
 * something differs, or the process dies under a sanitizer, all steps are printed, one a line, then
 * what was expected and what was seen:
 *
 *   fuzz_mpsc, implementation mutex: step 3: send(s0, m2, now): status: expected CHAN_FULL, seen
 *   CHAN_OK
 *
 * A format has at most six of these, each taking the next number: %u a number, %x the same in
 * hexadecimal, %s a string (cast to uintptr_t; it must live for ever), %t a status, %a an answer of
 * an arm_, %d a deadline's name.
 */
#ifndef CHANBENCH_FUZZ_TRACE_H
#define CHANBENCH_FUZZ_TRACE_H

#include "impls/channel.h"

enum { TRACE_ARGS = 6 };

/* Forgets all steps; both strings live for ever. */
void trace_begin(const char *target, const char *impl);

/* Stores a step: step("send(s%u, m%u, %d)", tx, id, deadline). */
#define step(...) step_(__VA_ARGS__, 0, 0, 0, 0, 0, 0, 0)
#define step_(format, a, b, c, d, e, f, ...)                                                                           \
	trace_step(format, (const uint64_t[TRACE_ARGS]){(uint64_t)(a), (uint64_t)(b), (uint64_t)(c), (uint64_t)(d),    \
	                                                (uint64_t)(e), (uint64_t)(f)})
void trace_step(const char *format, const uint64_t args[TRACE_ARGS]);

/* Adds to the step what it gave; shown as "-> ...". */
void trace_gave(enum chan_status status);
void trace_gave_text(const char *text); /* which lives for ever */

/* The same for what a callback does while the step runs: it stands below the step, and the step
 * goes on. */
#define step_inside(...) step_inside_(__VA_ARGS__, 0, 0, 0, 0, 0, 0, 0)
#define step_inside_(format, a, b, c, d, e, f, ...)                                                                    \
	trace_inside(format, (const uint64_t[TRACE_ARGS]){(uint64_t)(a), (uint64_t)(b), (uint64_t)(c), (uint64_t)(d),  \
	                                                  (uint64_t)(e), (uint64_t)(f)})
void trace_inside(const char *format, const uint64_t args[TRACE_ARGS]);
void trace_inside_gave(enum chan_status status);

/* Prints all steps to stderr; nothing before trace_begin. */
void trace_print(void);

/* Prints all steps, what is wrong ("s1: len", as printf) and the two, and aborts. */
_Noreturn void differ(const char *expected, const char *seen, const char *what, ...)
	__attribute__((format(printf, 3, 4)));
_Noreturn void differ_u64(uint64_t expected, uint64_t seen, const char *what);
_Noreturn void differ_status(enum chan_status expected, enum chan_status seen, const char *what);

/* The comparisons that every target makes. `what` names what was compared, and lives for ever. */
static inline void want_u64(uint64_t expected, uint64_t seen, const char *what)
{
	if (expected != seen)
		differ_u64(expected, seen, what);
}

static inline void want_status(enum chan_status expected, enum chan_status seen, const char *what)
{
	if (expected != seen)
		differ_status(expected, seen, what);
}

/* "CHAN_ARMED"; "?" for what is none. */
const char *arm_name(enum chan_arm arm);

#endif
