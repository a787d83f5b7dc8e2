/* SPDX-License-Identifier: MIT
 *
 * fault_redirect.h - calls to functions of the C library go elsewhere, in this process, from now
 * on.
 *
 * Faults are injected into the process of one test and nowhere else: the process that measures must
 * not pay for them, not even with a branch. So nothing is defined over the library's names and
 * nothing is preloaded. A test that needs a fault overwrites the addresses that the dynamic linker
 * has filled in (the global offset tables) of the program and of every object that is loaded then,
 * plug-ins and what they are linked to included. The C library's own calls, and the sanitizers',
 * stay as they are.
 *
 * What cannot be reached: calls that were bound when the object was linked (a static C library,
 * clang's sanitizers in the program itself, an allocator of the plug-in's own), and objects that
 * are loaded later.
 */
#ifndef CHANBENCH_CHECK_FAULT_REDIRECT_H
#define CHANBENCH_CHECK_FAULT_REDIRECT_H

#include <stdbool.h>
#include <stddef.h>

/* Whether the relocations of this machine are known. */
#if defined(__x86_64__) || defined(__aarch64__) || (defined(__riscv) && __riscv_xlen == 64)
#define FAULT_REDIRECT_KNOWN 1
#else
#define FAULT_REDIRECT_KNOWN 0
#endif

struct fault_redirect {
	const char *name; /* "malloc" */
	void *to;         /* what is called instead */
	void **real;      /* set to the function itself, before any call is redirected */
};

/* Redirects them all. False: one of them does not exist, or this machine's way of linking is not
 * known. */
bool fault_redirect(const struct fault_redirect *list, size_t count);

#endif
