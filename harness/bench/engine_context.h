/* SPDX-License-Identifier: MIT
 *
 * engine_context.h - what google-benchmark itself says about the machine and about how it was
 * built.
 */
#ifndef CHANBENCH_ENGINE_CONTEXT_H
#define CHANBENCH_ENGINE_CONTEXT_H

#ifdef __cplusplus
extern "C" {
#endif

/* The "context" object of its JSON files, in a file {"context": {...}, "benchmarks": []}; free
 * it. NULL: out of memory. */
char *engine_context(void);

#ifdef __cplusplus
}
#endif

#endif
