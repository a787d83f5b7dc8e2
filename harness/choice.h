/* SPDX-License-Identifier: MIT
 *
 * choice.h - what --impl=A,B means, to every command that has it.
 *
 * Without it: ours, and those of the plug-ins and drivers that were named. `peers` stands for all
 * peers that are there, `all` for everything, and can stand beside names.
 */
#ifndef CHANBENCH_HARNESS_CHOICE_H
#define CHANBENCH_HARNESS_CHOICE_H

#include "harness/bench/names.h"
#include "harness/info.h"

/* 0; or -1 after one line: a name that nobody has, or that of a peer which is not in this build. */
int choice_check(const struct names *names, const struct impl_set *set);

bool choice_has(const struct names *names, const struct impl_info *info);

/* The same for commands that call through the contract: what a driver runs is not behind it. To
 * name one is a mistake; `peers` and `all` leave them out. */
int choice_check_tested(const struct names *names, const struct impl_set *set);

bool choice_has_tested(const struct names *names, const struct impl_info *info);

#endif
