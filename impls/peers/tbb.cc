/* SPDX-License-Identifier: MIT
 *
 * tbb.cc - oneTBB's concurrent_bounded_queue: an array of micro-queues, and monitors to wait on.
 * Any number on both sides; the capacity is exact (set_capacity).
 *
 * Choices: push and pop wait, after their try forms. There is no waiting with a deadline, so that
 * is retried with sched_yield. Elements: element.hh. Added: at the end abort() wakes the threads
 * that block, and throws user_abort in them.
 */
#include "impls/peers/element.hh"

#include <tbb/concurrent_queue.h>

namespace
{

template <class Element> struct Tbb {
	using Queue = tbb::concurrent_bounded_queue<Element>;
	peers::Channel channel;
	alignas(Queue) unsigned char memory[sizeof(Queue)];

	static const peer_hooks hooks;

	Queue &queue()
	{
		return *std::launder(reinterpret_cast<Queue *>(memory));
	}
	static Tbb &of(void *channel)
	{
		return *static_cast<Tbb *>(channel);
	}
	void construct(std::size_t capacity)
	{
		new (memory) Queue;
		queue().set_capacity(static_cast<typename Queue::size_type>(capacity));
	}
	static chan_status take(void *channel, void *msg)
	{
		Element element{};
		if (!of(channel).queue().try_pop(element))
			return CHAN_EMPTY;
		element.get(of(channel).channel.peer, msg);
		return CHAN_OK;
	}
	static void wake(void *channel)
	{
		of(channel).queue().abort();
	}
	static void dispose(void *channel)
	{
		of(channel).queue().~Queue();
		peer_free(channel);
	}

	template <bool wait> static chan_status push(peer_handle *handle, const void *msg, uint64_t deadline)
	{
		Element element{};
		if (!element.put(*handle->peer, msg))
			return CHAN_NOMEM;
		chan_status status = CHAN_FULL;
		try {
			if (wait && deadline == CHAN_FOREVER) {
				of(handle->peer).queue().push(element);
				return CHAN_OK;
			}
			if (wait)
				sched_yield();
			else if (of(handle->peer).queue().try_push(element))
				return CHAN_OK;
		} catch (const tbb::user_abort &) {
		} catch (...) {
			status = CHAN_NOMEM;
		}
		element.drop();
		return status;
	}
	static chan_status try_pop(peer_handle *handle, void *msg, uint64_t)
	{
		return take(handle->peer, msg);
	}
	static chan_status pop(peer_handle *handle, void *msg, uint64_t deadline)
	{
		if (deadline != CHAN_FOREVER) {
			sched_yield();
			return CHAN_EMPTY;
		}
		Element element{};
		try {
			of(handle->peer).queue().pop(element);
		} catch (const tbb::user_abort &) {
			return CHAN_EMPTY;
		}
		element.get(*handle->peer, msg);
		return CHAN_OK;
	}
	static chan_status send(peer_handle *handle, const void *msg, uint64_t deadline)
	{
		return peer_send(handle, msg, deadline, push<false>, push<true>);
	}
	static chan_status recv(peer_handle *handle, void *msg, uint64_t deadline)
	{
		return peer_recv(handle, msg, deadline, try_pop, pop);
	}
};

template <class Element> const peer_hooks Tbb<Element>::hooks = {take, wake, wake, nullptr, dispose, nullptr, nullptr};

const chan_mpsc_ops bounded = peers::make_ops<Tbb, true>();

} // namespace

extern "C" const chan_impl chan_peer_tbb;
const chan_impl chan_peer_tbb =
	peers::make_impl("tbb", "oneTBB's concurrent_bounded_queue: an array of micro-queues, and monitors to wait on",
                         CHAN_UNCOUNTED, &bounded, nullptr, PEER_VERSION, PEER_PACKAGE);
