/* SPDX-License-Identifier: MIT
 *
 * history_file.h - a history as a text file: what a failed check saw, whole, so that it can be
 * checked again without the run that made it.
 *
 * Lines of fields between tabs. The first line names format and version; then `key value` lines,
 * one that names the fields, one for each operation in the order of struct history, and `end`,
 * without which the file was cut off. After # stands the operation as people read it.
 *
 *   chanbench history       1 impl  mutex ... operations    2 call  ret     thread  code    status
 *   wait    value   extra   channel slots   handle  other   flag    chained 1       4       0
 *   send    CHAN_OK timed   1       0       0       0       0       0       0       0       #
 *   [1..4] thread 0: send(timed, value 0.1) = CHAN_OK 2   -       1       recv    CHAN_OK forever 1
 *   0       0       0       0       0       0       0       # ... end
 *
 * A `ret` of - is OP_PENDING. Reading refuses what no recording makes (stamps out of order, a
 * chained operation without the one before it, ...) and names the line: the checker relies on none
 * of it being there.
 */
#ifndef CHANBENCH_STRESS_HISTORY_FILE_H
#define CHANBENCH_STRESS_HISTORY_FILE_H

#include "harness/stress/history.h"

enum { HISTORY_PATH_MAX = 4096 };

struct saved_history {
	struct history history;
	struct op *ops; /* the history's */
	char impl[64];
	uint64_t seed; /* of the round */
};

/* Writes to a new file in `directory`; its path goes to `path`. 0, or the errno of what failed:
 * then there is no file. */
int history_save(const char *directory, const char *impl, uint64_t seed, const struct history *history, char *path,
                 size_t size);

/* False: `error` says in one line what is wrong, and nothing is to be freed. */
bool history_load(const char *path, struct saved_history *saved, char *error, size_t size);
void history_unload(struct saved_history *saved);

#endif
