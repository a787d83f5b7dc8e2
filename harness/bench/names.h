/* SPDX-License-Identifier: MIT
 *
 * names.h - lists of names as they stand on the command line: exact, without repetition, known.
 */
#ifndef CHANBENCH_NAMES_H
#define CHANBENCH_NAMES_H

#include <stddef.h>

enum { NAMES_MAX = 64 };

struct names {
	char *text; /* owns what `of` points into */
	const char *of[NAMES_MAX];
	size_t count;
};

/* Takes "A,B" for the option `what`; NULL gives none. 0; or -1 after one line: an empty name,
 * one that stands there twice, too many. */
int names_split(struct names *names, const char *text, const char *what);
void names_free(struct names *names);

/* Where it stands, or the count. */
size_t names_index(const struct names *names, const char *name);

/* Whether each of them is one of the known. 0; or -1 after one line: "unknown preset 'document';
 * did you mean 'documents'?" */
int names_check(const char *what, const struct names *names, const char *const *known, size_t count);

#endif
