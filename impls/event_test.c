/* SPDX-License-Identifier: MIT */
#include "impls/event.h"
#include "impls/testing/elements.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/resource.h>

static struct pair a;

static int setup(void **state)
{
	(void)state;
	a = pair_open(1);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	pair_close(&a);
	return 0;
}

static bool readable(const struct chan_event *event)
{
	struct pollfd p = {.fd = event->fd, .events = POLLIN};
	MUST(poll(&p, 1, 0) >= 0);
	return p.revents == POLLIN;
}

/* --- readable if and only if it would complete --- */

static void says_what_is_so_after_open_and_rearm(void **state)
{
	(void)state;
	struct chan_event e;
	for (int full = 0; full < 2; full++) {
		if (full)
			put(&a, 1);
		assert_int_equal(chan_event_open(&e, chan_source_recv(impl->mpsc, a.rx)), 0);
		for (int i = 0; i < 3; i++) {
			assert_true(readable(&e) == (full != 0));
			assert_int_equal(chan_event_rearm(&e), 0);
		}
		chan_event_close(&e);
	}
}

static void becomes_readable_and_stays_so_until_rearmed(void **state)
{
	(void)state;
	struct chan_event e;
	assert_int_equal(chan_event_open(&e, chan_source_recv(impl->mpsc, a.rx)), 0);
	for (uint64_t i = 0; i < 10; i++) {
		assert_false(readable(&e));
		errno = EXFULL; /* the wake runs in here */
		assert_int_equal(put(&a, i), CHAN_OK);
		assert_int_equal(errno, EXFULL);
		assert_true(readable(&e));
		assert_int_equal(chan_event_rearm(&e), 0); /* a look, and no use: it still shows */
		assert_true(readable(&e));
		assert_int_equal(take(&a), i);
		assert_true(readable(&e)); /* stale now: the next use would give CHAN_EMPTY */
		assert_int_equal(chan_event_rearm(&e), 0);
	}
	impl->mpsc->sender_drop(&a.tx);
	for (int i = 0; i < 3; i++) {
		assert_true(readable(&e)); /* closed, for good */
		assert_int_equal(chan_event_rearm(&e), 0);
	}
	chan_event_close(&e);
	assert_int_equal(e.fd, -1);
	chan_event_close(&e);
}

static void sees_what_happens_before_the_rearm(void **state)
{
	(void)state;
	struct chan_event e;
	assert_int_equal(chan_event_open(&e, chan_source_recv(impl->mpsc, a.rx)), 0);
	put(&a, 1);
	take(&a);
	put(&a, 2); /* between the use and the rearm */
	assert_int_equal(chan_event_rearm(&e), 0);
	assert_true(readable(&e));
	take(&a);
	assert_int_equal(chan_event_rearm(&e), 0);
	assert_false(readable(&e));
	put(&a, 3); /* after it */
	assert_true(readable(&e));
	chan_event_close(&e);
}

/* --- senders --- */

static struct chan_sender *other_tx;
static enum chan_status other_status;

static void send_blocked(void *arg)
{
	uint64_t nine = 9;
	(void)arg;
	other_status = impl->mpsc->send(other_tx, &nine, CHAN_FOREVER);
}

static void gives_a_sender_its_slot_or_passes_it_on(void **state)
{
	(void)state;
	const uint64_t two = 2;
	if (impl->mpsc->sender_clone == NULL)
		skip();
	assert_int_equal(impl->mpsc->sender_clone(a.tx, &other_tx), CHAN_OK);
	for (int used = 0; used < 2; used++) {
		struct chan_event e;
		struct sleeper s;
		put(&a, 1);
		assert_int_equal(chan_event_open(&e, chan_source_send(impl->mpsc, a.tx)), 0);
		assert_false(readable(&e));
		sleeper_start(&s, send_blocked, NULL);
		sleeper_await(&s);
		assert_int_equal(chan_event_rearm(&e), 0); /* keeps its place before the other */
		assert_int_equal(take(&a), 1);
		assert_true(readable(&e));
		if (used) {
			assert_int_equal(impl->mpsc->send(a.tx, &two, CHAN_NOW), CHAN_OK);
			assert_int_equal(chan_event_rearm(&e), 0);
			assert_false(readable(&e));
			assert_int_equal(take(&a), 2);
			sleeper_join(&s);
		} else {
			chan_event_close(&e);
			sleeper_join(&s);
		}
		assert_int_equal(other_status, CHAN_OK);
		assert_int_equal(take(&a), 9);
		chan_event_close(&e);
		assert_int_equal(put(&a, 3), CHAN_OK);
		assert_int_equal(take(&a), 3);
	}
	impl->mpsc->sender_drop(&other_tx);
}

/* --- errors --- */

static void names_what_is_wrong(void **state)
{
	(void)state;
	struct chan_mpsc_ops poor = *impl->mpsc;
	struct chan_event e;
	struct rlimit before, none;
	poor.arm_recv = NULL;
	assert_int_equal(chan_event_open(&e, chan_source_recv(&poor, a.rx)), ENOTSUP);
	assert_int_equal(e.fd, -1);
	chan_event_close(&e);
	getrlimit(RLIMIT_NOFILE, &before);
	none = before;
	none.rlim_cur = 0;
	setrlimit(RLIMIT_NOFILE, &none);
	int error = chan_event_open(&e, chan_source_recv(impl->mpsc, a.rx));
	setrlimit(RLIMIT_NOFILE, &before);
	assert_int_equal(error, EMFILE);
	assert_int_equal(e.fd, -1);
	chan_event_close(&e);
}

