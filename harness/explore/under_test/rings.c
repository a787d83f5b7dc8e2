/* SPDX-License-Identifier: MIT
 *
 * rings.c - a bounded queue (Vyukov), correct: what searches are measured on.
 */
#include "harness/explore/under_test/defects.h"
#include "harness/explore/under_test/threads.h"
#include <stdatomic.h>
#include <stdbool.h>

#define rlx memory_order_relaxed
#define acq memory_order_acquire
#define rel memory_order_release

#define SLOTS 2
static struct {
	_Atomic unsigned turn;
	int value;
} cells[SLOTS];
static _Atomic unsigned head, tail;

static void open_ring(void)
{
	for (unsigned i = 0; i < SLOTS; i++)
		atomic_store_explicit(&cells[i].turn, i, rlx);
}

static bool try_send(int value)
{
	unsigned at = atomic_load_explicit(&tail, rlx);
	for (;;) {
		unsigned turn = atomic_load_explicit(&cells[at % SLOTS].turn, acq);
		if (turn == at) {
			if (atomic_compare_exchange_weak_explicit(&tail, &at, at + 1, rlx, rlx))
				break;
		} else if ((int)(turn - at) < 0) {
			return false;
		} else {
			at = atomic_load_explicit(&tail, rlx);
		}
	}
	cells[at % SLOTS].value = value;
	atomic_store_explicit(&cells[at % SLOTS].turn, at + 1, rel);
	return true;
}

static bool try_receive(int *value)
{
	unsigned at = atomic_load_explicit(&head, rlx);
	for (;;) {
		unsigned turn = atomic_load_explicit(&cells[at % SLOTS].turn, acq);
		if (turn == at + 1) {
			if (atomic_compare_exchange_weak_explicit(&head, &at, at + 1, rlx, rlx))
				break;
		} else if ((int)(turn - at - 1) < 0) {
			return false;
		} else {
			at = atomic_load_explicit(&head, rlx);
		}
	}
	*value = cells[at % SLOTS].value;
	atomic_store_explicit(&cells[at % SLOTS].turn, at + SLOTS, rel);
	return true;
}

static void send_two(void)
{
	for (int i = 1; i <= 2; i++)
		try_send(i);
}

static int received[2];
static void receive_two(void)
{
	for (int i = 0; i < 2; i++)
		try_receive(&received[i]);
}

int ring_of_two(void *arg)
{
	(void)arg;
	open_ring();
	start(send_two);
	start(receive_two);
	join_all();
	CHECK(received[1] == 0 || received[0] < received[1]);
	return 0;
}

static void send_some(void)
{
	for (int i = 1; i <= 2; i++) {
		while (!try_send(i))
			yield();
	}
}

static void receive_some(void)
{
	int value = 0;
	for (int i = 0; i < 2; i++) {
		while (!try_receive(&value))
			yield();
		CHECK(value == 1 || value == 2);
	}
}

int ring_of_four(void *arg)
{
	(void)arg;
	open_ring();
	start(send_some);
	start(send_some);
	start(receive_some);
	start(receive_some);
	join_all();
	return 0;
}
