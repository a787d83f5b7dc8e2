/* SPDX-License-Identifier: MIT
 *
 * follow.c - one message from a send to its receive, for a look at which files its way leads
 * through: follow IMPL KIND fast|all. It is linked with a library that counts the lines that run
 * (gcov), and counts from just before the way begins to just after it ends.
 *
 *   fast   one message that is sent and received at once
 *   all    also what waits and wakes: a receiver and a sender that block, a close, the drops
 */
#include "impls/channels.h"

#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

void __gcov_reset(void);
void __gcov_dump(void);

static const struct chan_mpsc_ops *ops;
static const struct chan_oneshot_ops *oneshot;
static struct chan_sender *tx;
static struct chan_receiver *rx;

#define MUST(condition)                                                                                                \
	do {                                                                                                           \
		if (!(condition)) {                                                                                    \
			fprintf(stderr, "follow: %s\n", #condition);                                                   \
			_exit(1);                                                                                      \
		}                                                                                                      \
	} while (0)

static void *send_three(void *arg)
{
	uint64_t value = 0;

	(void)arg;
	usleep(50000); /* the receiver sleeps by now; if not, less is seen to run */
	for (; value < 3; value++)
		MUST(ops->send(tx, &value, CHAN_FOREVER) == CHAN_OK);
	ops->sender_drop(&tx);
	return NULL;
}

/* With room for one message the sender waits, too. */
static void all_of_mpsc(void)
{
	uint64_t value;
	pthread_t thread;

	MUST(pthread_create(&thread, NULL, send_three, NULL) == 0);
	for (uint64_t i = 0; i < 3; i++) {
		MUST(ops->recv(rx, &value, CHAN_FOREVER) == CHAN_OK && value == i);
		usleep(50000);
	}
	MUST(ops->recv(rx, &value, CHAN_FOREVER) == CHAN_CLOSED);
	pthread_join(thread, NULL);
	ops->close(rx);
	ops->receiver_drop(&rx);
}

static void mpsc(bool all)
{
	struct chan_config config = {.size = sizeof(uint64_t), .capacity = all ? 1 : 4};
	uint64_t value = 7, received = 0;

	MUST(ops->open(&config, &tx, &rx) == CHAN_OK);
	__gcov_reset();
	MUST(ops->send(tx, &value, CHAN_FOREVER) == CHAN_OK);
	MUST(ops->recv(rx, &received, CHAN_FOREVER) == CHAN_OK && received == value);
	if (all)
		all_of_mpsc();
}

static void one_result(void)
{
	struct chan_config config = {.size = sizeof(uint64_t)};
	uint64_t value = 7, received = 0;

	MUST(oneshot->open(&config, &tx, &rx) == CHAN_OK);
	__gcov_reset();
	MUST(oneshot->send(&tx, &value) == CHAN_OK);
	MUST(oneshot->recv(rx, &received, CHAN_FOREVER) == CHAN_OK && received == value);
}

int main(int argc, char **argv)
{
	const struct chan_impl *impl = NULL;

	for (size_t i = 0; argc == 4 && chan_registry[i] != NULL; i++)
		if (strcmp(chan_registry[i]->name, argv[1]) == 0)
			impl = chan_registry[i];
	MUST(impl != NULL);
	ops = strcmp(argv[2], "unbounded") == 0 ? impl->unbounded : impl->mpsc;
	oneshot = impl->oneshot;
	if (strcmp(argv[2], "oneshot") == 0)
		one_result();
	else
		mpsc(strcmp(argv[3], "all") == 0);
	__gcov_dump();
	_exit(0);
}