static struct chan_receiver *watch_rx;

static bool open_inside(void *value, void *arg)
{
	struct chan_event e;
	(void)value;
	*(int *)arg = chan_event_open(&e, chan_source_watch_changed(impl->watch, watch_rx));
	MUST(e.fd == -1);
	return false;
}

static void is_refused_inside_a_callback(void **state)
{
	(void)state;
	const struct chan_config config = {.size = sizeof(uint64_t)};
	const uint64_t zero = 0;
	struct chan_sender *tx;
	int error = 0;
	if (impl->watch == NULL || impl->watch->modify == NULL || impl->watch->arm_changed == NULL)
		skip();
	assert_int_equal(impl->watch->open(&config, &zero, &tx, &watch_rx), CHAN_OK);
	assert_int_equal(impl->watch->modify(tx, open_inside, &error, NULL), CHAN_OK);
	assert_int_equal(error, EDEADLK);
	impl->watch->sender_drop(&tx);
	impl->watch->receiver_drop(&watch_rx);
}

/* --- a loop: two channels and a pipe, fed by a thread each --- */

enum { MESSAGES = 5000 };

static struct pair fed[2];
static int feed_pipe[2];

static void feed(void *arg)
{
	struct pair *p = (struct pair *)arg;
	for (uint64_t i = 0; i < MESSAGES; i++)
		MUST(impl->mpsc->send(p->tx, &i, CHAN_FOREVER) == CHAN_OK);
	impl->mpsc->sender_drop(&p->tx);
}

static void feed_bytes(void *arg)
{
	(void)arg;
	for (int i = 0; i < MESSAGES; i++)
		MUST(write(feed_pipe[1], "x", 1) == 1);
	close(feed_pipe[1]);
}

/* One use: up to `limit` messages, in order. True: closed. */
static bool use(struct pair *p, uint64_t *next, int limit)
{
	for (; limit > 0; limit--) {
		uint64_t v;
		enum chan_status status = impl->mpsc->recv(p->rx, &v, CHAN_NOW);
		if (status == CHAN_CLOSED)
			return true;
		if (status == CHAN_EMPTY)
			return false;
		MUST(status == CHAN_OK && v == (*next)++);
	}
	return false;
}

static void run_loop(uint32_t mode, int limit)
{
	struct sleeper feeders[3];
	struct chan_event events[2];
	uint64_t next[2] = {0, 0};
	int bytes = 0, left = 3;
	int ep = epoll_create1(EPOLL_CLOEXEC);

	assert_true(ep >= 0);
	assert_int_equal(pipe2(feed_pipe, O_CLOEXEC), 0);
	for (uint32_t i = 0; i < 2; i++) {
		struct epoll_event want = {.events = EPOLLIN | mode, .data.u32 = i};
		fed[i] = pair_open(i ? 1 : 16);
		assert_int_equal(chan_event_open(&events[i], chan_source_recv(impl->mpsc, fed[i].rx)), 0);
		assert_int_equal(epoll_ctl(ep, EPOLL_CTL_ADD, events[i].fd, &want), 0);
		sleeper_start(&feeders[i], feed, &fed[i]);
	}
	struct epoll_event want = {.events = EPOLLIN, .data.u32 = 2};
	assert_int_equal(epoll_ctl(ep, EPOLL_CTL_ADD, feed_pipe[0], &want), 0);
	sleeper_start(&feeders[2], feed_bytes, NULL);

	while (left > 0) {
		struct epoll_event ready[3];
		int n = epoll_wait(ep, ready, 3, -1); /* or hangs: readiness was lost */
		for (int k = 0; k < n; k++) {
			uint32_t i = ready[k].data.u32;
			if (i == 2) {
				char buffer[64];
				ssize_t got = read(feed_pipe[0], buffer, sizeof buffer);
				bytes += (int)got;
				if (got == 0) {
					left--;
					close(feed_pipe[0]);
				}
			} else if (use(&fed[i], &next[i], limit)) {
				left--;
				chan_event_close(&events[i]);
			} else {
				assert_int_equal(chan_event_rearm(&events[i]), 0);
			}
		}
	}
	for (int i = 0; i < 3; i++)
		sleeper_join(&feeders[i]);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(next[i], MESSAGES);
		pair_close(&fed[i]);
	}
	assert_int_equal(bytes, MESSAGES);
	close(ep);
}

static void serves_a_level_triggered_loop(void **state)
{
	(void)state;
	run_loop(0, 1);
	run_loop(0, 1000);
}

static void serves_an_edge_triggered_loop(void **state)
{
	(void)state;
	run_loop(EPOLLET, 1);
	run_loop(EPOLLET, 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(says_what_is_so_after_open_and_rearm, setup, teardown),
		cmocka_unit_test_setup_teardown(becomes_readable_and_stays_so_until_rearmed, setup, teardown),
		cmocka_unit_test_setup_teardown(sees_what_happens_before_the_rearm, setup, teardown),
		cmocka_unit_test_setup_teardown(gives_a_sender_its_slot_or_passes_it_on, setup, teardown),
		cmocka_unit_test_setup_teardown(names_what_is_wrong, setup, teardown),
		cmocka_unit_test(is_refused_inside_a_callback),
		cmocka_unit_test(serves_a_level_triggered_loop),
		cmocka_unit_test(serves_an_edge_triggered_loop),
	};
	return testing_run(tests, sizeof tests / sizeof tests[0]);
}
