/* SPDX-License-Identifier: MIT
 *
 * commands.h - the subcommands that are made here; `check` and the hidden `bench-cell` come from
 * harness/check and harness/bench. argv[0] is the name of the subcommand; the result is the exit
 * status (harness/say.h).
 */
#ifndef CHANBENCH_COMMANDS_H
#define CHANBENCH_COMMANDS_H

#include "harness/options.h"
#include "harness/info.h"

extern const struct command list_command, bench_command, compare_command;

/* The implementations for these options: the built-in ones and each --plugin. EXIT_GOOD, or the
 * status to leave with after one line. */
int open_implementations(const struct options *options, struct impl_set *set);

#endif
