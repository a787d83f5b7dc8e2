/* SPDX-License-Identifier: MIT
 *
 * plugin_fixture.c - a plug-in for the tests of this folder: the mutex family, which keeps the
 * rules, and a copy that breaks one. After the close its length counts a marker, as a queue does
 * that puts its end into itself (M-8).
 */
#include "impls/channels.h"

static struct chan_mpsc_ops wrong_ops;
static struct chan_impl right, wrong;

static uint64_t wrong_get(const struct chan_receiver *rx, enum chan_property property)
{
	uint64_t value = chan_mutex.mpsc->receiver_get(rx, property);
	return property == CHAN_LEN ? value + chan_mutex.mpsc->receiver_get(rx, CHAN_IS_CLOSED) : value;
}

__attribute__((constructor)) static void prepare(void)
{
	right = wrong = chan_mutex;
	right.name = "right";
	wrong.name = "wrong";
	wrong_ops = *chan_mutex.mpsc;
	wrong_ops.receiver_get = wrong_get;
	wrong.mpsc = &wrong_ops;
}

CHAN_PLUGIN(&right, &wrong);
