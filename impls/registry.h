/* SPDX-License-Identifier: MIT
 *
 * registry.h - the built-in implementations, by an explicit list. A new one is one folder and one
 * line in registry.c.
 */
#ifndef CHANBENCH_REGISTRY_H
#define CHANBENCH_REGISTRY_H

#include "impls/channel.h"

/* Our implementations in the order in which they are shown; ends with NULL. */
extern const struct chan_impl *const chan_registry[];

#endif
