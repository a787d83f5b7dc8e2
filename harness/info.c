/* SPDX-License-Identifier: MIT
 *
 * info.c - the functions of each kind by name, and the description of an implementation that is
 * loaded in this process.
 */
#include "harness/info.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const kind_names[KIND_COUNT] = {"mpsc", "unbounded", "oneshot", "broadcast", "watch"};

enum kind kind_of_name(const char *name)
{
	for (int k = 0; k < KIND_COUNT; k++)
		if (strcmp(name, kind_names[k]) == 0)
			return (enum kind)k;
	return KIND_COUNT;
}

/* ------------------------------------------------------------------------------------------
 * The functions of each kind, in the order of channel.h
 */

struct op {
	const char *name;
	size_t offset;
};

#define OP(table, name)                                                                                                \
	{                                                                                                              \
#name, offsetof(struct table, name)                                                                    \
	}

#define MPSC(name) OP(chan_mpsc_ops, name)
static const struct op mpsc_ops[] = {
	MPSC(open),          MPSC(send),         MPSC(recv),           MPSC(sender_drop),
	MPSC(receiver_drop), MPSC(sender_clone), MPSC(downgrade),      MPSC(upgrade),
	MPSC(weak_clone),    MPSC(weak_drop),    MPSC(receiver_clone), MPSC(send_many),
	MPSC(recv_many),     MPSC(reserve),      MPSC(permit_send),    MPSC(permit_release),
	MPSC(close),         MPSC(closed),       MPSC(arm_send),       MPSC(arm_recv),
	MPSC(arm_closed),    MPSC(disarm),       MPSC(sender_get),     MPSC(receiver_get),
	MPSC(weak_get),      {NULL, 0},
};

#define ONESHOT(name) OP(chan_oneshot_ops, name)
static const struct op oneshot_ops[] = {
	ONESHOT(open),       ONESHOT(send),         ONESHOT(recv),     ONESHOT(sender_drop), ONESHOT(receiver_drop),
	ONESHOT(close),      ONESHOT(closed),       ONESHOT(arm_recv), ONESHOT(arm_closed),  ONESHOT(disarm),
	ONESHOT(sender_get), ONESHOT(receiver_get), {NULL, 0},
};

#define BROADCAST(name) OP(chan_broadcast_ops, name)
static const struct op broadcast_ops[] = {
	BROADCAST(open),        BROADCAST(send),          BROADCAST(recv),         BROADCAST(subscribe),
	BROADCAST(sender_drop), BROADCAST(receiver_drop), BROADCAST(sender_clone), BROADCAST(downgrade),
	BROADCAST(upgrade),     BROADCAST(weak_clone),    BROADCAST(weak_drop),    BROADCAST(resubscribe),
	BROADCAST(closed),      BROADCAST(arm_recv),      BROADCAST(arm_closed),   BROADCAST(disarm),
	BROADCAST(sender_get),  BROADCAST(receiver_get),  BROADCAST(weak_get),     {NULL, 0},
};

#define WATCH(name) OP(chan_watch_ops, name)
static const struct op watch_ops[] = {
	WATCH(open),          WATCH(send),
	WATCH(borrow),        WATCH(changed),
	WATCH(sender_drop),   WATCH(receiver_drop),
	WATCH(send_replace),  WATCH(modify),
	WATCH(sender_borrow), WATCH(borrow_and_update),
	WATCH(has_changed),   WATCH(wait_for),
	WATCH(mark_changed),  WATCH(mark_unchanged),
	WATCH(sender_clone),  WATCH(receiver_clone),
	WATCH(subscribe),     WATCH(closed),
	WATCH(arm_changed),   WATCH(arm_closed),
	WATCH(disarm),        WATCH(sender_get),
	WATCH(receiver_get),  {NULL, 0},
};

/* Functions that make no sense without each other: either all of a group are there, or none. */
struct group {
	const char *ops[4]; /* ends with NULL */
};

static const struct group weak_group = {{"downgrade", "upgrade", "weak_drop", NULL}};
static const struct group permit_group = {{"reserve", "permit_send", "permit_release", NULL}};

static const struct shape {
	const struct op *ops;
	size_t minimum; /* so many of them have to be there */
	const struct group *groups[2];
} shapes[KIND_COUNT] = {
	[KIND_MPSC] = {mpsc_ops, 5, {&weak_group, &permit_group}},
	[KIND_UNBOUNDED] = {mpsc_ops, 5, {&weak_group, &permit_group}},
	[KIND_ONESHOT] = {oneshot_ops, 5, {NULL, NULL}},
	[KIND_BROADCAST] = {broadcast_ops, 6, {&weak_group, NULL}},
	[KIND_WATCH] = {watch_ops, 6, {NULL, NULL}},
};

const char *kind_op(enum kind kind, size_t i)
{
	const struct op *op = shapes[kind].ops;
	while (i > 0 && op->name != NULL) {
		op++;
		i--;
	}
	return op->name;
}

static bool bit_of(enum kind kind, const char *op, uint64_t *bit)
{
	const struct op *ops = shapes[kind].ops;
	for (size_t i = 0; ops[i].name != NULL; i++) {
		*bit = (uint64_t)1 << i;
		if (strcmp(ops[i].name, op) == 0)
			return true;
	}
	return false;
}

bool info_offers(const struct impl_info *info, enum kind kind, const char *op)
{
	uint64_t bit;
	if (!bit_of(kind, op, &bit)) {
		fprintf(stderr, "chanbench: %s has no function '%s'\n", kind_names[kind], op);
		abort();
	}
	return (info->offered[kind] & bit) != 0;
}

size_t kind_minimum(enum kind kind)
{
	return shapes[kind].minimum;
}

