/* SPDX-License-Identifier: MIT
 *
 * boost_spsc.cc - Boost.Lockfree's spsc_queue: a ring for one producer and one consumer, with
 * nothing but loads and stores. So neither handle can be cloned. It cannot wait, so full and empty
 * are retried with sched_yield. The capacity is exact (one slot more is made).
 *
 * Choices: the size is given at run time, as the channel's is. Batches are its own push and pop of
 * arrays. Elements: element.hh.
 */
#include "impls/peers/element.hh"

#include <boost/lockfree/spsc_queue.hpp>

namespace
{

template <class Element> struct Spsc {
	using Queue = boost::lockfree::spsc_queue<Element>;
	peers::Channel channel;
	alignas(Queue) unsigned char memory[sizeof(Queue)];

	static const peer_hooks hooks;

	static Queue &queue_of(void *channel)
	{
		return *std::launder(reinterpret_cast<Queue *>(static_cast<Spsc *>(channel)->memory));
	}
	void construct(std::size_t capacity)
	{
		peers::must_fit(capacity, sizeof(Element));
		new (memory) Queue(capacity);
	}
	static chan_status take(void *channel, void *msg)
	{
		Element element;
		if (!queue_of(channel).pop(element))
			return CHAN_EMPTY;
		element.get(static_cast<Spsc *>(channel)->channel.peer, msg);
		return CHAN_OK;
	}
	static void dispose(void *channel)
	{
		queue_of(channel).~Queue();
		peer_free(channel);
	}

	static chan_status push(peer_handle *handle, const void *msg, uint64_t)
	{
		Element element;
		if (!element.put(*handle->peer, msg))
			return CHAN_NOMEM;
		if (queue_of(handle->peer).push(element))
			return CHAN_OK;
		element.drop();
		return CHAN_FULL;
	}
	static chan_status pop(peer_handle *handle, void *msg, uint64_t)
	{
		return take(handle->peer, msg);
	}
	static chan_status send(peer_handle *handle, const void *msg, uint64_t deadline)
	{
		return peer_send(handle, msg, deadline, push, nullptr);
	}
	static chan_status recv(peer_handle *handle, void *msg, uint64_t deadline)
	{
		return peer_recv(handle, msg, deadline, pop, nullptr);
	}
	static chan_status push_some(peer_handle *handle, const void *msgs, size_t n, size_t *done)
	{
		auto push = [handle](const Element *e, size_t k) { return queue_of(handle->peer).push(e, k); };
		return peers::push_many<Element>(*handle->peer, msgs, n, done, push);
	}
	static chan_status pop_some(peer_handle *handle, void *msgs, size_t n, size_t *done)
	{
		auto pop = [handle](Element *e, size_t k) { return queue_of(handle->peer).pop(e, k); };
		return peers::pop_many<Element>(*handle->peer, msgs, n, done, pop);
	}
	static chan_status send_many(peer_handle *handle, const void *msgs, size_t n, size_t *sent, uint64_t deadline)
	{
		return peer_send_many(handle, msgs, n, sent, deadline, push_some);
	}
	static chan_status recv_many(peer_handle *handle, void *msgs, size_t limit, size_t *received, uint64_t deadline)
	{
		return peer_recv_many(handle, msgs, limit, received, deadline, pop_some, nullptr);
	}
};

template <class Element>
const peer_hooks Spsc<Element>::hooks = {take, nullptr, nullptr, nullptr, dispose, nullptr, nullptr};

const chan_mpsc_ops bounded = peers::make_ops<Spsc, true, false, true>();

} // namespace

extern "C" const chan_impl chan_peer_boost_spsc;
const chan_impl chan_peer_boost_spsc = peers::make_impl(
	"boost_spsc", "Boost.Lockfree's spsc_queue: a wait-free ring for one producer and one consumer", CHAN_SPINS,
	&bounded, nullptr, PEER_VERSION, PEER_PACKAGE);
