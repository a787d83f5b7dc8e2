/* SPDX-License-Identifier: MIT
 *
 * event.c - a file descriptor that is readable when a channel operation would complete.
 *
 * The counter of the eventfd is the readiness: 0, or more.
 *   1  rearm   disarms the waiter, sets the counter to 0, and arms again
 *   2  arm     CHAN_READY: adds 1 to the counter; CHAN_ARMED: leaves it to the wake
 *   3  wake    adds 1 to the counter
 *
 * WHY NO WAKE IS LOST. The counter is set to 0 only while no waiter is armed, so no wake can come
 * in between. The arm comes after that. What makes the operation ready before the arm is told by
 * CHAN_READY, and what makes it ready after the arm is told by the wake.
 *
 * ORDER
 *   A1 -> R1  the wake sets `fired` (release) -> rearm reads it (acquire).
 */
#include "impls/event.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* It cannot fail: each arm adds at most one and comes after a drain, so the counter never comes
 * near its end. */
static void make_readable(int fd)
{
	eventfd_write(fd, 1);
}

/* Runs inside the operation that made this one ready, whose errno must not change. */
static void wake(struct chan_waiter *waiter)
{
	struct chan_event *e = (struct chan_event *)(void *)((char *)waiter - offsetof(struct chan_event, waiter));
	int saved = errno;

	__atomic_store_n(&e->fired, 1, __ATOMIC_RELEASE); /* A1: before it is readable */
	make_readable(e->fd);
	errno = saved;
}

/* Called while the event is neither armed nor readable. */
static int arm(struct chan_event *e)
{
	e->fired = 0;
	switch (chan_source_arm(&e->source, &e->waiter)) {
	case CHAN_ARMED:
		e->armed = true;
		return 0;
	case CHAN_READY:
		make_readable(e->fd);
		return 0;
	case CHAN_NOT_ARMED:
		break;
	}
	make_readable(e->fd);
	return EDEADLK;
}

static void disarm(struct chan_event *e)
{
	if (e->armed)
		chan_source_disarm(&e->source, &e->waiter);
	e->armed = false;
}

int chan_event_open(struct chan_event *event, struct chan_source source)
{
	int error = ENOTSUP;

	*event = (struct chan_event){.fd = -1, .source = source, .waiter.wake = wake};
	if (!chan_source_offered(&source))
		return error;
	event->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (event->fd < 0)
		return errno;
	error = arm(event);
	if (error != 0)
		chan_event_close(event);
	return error;
}

int chan_event_rearm(struct chan_event *event)
{
	eventfd_t count;

	/* R1: the wake is over */
	if (event->armed && !__atomic_load_n(&event->fired, __ATOMIC_ACQUIRE))
		/* it has still to fire; if it fires now, the descriptor becomes readable now */
		return 0;
	disarm(event);
	eventfd_read(event->fd, &count);
	return arm(event);
}

void chan_event_close(struct chan_event *event)
{
	if (event->fd < 0)
		return;
	disarm(event);
	close(event->fd);
	event->fd = -1;
}
