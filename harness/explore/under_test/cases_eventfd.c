/* SPDX-License-Identifier: MIT */
#include "harness/explore/under_test/cases.h"
#include <assert.h>
#include <stdlib.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

static int fd, payload;

static void *announce(void *arg)
{
	payload = 2;
	uint64_t one = 1;
	assert(write(fd, &one, sizeof(one)) == sizeof(one));
	return arg;
}

static void *await(void *arg)
{
	uint64_t count;
	assert(read(fd, &count, sizeof(count)) == sizeof(count) && count == 1);
	outcome = (unsigned)payload;
	return arg;
}

static void *await_poll(void *arg)
{
	struct pollfd polled = {.fd = fd, .events = POLLIN};
	assert(poll(&polled, 1, -1) == 1 && polled.revents == POLLIN);
	return await(arg);
}

static void *await_poll_in_time(void *arg)
{
	struct pollfd polled = {.fd = fd, .events = POLLIN};
	int ready = poll(&polled, 1, 10);
	assert(ready == 0 || polled.revents == POLLIN);
	outcome = (unsigned)ready;
	return arg;
}

static void *await_nonblocking(void *arg)
{
	eventfd_t count;
	outcome = eventfd_read(fd, &count) == 0;
	assert(outcome == 1 || errno == EAGAIN);
	return arg;
}

static void handoff(void)
{
	fd = eventfd(0, EFD_CLOEXEC);
	two_threads(await, announce);
	close(fd);
}

static void handoff_polled(void)
{
	fd = eventfd(0, EFD_CLOEXEC);
	two_threads(await_poll, announce);
	close(fd);
}

static void polled_in_time(void)
{
	fd = eventfd(0, EFD_CLOEXEC);
	two_threads(await_poll_in_time, announce);
	close(fd);
}

static void nonblocking(void)
{
	fd = eventfd(0, 0);
	assert(fcntl(fd, F_GETFL) == O_RDWR);
	assert(fcntl(fd, F_SETFL, O_RDWR | O_NONBLOCK) == 0);
	two_threads(await_nonblocking, announce);
	close(fd);
}

static void counts(void)
{
	eventfd_t count;
	int semaphore = eventfd(2, EFD_SEMAPHORE | EFD_NONBLOCK), counter = eventfd(2, EFD_NONBLOCK);
	assert(eventfd_read(semaphore, &count) == 0 && count == 1);
	assert(eventfd_read(semaphore, &count) == 0 && count == 1);
	assert(eventfd_read(semaphore, &count) == -1 && errno == EAGAIN);
	assert(eventfd_write(counter, 3) == 0);
	assert(eventfd_read(counter, &count) == 0 && count == 5);
	assert(eventfd_write(counter, UINT64_MAX - 1) == 0);
	assert(eventfd_write(counter, 1) == -1 && errno == EAGAIN);
	assert(eventfd_write(counter, UINT64_MAX) == -1 && errno == EINVAL);
	assert(read(counter, &count, 4) == -1 && errno == EINVAL);
	struct pollfd polled[2] = {{.fd = counter, .events = POLLIN | POLLOUT}, {.fd = -1}};
	assert(poll(polled, 2, 0) == 1 && polled[0].revents == POLLIN && polled[1].revents == 0);
	assert(close(counter) == 0);
	assert(eventfd_read(counter, &count) == -1 && errno == EBADF);
	assert(poll(polled, 1, 0) == 1 && polled[0].revents == POLLNVAL);
	assert(close(semaphore) == 0);
	assert(write(STDOUT_FILENO, "", 0) == 0);
}

static void nobody_writes(void)
{
	uint64_t count;
	fd = eventfd(0, 0);
	exit((int)read(fd, &count, sizeof(count)));
}

static void closed_twice(void)
{
	fd = eventfd(0, 0);
	close(fd);
	close(fd);
}

static void reads_a_file(void)
{
	char byte;
	exit((int)read(STDIN_FILENO, &byte, 1));
}

const struct explore_case eventfd_cases[] = {
	RIGHT(handoff, SEEN(2)),
	RIGHT(handoff_polled, SEEN(2)),
	RIGHT(polled_in_time, SEEN(0) | SEEN(1)),
	RIGHT(nonblocking, SEEN(0) | SEEN(1)),
	RIGHT(counts, SEEN(0)),
	WRONG(nobody_writes, EXPLORE_DEADLOCK, "read"),
	WRONG(closed_twice, EXPLORE_DOUBLE_FREE, "close"),
	WRONG(reads_a_file, EXPLORE_UNSUPPORTED, "read of descriptor 0"),
	{0},
};
