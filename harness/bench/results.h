/* SPDX-License-Identifier: MIT
 *
 * results.h - result files: google-benchmark's JSON, {"context": {...}, "benchmarks": [rows]}, one
 * row a trial.
 *
 * A file is opened before the first trial, so that what cannot be written is known before anything
 * was measured. A regular file (or one that does not exist yet) is written beside its place,
 * synchronised and renamed: there is the old one or the whole new one, never half. What is no
 * regular file (/dev/stdout, a pipe) is written to as it is, never replaced.
 */
#ifndef CHANBENCH_RESULTS_H
#define CHANBENCH_RESULTS_H

#include <jansson.h>
#include <limits.h>
#include <stdbool.h>

struct results_out {
	char path[PATH_MAX];      /* as named */
	char target[PATH_MAX];    /* after symbolic links: what is renamed to */
	char temporary[PATH_MAX]; /* "": written directly */
	int fd;                   /* -1: nothing is open */
};

/* Also tries whether there is room for `expected` bytes. 0, or -1 after one line. Remove with
 * results_discard or finish with results_write. */
int results_open(struct results_out *out, const char *path, size_t expected);

/* Writes {"context": context, "benchmarks": rows} and closes. 0, or -1 after one line; the
 * temporary is gone in any case. */
int results_write(struct results_out *out, json_t *context, json_t *rows);

/* Writes a line, or many, and closes, as results_write does. `text` NULL: there was no memory
 * for it. */
int results_write_text(struct results_out *out, const char *text);

/* Closes without having written; leaves no file behind. */
void results_discard(struct results_out *out);

/* Reads a file and checks its shape: an object with an array "benchmarks" of objects with a
 * string "name". Returns it, or NULL after one line. */
json_t *results_read(const char *path);

#endif
