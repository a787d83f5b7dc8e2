/* SPDX-License-Identifier: MIT
 *
 * channels.h - the implementations of this library, by name and as a list.
 *
 * Each is a table of functions, as channel.h describes it. All of them keep every rule of the
 * contract. They differ in what they cost:
 *
 *   chan_futex    the one to take first. Its fast paths take no lock. A thread that has to wait
 *                 spins for a moment, then sleeps. Offers all five kinds.
 *   chan_vyukov   the same waiting around Vyukov's queues: his bounded ring is the fastest where
 *                 several senders meet, and needs more memory a slot.
 *   chan_mutex    a lock and condition variables, nothing else. It never spins, has no word that
 *                 two threads write without the lock, and is read in an afternoon. Offers all five
 *                 kinds.
 *
 * A kind that an implementation does not offer is a NULL table.
 */
#ifndef CHANBENCH_CHANNELS_H
#define CHANBENCH_CHANNELS_H

#include "channel.h"

#ifdef __cplusplus
extern "C" {
#endif

extern const struct chan_impl chan_mutex;
extern const struct chan_impl chan_futex;
extern const struct chan_impl chan_vyukov;

/* A library of another contract version has no such symbol: a program that was compiled against
 * this header does not link with it, or does not start. */
extern const char chan_contract_2;
#if defined(__GNUC__)
__attribute__((used)) static const char *const chan_contract_wanted = &chan_contract_2;
#endif

/* All of them, in the order in which they are shown; ends with NULL. A new one is a folder here
 * and a line in registry.c. */
extern const struct chan_impl *const chan_registry[];

#ifdef __cplusplus
}
#endif

#endif
