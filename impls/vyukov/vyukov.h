/* SPDX-License-Identifier: MIT
 *
 * vyukov.h - the tables of the vyukov family, one a kind; vyukov.c puts them together.
 *
 * Kinds that have neither a ring of turns nor a list in them (oneshot, broadcast, watch) are the
 * futex family's, in both.
 */
#ifndef CHANBENCH_VYUKOV_VYUKOV_H
#define CHANBENCH_VYUKOV_VYUKOV_H

#include "impls/channel.h"

extern const struct chan_mpsc_ops chan_vyukov_mpsc_ops;

extern const struct chan_impl chan_vyukov;

#endif
