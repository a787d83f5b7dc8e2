/* SPDX-License-Identifier: MIT
 *
 * page.h - impls/SEMANTICS.md, the rules as documentation, made from the tables: `chanbench check
 * --list --format=markdown`.
 *
 * A test compares the page in the tree with what this writes, so that neither can say what the
 * other does not.
 */
#ifndef CHANBENCH_CHECK_PAGE_H
#define CHANBENCH_CHECK_PAGE_H

#include <stdio.h>

/* 0, or -1 after one line. */
int page_write(FILE *out);

#endif
