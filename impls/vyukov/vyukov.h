/* SPDX-License-Identifier: MIT
 *
 * vyukov.h - the tables of the vyukov family, which is Vyukov's two queues, and no other kinds;
 * vyukov.c puts them together.
 */
#ifndef CHANBENCH_VYUKOV_VYUKOV_H
#define CHANBENCH_VYUKOV_VYUKOV_H

#include "impls/channel.h"

extern const struct chan_mpsc_ops chan_vyukov_mpsc_ops;
extern const struct chan_mpsc_ops chan_vyukov_unbounded_ops;

extern const struct chan_impl chan_vyukov;

#endif
