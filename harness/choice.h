/* SPDX-License-Identifier: MIT
 *
 * choice.h - what --impl=A,B means, to every command that has it.
 *
 * Without the option, the choice is our implementations and those of the plug-ins and drivers that
 * were named. `peers` stands for all peers that are there, and `all` for everything. Both can stand
 * beside names.
 */
#ifndef CHANBENCH_HARNESS_CHOICE_H
#define CHANBENCH_HARNESS_CHOICE_H

#include "harness/bench/names.h"
#include "harness/info.h"

/* 0, or -1 after one line: no implementation has the name, or it is a peer's that is not in this
 * build. */
int choice_check(const struct names *names, const struct impl_set *set);

bool choice_has(const struct names *names, const struct impl_info *info);

/* The same for commands that call through the contract. What a driver runs is not behind the
 * contract: its name is a mistake here, and `peers` and `all` leave it out. */
int choice_check_tested(const struct names *names, const struct impl_set *set);

bool choice_has_tested(const struct names *names, const struct impl_info *info);

#endif
