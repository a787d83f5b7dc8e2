/* SPDX-License-Identifier: MIT
 *
 * eventfd.c - eventfd, and read, write, close, fcntl, poll and ppoll on one.
 *
 * Such a descriptor exists in the model only. The numbers begin at FIRST and are used once in an
 * execution, so that using a closed one is found. As ThreadSanitizer has it, a read synchronises
 * with the writes whose count it takes.
 *
 * Writing to descriptors 1 and 2 (a program that prints) is left to libc. Any other file is
 * refused, since it would block all threads or remember earlier executions.
 */
#include "harness/explore/posix/sync.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define FIRST  1000
#define EVENTS 64
#define FULL   (UINT64_MAX - 1) /* the most a counter holds */

struct event {
	bool open, semaphore, nonblocking;
	uint64_t count;
	struct explore_clock clock;
};

static struct event *events[EVENTS];
static unsigned next;

void posix_eventfd_reset(void)
{
	next = 0;
}

/* NULL: not ours. */
static struct event *event_of(int fd)
{
	if (fd < FIRST || (unsigned)(fd - FIRST) >= next)
		return NULL;
	return events[fd - FIRST];
}

/* POLLIN, POLLOUT */
static short readiness(const struct event *event)
{
	if (!event->open)
		return POLLNVAL;
	return (short)((event->count > 0 ? POLLIN : 0) | (event->count < FULL ? POLLOUT : 0));
}

int explored_eventfd(unsigned count, int flags)
{
	sync_inside("eventfd");
	if ((flags & ~(EFD_CLOEXEC | EFD_NONBLOCK | EFD_SEMAPHORE)) != 0)
		return sync_failed(EINVAL);
	if (next == EVENTS)
		explore_fail(EXPLORE_UNSUPPORTED, "eventfd: more than %d in one execution", EVENTS);
	struct event *event = explore_scratch(sizeof(*event));
	event->open = true;
	event->semaphore = flags & EFD_SEMAPHORE;
	event->nonblocking = flags & EFD_NONBLOCK;
	event->count = count;
	events[next] = event;
	return FIRST + (int)next++;
}

static bool may_read(const struct explore_op *op)
{
	const struct event *event = op->state;
	return event->count > 0 || !event->open;
}

static bool may_write(const struct explore_op *op)
{
	const struct event *event = op->state;
	return op->argument <= FULL - event->count || !event->open;
}

/* Waits until `enabled`, or (nonblocking) makes the step anyway. 0, or -1: not possible. */
static int reach(struct event *event, bool (*enabled)(const struct explore_op *), uint64_t argument,
                 const char *function, uintptr_t pc)
{
	if (event == NULL)
		return sync_failed(EBADF);
	struct explore_op op = {.name = function,
	                        .object = event,
	                        .size = sizeof(*event),
	                        .state = event,
	                        .enabled = event->nonblocking ? NULL : enabled,
	                        .argument = argument,
	                        .deadline = EXPLORE_NEVER,
	                        .pc = pc};
	explore_reach(&op);
	if (!event->open)
		return sync_failed(EBADF);
	if (!enabled(&op)) {
		explore_idle();
		return sync_failed(EAGAIN);
	}
	return 0;
}

static int take(int fd, uint64_t *value, const char *function, uintptr_t pc)
{
	struct event *event = event_of(fd);
	if (reach(event, may_read, 0, function, pc) != 0)
		return -1;
	*value = event->semaphore ? 1 : event->count;
	event->count -= *value;
	explore_acquire(&event->clock);
	explore_trace("= %llu", (unsigned long long)*value);
	return 0;
}

static int add(int fd, uint64_t value, const char *function, uintptr_t pc)
{
	struct event *event = event_of(fd);
	if (value == UINT64_MAX)
		return sync_failed(EINVAL);
	if (reach(event, may_write, value, function, pc) != 0)
		return -1;
	event->count += value;
	explore_release(&event->clock);
	return 0;
}

int explored_eventfd_read(int fd, eventfd_t *value)
{
	sync_inside("eventfd_read");
	uint64_t taken;
	if (take(fd, &taken, "eventfd_read", EXPLORE_PC) != 0)
		return -1;
	explore_write(value, sizeof(*value), EXPLORE_PC);
	*value = taken;
	return 0;
}