bool info_offer(struct impl_info *info, enum kind kind, const char *op)
{
	uint64_t bit;
	if (!bit_of(kind, op, &bit))
		return false;
	info->offered[kind] |= bit;
	return true;
}

/* ------------------------------------------------------------------------------------------
 * Describing
 */

static _Thread_local char complaint[512];

#define COMPLAIN(...) (snprintf(complaint, sizeof complaint, __VA_ARGS__), complaint)

/* Printable ASCII in a line; other bytes become '?'. */
static void copy_text(char *to, size_t size, const char *from)
{
	size_t i = 0;
	for (; from != NULL && i + 1 < size && from[i] != '\0'; i++)
		to[i] = from[i] >= ' ' && from[i] <= '~' ? from[i] : '?';
	to[i] = '\0';
}

static bool name_is_good(const char *name)
{
	size_t n = strnlen(name, sizeof((struct impl_info *)NULL)->name);
	return n > 0 && n <= 32 && strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_-") == n;
}

static uint64_t scan(const struct op *ops, const void *table)
{
	uint64_t bits = 0;
	for (size_t i = 0; ops[i].name != NULL; i++) {
		void (*function)(void);
		memcpy(&function, (const char *)table + ops[i].offset, sizeof function);
		if (function != NULL)
			bits |= (uint64_t)1 << i;
	}
	return bits;
}

/* NULL, or which function of a group is missing beside another that is there. */
static const char *check_groups(enum kind kind, const struct impl_info *info)
{
	const struct shape *shape = &shapes[kind];
	for (size_t g = 0; g < 2 && shape->groups[g] != NULL; g++) {
		const char *there = NULL, *missing = NULL;
		for (const char *const *op = shape->groups[g]->ops; *op != NULL; op++)
			*(info_offers(info, kind, *op) ? &there : &missing) = *op;
		if (there != NULL && missing != NULL)
			return COMPLAIN("its %s has %s without %s", kind_names[kind], there, missing);
	}
	for (const struct op *op = shape->ops; op->name != NULL; op++)
		if (strncmp(op->name, "arm_", 4) == 0 && info_offers(info, kind, op->name) &&
		    !info_offers(info, kind, "disarm"))
			return COMPLAIN("its %s has %s without disarm", kind_names[kind], op->name);
	return NULL;
}

static const char *describe_kinds(const struct chan_impl *impl, struct impl_info *info)
{
	const void *const tables[KIND_COUNT] = {impl->mpsc, impl->unbounded, impl->oneshot, impl->broadcast,
	                                        impl->watch};
	bool any = false;

	for (int k = 0; k < KIND_COUNT; k++) {
		const struct shape *shape = &shapes[k];
		if (tables[k] == NULL)
			continue;
		any = true;
		info->offered[k] = scan(shape->ops, tables[k]);
		for (size_t i = 0; i < shape->minimum; i++)
			if ((info->offered[k] >> i & 1) == 0)
				return COMPLAIN("its %s lacks %s, which is part of the minimum", kind_names[k],
				                shape->ops[i].name);
		const char *wrong = check_groups((enum kind)k, info);
		if (wrong != NULL)
			return wrong;
	}
	return any ? NULL : "it offers no kind at all";
}

static const char *describe_deviations(const struct chan_impl *impl, struct impl_info *info)
{
	static const char *const allowed[] = {"M-22", "M-23", "M-25"};
	const size_t room = sizeof info->deviations / sizeof info->deviations[0];

	for (const struct chan_deviation *d = impl->deviations; d != NULL && d->rule != NULL; d++) {
		bool good = false;
		for (size_t i = 0; i < sizeof allowed / sizeof allowed[0]; i++)
			good |= strcmp(d->rule, allowed[i]) == 0;
		if (!good)
			return COMPLAIN("it declares a deviation from %.40s; only M-22, M-23 and M-25 may be declared",
			                d->rule);
		if (info->deviation_count == room)
			return COMPLAIN("it declares more than %zu deviations", room);
		struct info_deviation *to = &info->deviations[info->deviation_count++];
		copy_text(to->rule, sizeof to->rule, d->rule);
		copy_text(to->why, sizeof to->why, d->why);
	}
	return NULL;
}

const char *info_deviation(const struct impl_info *info, const char *rule)
{
	for (size_t i = 0; i < info->deviation_count; i++)
		if (strcmp(info->deviations[i].rule, rule) == 0)
			return info->deviations[i].why;
	return NULL;
}

const char *info_describe(const struct chan_impl *impl, const char *plugin, struct impl_info *info)
{
	*info = (struct impl_info){.flags = impl->flags, .peer = (impl->flags & CHAN_PEER) != 0};
	if (impl->name == NULL)
		return "an implementation in it has no name";
	copy_text(info->name, sizeof info->name, impl->name);
	if (!name_is_good(impl->name))
		return COMPLAIN("the name '%s' is not 1 to 32 of a-z, 0-9, '_' and '-'", info->name);
	copy_text(info->family, sizeof info->family, impl->family != NULL ? impl->family : impl->name);
	copy_text(info->version, sizeof info->version, impl->version);
	copy_text(info->summary, sizeof info->summary, impl->summary);
	copy_text(info->package, sizeof info->package, impl->package);
	if (info->peer != (info->package[0] != '\0'))
		return "a peer names its package, and only a peer does (CHAN_PEER, package)";
	snprintf(info->plugin, sizeof info->plugin, "%s", plugin != NULL ? plugin : "");
	const char *wrong = describe_kinds(impl, info);
	return wrong != NULL ? wrong : describe_deviations(impl, info);
}

void info_shown_name(const struct impl_info *info, char *text, size_t size)
{
	snprintf(text, size, "%s%s", info->name, (info->flags & CHAN_SPINS) != 0 ? "+yield" : "");
}
