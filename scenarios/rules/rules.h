/* SPDX-License-Identifier: MIT
 *
 * rules.h - the tables of rules, one a file, each ending with {0}.
 */
#ifndef CHANBENCH_RULES_RULES_H
#define CHANBENCH_RULES_RULES_H

#include "harness/check/rule.h"

extern const struct rule config_rules[];
extern const struct rule deadline_rules[];
extern const struct rule mpsc_capacity_rules[];
extern const struct rule mpsc_send_rules[];
extern const struct rule mpsc_queue_rules[];
extern const struct rule mpsc_permit_rules[];
extern const struct rule mpsc_recv_rules[];
extern const struct rule mpsc_order_rules[];
extern const struct rule mpsc_idle_rules[];
extern const struct rule mpsc_handles_rules[];
extern const struct rule unbounded_rules[];
extern const struct rule oneshot_rules[];
extern const struct rule broadcast_rules[];
extern const struct rule broadcast_lag_rules[];
extern const struct rule broadcast_hooks_rules[];
extern const struct rule broadcast_handles_rules[];
extern const struct rule watch_rules[];
extern const struct rule watch_write_rules[];
extern const struct rule watch_version_rules[];
extern const struct rule watch_hooks_rules[];
extern const struct rule destroy_rules[];
extern const struct rule wrap_rules[];
extern const struct rule select_rules[];
extern const struct rule fault_wrap_rules[];
extern const struct rule fault_time_rules[];
extern const struct rule fault_thread_rules[];
extern const struct rule fault_stop_rules[];
extern const struct rule fault_callback_rules[];
extern const struct rule fault_memory_rules[];
extern const struct rule fault_copies_rules[];
extern const struct rule memory_order_rules[];
extern const struct rule envelope_rules[];

/* What the documentation adds to them. */
extern const struct rule_note queue_notes[];
extern const struct rule_note other_notes[];

#endif
