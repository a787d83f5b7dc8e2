/* SPDX-License-Identifier: MIT
 *
 * catalogue.h - all rules by their number: an index over the tables of tests and over the notes.
 *
 * A rule can stand in several rows of the tables (one for mpsc, one for watch ...) and in one note.
 * Here it is one entry.
 */
#ifndef CHANBENCH_CHECK_CATALOGUE_H
#define CHANBENCH_CHECK_CATALOGUE_H

#include "harness/check/rule.h"

#include <stdio.h>

struct catalogue_entry {
	const char *id;
	unsigned kinds;               /* of all its rows */
	const char *text;             /* of its first row, or of its note */
	const struct rule_note *note; /* NULL: none */
	size_t tests;                 /* 0: the note says why */
};

struct catalogue {
	struct catalogue_entry *entries; /* by section, then by number */
	size_t count;
};

/* 0, or -1 after one line: out of memory. */
int catalogue_open(struct catalogue *catalogue);
void catalogue_close(struct catalogue *catalogue);

/* Writes impls/SEMANTICS.md, the rules as documentation. A test compares the page in the tree with
 * what this writes, so that neither can say what the other does not. 0, or -1 after one line. */
int catalogue_write_page(FILE *out);

#endif
