/* SPDX-License-Identifier: MIT
 *
 * mpsc.c - the bounded kind of the futex family: the ring of mpsc_ring.h in front of the lock, as
 * lane.h says.
 */
#include "impls/futex/ring.h"

#include "impls/fastpath/bounded_ops.h"
#include "impls/futex/futex.h"

const struct chan_mpsc_ops chan_futex_mpsc_ops = LANE_OPS;
