/* SPDX-License-Identifier: MIT */
#include "harness/check/handles.h"

#include "harness/check/expect.h"

#define HANDLES_MAX 256

enum role { SENDER, RECEIVER, WEAK };

static struct {
	void *handle; /* NULL: forgotten */
	enum role role;
} kept[HANDLES_MAX];
static size_t kept_count;

static void keep(void *handle, enum role role)
{
	if (handle == NULL)
		broken_because("CHAN_OK comes with a handle", "the handle is NULL");
	if (kept_count == HANDLES_MAX)
		broken_because("at most 256 handles in a test", "one more was opened");
	kept[kept_count].handle = handle;
	kept[kept_count++].role = role;
}

struct chan_sender *keep_sender(struct chan_sender *tx)
{
	keep(tx, SENDER);
	return tx;
}

struct chan_receiver *keep_receiver(struct chan_receiver *rx)
{
	keep(rx, RECEIVER);
	return rx;
}

struct chan_weak *keep_weak(struct chan_weak *weak)
{
	keep(weak, WEAK);
	return weak;
}

/* The role counts, too: a channel's sender and receiver may have the same address. */
static void forget_handle(const void *handle, enum role role)
{
	for (size_t i = kept_count; i > 0; i--)
		if (kept[i - 1].handle == handle && kept[i - 1].role == role) {
			kept[i - 1].handle = NULL;
			break;
		}
	while (kept_count > 0 && kept[kept_count - 1].handle == NULL)
		kept_count--;
}

void forget(const struct chan_sender *tx)
{
	forget_handle(tx, SENDER);
}

static void check_null(const void *handle)
{
	if (handle != NULL)
		broken_because("a drop sets the handle to NULL", "it did not");
}

void tx_drop(struct test *t, struct chan_sender **tx)
{
	step("drop a sender");
	forget_handle(*tx, SENDER);
	t->any.sender_drop(tx);
	check_null(*tx);
}

void rx_drop(struct test *t, struct chan_receiver **rx)
{
	step("drop a receiver");
	forget_handle(*rx, RECEIVER);
	t->any.receiver_drop(rx);
	check_null(*rx);
}

void weak_drop(struct test *t, struct chan_weak **weak)
{
	step("drop a weak sender");
	forget_handle(*weak, WEAK);
	t->any.weak_drop(weak);
	check_null(*weak);
}

/* Several handles may have the same address. A drop forgets the newest of them, and that is the one
 * that is dropped here. */
void handles_drop(struct test *t)
{
	while (kept_count > 0) {
		void *handle = kept[kept_count - 1].handle;
		if (handle == NULL)
			kept_count--;
		else if (kept[kept_count - 1].role == SENDER)
			tx_drop(t, &(struct chan_sender *){handle});
		else if (kept[kept_count - 1].role == RECEIVER)
			rx_drop(t, &(struct chan_receiver *){handle});
		else
			weak_drop(t, &(struct chan_weak *){handle});
	}
}
