/* SPDX-License-Identifier: MIT
 *
 * posix_poll.c - poll and ppoll on eventfds.
 */
#include "harness/explore/posix/sync.h"
#include <errno.h>
#include <poll.h>
#include <signal.h>

struct polled {
	struct pollfd *fds;
	nfds_t count;
};

static short happened(const struct pollfd *fd)
{
	if (fd->fd < 0)
		return 0;
	const struct posix_eventfd *event = posix_eventfd_of(fd->fd);
	return event == NULL ? POLLNVAL : (short)(posix_eventfd_ready(event) & (fd->events | POLLNVAL));
}

static bool any_ready(const struct explore_op *op)
{
	const struct polled *polled = op->state;
	for (nfds_t i = 0; i < polled->count; i++) {
		if (happened(&polled->fds[i]) != 0)
			return true;
	}
	return false;
}

/* `wait`: else it looks once. The deadline is EXPLORE_NEVER or that of the wait. */
static int poll_until(struct pollfd *fds, nfds_t count, bool wait, uint64_t deadline, const char *function,
                      uintptr_t pc)
{
	for (nfds_t i = 0; i < count; i++) {
		if (fds[i].fd >= 0 && fds[i].fd < POSIX_EVENTFD_FIRST)
			explore_fail(EXPLORE_UNSUPPORTED, "%s of descriptor %d is not modelled; of eventfds it is",
			             function, fds[i].fd);
	}
	explore_write(fds, count * sizeof(*fds), pc);
	struct polled polled = {fds, count};
	struct explore_op op = {.name = function,
	                        .flags = EXPLORE_ANY,
	                        .enabled = wait ? any_ready : NULL,
	                        .state = &polled,
	                        .deadline = deadline,
	                        .pc = pc};
	explore_reach(&op);
	int ready = 0;
	for (nfds_t i = 0; i < count; i++) {
		fds[i].revents = happened(&fds[i]);
		ready += fds[i].revents != 0;
	}
	if (ready == 0)
		explore_idle();
	return ready;
}

int explored_poll(struct pollfd *fds, nfds_t count, int timeout)
{
	sync_inside("poll");
	uint64_t deadline = timeout <= 0 ? EXPLORE_NEVER : explore_clock_now() + (uint64_t)timeout * 1000000;
	return poll_until(fds, count, timeout != 0, deadline, "poll", EXPLORE_PC);
}

int explored_ppoll(struct pollfd *fds, nfds_t count, const struct timespec *timeout, const sigset_t *mask)
{
	(void)mask; /* no signals come */
	sync_inside("ppoll");
	if (timeout != NULL && (!sync_time_valid(timeout) || timeout->tv_sec < 0)) {
		errno = EINVAL;
		return -1;
	}
	bool wait = timeout == NULL || timeout->tv_sec > 0 || timeout->tv_nsec > 0;
	uint64_t deadline = timeout == NULL || !wait ? EXPLORE_NEVER : sync_deadline_after(timeout);
	return poll_until(fds, count, wait, deadline, "ppoll", EXPLORE_PC);
}
