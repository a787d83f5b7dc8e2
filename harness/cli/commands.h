/* SPDX-License-Identifier: MIT
 *
 * commands.h - the commands of this folder, and what all commands open: the implementations. The
 * commands of the other folders stand in the table of main.c, too.
 */
#ifndef CHANBENCH_COMMANDS_H
#define CHANBENCH_COMMANDS_H

#include "harness/options.h"
#include "harness/info.h"

extern const struct command list_command, bench_command, compare_command, report_command;

/* The implementations for these options: the built-in ones and each --plugin. EXIT_GOOD, or the
 * status to leave with after one line. */
int open_implementations(const struct options *options, struct impl_set *set);

#endif
