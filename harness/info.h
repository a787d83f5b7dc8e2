/* SPDX-License-Identifier: MIT
 *
 * info.h - what the harness knows of an implementation without running any of its code.
 *
 * The process that plans a run, prints its tables and writes its files never loads a plug-in: one
 * that crashes, when it is loaded or later, must not take the run with it. A child loads the
 * plug-in and describes it in a `struct impl_info`, and the planner goes by that. The same function
 * describes built-in implementations, without a child.
 */
#ifndef CHANBENCH_HARNESS_INFO_H
#define CHANBENCH_HARNESS_INFO_H

#include "impls/channel.h"

#include <limits.h>

enum kind { KIND_MPSC, KIND_UNBOUNDED, KIND_ONESHOT, KIND_BROADCAST, KIND_WATCH, KIND_COUNT };

/* "mpsc", "unbounded", "oneshot", "broadcast", "watch" */
extern const char *const kind_names[KIND_COUNT];

/* The kind of that name, or KIND_COUNT. */
enum kind kind_of_name(const char *name);

struct info_deviation {
	char rule[16];
	char why[256];
};

/* An implementation that runs in a program of its own, under a runtime of its own, and not behind
 * the contract (harness/bench/driver.h). */
struct info_driver {
	char program[PATH_MAX]; /* "": it is not from a driver */
	bool named;             /* the driver was named by --driver */
	char scenarios[256];    /* names, each with a space before and behind */
	uint64_t sizes[16];     /* bytes of a message that it can carry; none: any */
	size_t size_count;
	uint64_t capacity_most; /* 0: any */
	char without[256];      /* "scenario:mode" that it cannot run, in the same way */
};

struct impl_info {
	char name[33];
	char family[33];
	char version[64];
	char summary[256];
	char plugin[PATH_MAX]; /* the file it came from; "": built in */
	unsigned flags;        /* enum chan_flags */
	/* it is another project's: it is there for comparison, and judged apart from ours */
	bool peer;
	char package[128]; /* of a peer: package and version, "libck-dev 0.7.1-10"; else "" */

	struct info_driver driver;

	/* Bit i: the i-th function of the kind's table is there (kind_op). 0: the kind is not
	 * offered. */
	uint64_t offered[KIND_COUNT];

	struct info_deviation deviations[8];
	size_t deviation_count;
};

/* The name of the i-th function of a kind's table, as in channel.h ("receiver_clone"); NULL
 * after the last. */
const char *kind_op(enum kind kind, size_t i);

/* How many functions are the minimum of a kind. They are the first of its table. */
size_t kind_minimum(enum kind kind);

/* Whether the function `op` is offered in that kind. A name that the kind's table does not have
 * is a mistake of the caller: it ends the program. */
bool info_offers(const struct impl_info *info, enum kind kind, const char *op);

/* Why the implementation does not keep a rule ("M-22"), in its own words. NULL: it declares no
 * deviation from that rule. */
const char *info_deviation(const struct impl_info *info, const char *rule);

/* Notes that the function `op` is offered in that kind. False: there is no such function. */
bool info_offer(struct impl_info *info, enum kind kind, const char *op);

/* How tables name it: its name, and "+yield" behind it when it spins. */
void info_shown_name(const struct impl_info *info, char *text, size_t size);

/* Describes an implementation that is loaded in this process. Returns NULL, or one line that
 * says what is wrong with it (a bad name, a kind without its minimum, a deviation that may not
 * be declared, no kind at all). */
const char *info_describe(const struct chan_impl *impl, const char *plugin, struct impl_info *info);

/* A peer that is not in this build, and what to do about it: "not built: install libck-dev, then
 * rebuild". */
struct impl_absent {
	char name[33];
	char cure[128];
};

/* A growing set of implementations: ours first, then peers, then plug-ins in the order in which
 * they were named. */
struct impl_set {
	struct impl_info *infos;
	size_t count;
	struct impl_absent *absent;
	size_t absent_count;
};

/* Fills `set` with the built-ins, with the peers that were found when this was built, and with
 * what each file of `plugins` holds. A child process describes the plug-ins. 0, or -1 after one
 * line that says which plug-in is wrong, and how: it is missing or no plug-in, has another
 * version of the contract, crashes or hangs when it is loaded, or has a name that is taken. */
int impl_set_open(struct impl_set *set, const char *const *plugins, size_t plugin_count);
void impl_set_close(struct impl_set *set);

/* Adds to a set that is open. False: out of memory, and it is as before. */
bool impl_set_add(struct impl_set *set, const struct impl_info *info);
bool impl_set_add_absent(struct impl_set *set, const char *name, const char *cure);

/* By name; NULL if there is none. */
const struct impl_info *impl_set_find(const struct impl_set *set, const char *name);

/* The implementation itself, loaded from its plug-in where it is from one. Only the process that
 * runs it calls this. NULL, with one line in `error`. */
const struct chan_impl *impl_load(const char *name, const char *plugin, char *error, size_t error_size);

#endif
