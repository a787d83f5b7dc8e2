/* SPDX-License-Identifier: MIT
 *
 * The eventfd's counter is the readiness: 0, or more. It is set to 0 only while no waiter is armed,
 * so no wake can come in between, and armed only after that: what makes the operation ready before
 * the arm is told by CHAN_READY, and what does so after it by the wake.
 */
#include "impls/event.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* Cannot fail: the counter never comes near its end, for each arm adds at most one and is
 * preceded by a drain. */
static void make_readable(int fd)
{
	eventfd_write(fd, 1);
}

/* Runs in whichever operation made this one ready: its errno is not ours to change. */
static void wake(struct chan_waiter *waiter)
{
	struct chan_event *e = (struct chan_event *)(void *)((char *)waiter - offsetof(struct chan_event, waiter));
	int saved = errno;

	__atomic_store_n(&e->fired, 1, __ATOMIC_RELEASE);
	make_readable(e->fd);
	errno = saved;
}

/* Neither armed nor readable before. */
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

	if (event->armed && !__atomic_load_n(&event->fired, __ATOMIC_ACQUIRE))
		return 0; /* still to fire; if it fires now, the descriptor becomes readable now */
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
