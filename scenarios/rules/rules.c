/* SPDX-License-Identifier: MIT */
#include "scenarios/rules/rules.h"

const struct rule *const rule_tables[] = {
	config_rules,
	deadline_rules,
	mpsc_capacity_rules,
	mpsc_send_rules,
	mpsc_queue_rules,
	mpsc_permit_rules,
	mpsc_recv_rules,
	mpsc_idle_rules,
	mpsc_handles_rules,
	unbounded_rules,
	oneshot_rules,
	broadcast_rules,
	broadcast_lag_rules,
	broadcast_hooks_rules,
	broadcast_handles_rules,
	watch_rules,
	watch_write_rules,
	watch_hooks_rules,
	destroy_rules,
	wrap_rules,
	select_rules,
	NULL,
};
