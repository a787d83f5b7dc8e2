/* SPDX-License-Identifier: MIT
 *
 * mpsc.c - the bounded kind of the vyukov family: the ring of mpsc_ring.h in front of the lock, as
 * lane.h says.
 */
#include "impls/vyukov/ring.h"

#include "impls/fastpath/bounded_ops.h"
#include "impls/vyukov/vyukov.h"

const struct chan_mpsc_ops chan_vyukov_mpsc_ops = LANE_OPS;