int explored_eventfd_write(int fd, eventfd_t value)
{
	sync_inside("eventfd_write");
	return add(fd, value, "eventfd_write", EXPLORE_PC);
}

static _Noreturn void refuse(const char *function, int fd)
{
	explore_fail(EXPLORE_UNSUPPORTED, "%s of descriptor %d is not modelled; of eventfds it is", function, fd);
}

ssize_t explored_read(int fd, void *buffer, size_t size)
{
	sync_inside("read");
	if (event_of(fd) == NULL)
		refuse("read", fd);
	if (size < sizeof(uint64_t))
		return sync_failed(EINVAL);
	uint64_t value;
	if (take(fd, &value, "read", EXPLORE_PC) != 0)
		return -1;
	explore_write(buffer, sizeof(value), EXPLORE_PC);
	__builtin_memcpy(buffer, &value, sizeof(value));
	return sizeof(value);
}

ssize_t explored_write(int fd, const void *buffer, size_t size)
{
	if (fd == STDOUT_FILENO || fd == STDERR_FILENO)
		return write(fd, buffer, size);
	sync_inside("write");
	if (event_of(fd) == NULL)
		refuse("write", fd);
	if (size < sizeof(uint64_t))
		return sync_failed(EINVAL);
	uint64_t value;
	explore_read(buffer, sizeof(value), EXPLORE_PC);
	__builtin_memcpy(&value, buffer, sizeof(value));
	return add(fd, value, "write", EXPLORE_PC) == 0 ? (ssize_t)sizeof(value) : -1;
}

static bool always(const struct explore_op *op)
{
	(void)op;
	return true;
}

int explored_close(int fd)
{
	sync_inside("close");
	struct event *event = event_of(fd);
	if (event == NULL)
		refuse("close", fd);
	if (reach(event, always, 0, "close", EXPLORE_PC) != 0)
		explore_fail(EXPLORE_DOUBLE_FREE, "close by T%u of descriptor %d, which is closed", explore_self(), fd);
	event->open = false;
	return 0;
}

int explored_fcntl(int fd, int command, ...)
{
	va_list arguments;
	va_start(arguments, command);
	int flags = va_arg(arguments, int);
	va_end(arguments);
	sync_inside("fcntl");
	struct event *event = event_of(fd);
	if (event == NULL)
		refuse("fcntl", fd);
	if (reach(event, always, 0, "fcntl", EXPLORE_PC) != 0)
		return -1;
	switch (command) {
	case F_GETFL:
		return O_RDWR | (event->nonblocking ? O_NONBLOCK : 0);
	case F_SETFL:
		event->nonblocking = flags & O_NONBLOCK;
		return 0;
	case F_GETFD:
		return FD_CLOEXEC;
	case F_SETFD:
		return 0;
	default:
		explore_fail(EXPLORE_UNSUPPORTED,
		             "fcntl command %d is not modelled; F_GETFL, F_SETFL, F_GETFD, F_SETFD are", command);
	}
}

int explored_fcntl64(int fd, int command, ...) __attribute__((alias("explored_fcntl")));

/* ---- poll ---- */

struct polled {
	struct pollfd *fds;
	nfds_t count;
};

static short happened(const struct pollfd *fd)
{
	if (fd->fd < 0)
		return 0;
	const struct event *event = event_of(fd->fd);
	return event == NULL ? POLLNVAL : (short)(readiness(event) & (fd->events | POLLNVAL));
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
		if (fds[i].fd >= 0 && fds[i].fd < FIRST)
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
	if (timeout != NULL && (!sync_time_valid(timeout) || timeout->tv_sec < 0))
		return sync_failed(EINVAL);
	bool wait = timeout == NULL || timeout->tv_sec > 0 || timeout->tv_nsec > 0;
	uint64_t deadline = timeout == NULL || !wait ? EXPLORE_NEVER : sync_deadline_after(timeout);
	return poll_until(fds, count, wait, deadline, "ppoll", EXPLORE_PC);
}
