/* SPDX-License-Identifier: MIT
 *
 * formats.h - the outcome of a run as other programs read it: TAP 13 (which readers of 14
 * understand), and the XML that JUnit's readers agree on.
 *
 * A test of a rule is one test point (a testcase); "not offered" and "untestable" are skipped, with
 * the reason. "declared" is skipped too: it is neither right nor wrong. Whatever a test printed is
 * made harmless first: no character that ends a line, a comment or an attribute gets through, and
 * nothing that XML cannot hold.
 */
#ifndef CHANBENCH_CHECK_FORMATS_H
#define CHANBENCH_CHECK_FORMATS_H

#include "harness/check/report.h"

void formats_tap(FILE *out, const struct report *report);
void formats_junit(FILE *out, const struct report *report);

#endif
