/* SPDX-License-Identifier: MIT
 *
 * event.h - a file descriptor that tells whether a channel operation would complete: channels in an
 * epoll loop, beside sockets.
 *
 * It serves every implementation that offers readiness. No thread stands behind it and it allocates
 * nothing but the descriptor, an eventfd. Wait for it to be readable, with epoll (level or edge
 * triggered, one shot or not), poll or select; never read or write it yourself.
 *
 *   struct chan_event inbox;
 *   int error = chan_event_open(&inbox, chan_source_recv(ops, rx));
 *   if (error != 0) ...                                         EMFILE and the like, see there
 *   struct epoll_event want = {.events = EPOLLIN, .data.ptr = &inbox};
 *   epoll_ctl(ep, EPOLL_CTL_ADD, inbox.fd, &want);
 *
 *   for (;;) {
 *           epoll_wait(ep, &got, 1, -1);
 *           if (got.data.ptr == &inbox) {
 *                   status = ops->recv(rx, &msg, CHAN_NOW);     once, or some, or until CHAN_EMPTY,
 *                                                               as you like
 *                   if (status == CHAN_OK)
 *                           use(&msg);
 *                   else if (status == CHAN_CLOSED)
 *                           break;
 *                   chan_event_rearm(&inbox);                   after each use, CHAN_EMPTY included
 *           } else ...                                          a socket
 *   }
 *   chan_event_close(&inbox);                                   before the handle is dropped
 *   ops->receiver_drop(&rx);
 *
 * OWNERSHIP. The struct is the caller's, and must stay where it is from open to close. Open makes
 * the descriptor, and close closes it. The event does not own the handle: close the event before
 * the handle is dropped. A rearm and a close are uses of the handle, for the thread that uses it. A
 * channel that is handed from loop to loop goes with its handle. After a fork the child's copy of
 * the descriptor is the same eventfd; the event belongs to the process that opened it.
 *
 * READINESS. After chan_event_open and after each chan_event_rearm the descriptor is readable if
 * and only if the operation would complete at that moment (CHAN_CLOSED and CHAN_LAGGED count), or
 * has been able to since. It then stays readable until the next rearm, also when another thread was
 * faster: a use can give CHAN_EMPTY or CHAN_FULL, and the event is then rearmed as after any other
 * use. So the loop needs no order of its own. Nothing that happens before, during or after a rearm
 * is lost, and what was not used up shows again. The same use may take place at any other time,
 * too; rearm after it.
 *
 * SENDERS. An event on chan_source_send is a queued sender. Once it is readable for a free slot,
 * that slot is this handle's until the next send or reserve through it, or until rearm or close,
 * which pass an unused slot on. Ask for it only while there is something to send: open the event
 * then, and close it after.
 */
#ifndef CHANBENCH_EVENT_H
#define CHANBENCH_EVENT_H

#include "source.h"

#ifdef __cplusplus
extern "C" {
#endif

struct chan_event {
	int fd; /* to wait for, EPOLLIN; close-on-exec, non-blocking */

	/* The rest is the event's. */
	bool armed;
	uint32_t fired; /* written by the wake, atomically */
	struct chan_source source;
	struct chan_waiter waiter;
};

/* Makes the descriptor and arms. Returns 0, or an errno value; then there is nothing to close
 * (fd is -1). ENOTSUP: the implementation does not offer readiness for this operation. EMFILE,
 * ENFILE, ENOMEM: as of eventfd(2). EDEADLK: the call came from inside a callback that must not
 * make it (CALLBACKS in channel.h). */
int chan_event_open(struct chan_event *event, struct chan_source source);

/* Makes the descriptor say what is so now; see READINESS. An event that has not fired keeps its
 * place in the senders' queue. Returns 0, or EDEADLK as above; the descriptor is then readable,
 * so that the loop comes back. */
int chan_event_rearm(struct chan_event *event);

/* Ends the event: passes on what was granted and not used, and closes the descriptor, which
 * takes it out of every epoll set unless it was duplicated. A second close, or one after a
 * failed open, does nothing. */
void chan_event_close(struct chan_event *event);

#ifdef __cplusplus
}
#endif

#endif
