/* SPDX-License-Identifier: MIT
 *
 * any.h - a channel of any kind: the functions that have one signature in the tables of all kinds
 * that offer them.
 *
 * Code that serves every kind takes its functions from here, instead of naming the kinds at each
 * call. The tables themselves keep their types and the order of their members (impls/channel.h),
 * since that is the ABI. A loop that is measured calls through the table of its kind.
 */
#ifndef CHANBENCH_HARNESS_ANY_H
#define CHANBENCH_HARNESS_ANY_H

#include "harness/info.h"

/* NULL: the kind does not have the function, or the table does not offer it. */
struct any_ops {
	void (*sender_drop)(struct chan_sender **tx);
	void (*receiver_drop)(struct chan_receiver **rx);
	void (*weak_drop)(struct chan_weak **weak);

	enum chan_status (*sender_clone)(struct chan_sender *tx, struct chan_sender **out);
	enum chan_status (*receiver_clone)(struct chan_receiver *rx, struct chan_receiver **out);
	enum chan_status (*subscribe)(struct chan_sender *tx, struct chan_receiver **out);
	enum chan_status (*downgrade)(struct chan_sender *tx, struct chan_weak **out);
	enum chan_status (*upgrade)(struct chan_weak *weak, struct chan_sender **out);
	enum chan_status (*weak_clone)(struct chan_weak *weak, struct chan_weak **out);

	void (*close)(struct chan_receiver *rx);
	enum chan_status (*closed)(struct chan_sender *tx, uint64_t deadline);

	enum chan_arm (*arm_send)(struct chan_sender *tx, struct chan_waiter *waiter);
	/* watch: arm_changed */
	enum chan_arm (*arm_recv)(struct chan_receiver *rx, struct chan_waiter *waiter);
	enum chan_arm (*arm_closed)(struct chan_sender *tx, struct chan_waiter *waiter);
	bool (*disarm)(struct chan_waiter *waiter);

	uint64_t (*sender_get)(const struct chan_sender *tx, enum chan_property property);
	uint64_t (*receiver_get)(const struct chan_receiver *rx, enum chan_property property);
	uint64_t (*weak_get)(const struct chan_weak *weak, enum chan_property property);
};

/* The implementation's table of that kind (`struct chan_mpsc_ops` ...); NULL: not offered. */
const void *any_table(const struct chan_impl *impl, enum kind kind);

/* The shared functions of a table of that kind. */
struct any_ops any_of(enum kind kind, const void *table);

/* Opens a channel. `initial` is the value of a watch; the other kinds do not look at it. */
enum chan_status any_open(enum kind kind, const void *table, const struct chan_config *config, const void *initial,
                          struct chan_sender **tx, struct chan_receiver **rx);

#endif
