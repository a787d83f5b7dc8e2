/* SPDX-License-Identifier: MIT
 *
 * boost_lockfree.cc - Boost.Lockfree's queue: the linked queue of Michael and Scott, with a free
 * list of nodes. Any number on both sides. It cannot wait, so full and empty are retried with
 * sched_yield.
 *
 * Choices: bounded: a free list of exactly the capacity, and bounded_push, which takes nodes from
 * nowhere else. Unbounded: push, which allocates when the free list is empty. Elements: element.hh.
 */
#include "impls/peers/element.hh"

#include <boost/lockfree/queue.hpp>

namespace
{

template <class Element, bool bounded> struct Lockfree {
	using Queue = boost::lockfree::queue<Element>;
	peers::Channel channel;
	alignas(Queue) unsigned char memory[sizeof(Queue)];

	static const peer_hooks hooks;

	static Queue &queue_of(void *channel)
	{
		return *std::launder(reinterpret_cast<Queue *>(static_cast<Lockfree *>(channel)->memory));
	}
	void construct(std::size_t capacity)
	{
		/* It makes the nodes one by one, each with cache lines of its own. */
		if (bounded)
			peers::must_fit(capacity, (sizeof(Element) + sizeof(void *) + 63) / 64 * 64);
		new (memory) Queue(bounded ? capacity : 0);
	}
	static chan_status take(void *channel, void *msg)
	{
		Element element;
		if (!queue_of(channel).pop(element))
			return CHAN_EMPTY;
		element.get(static_cast<Lockfree *>(channel)->channel.peer, msg);
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
		chan_status status = bounded ? CHAN_FULL : CHAN_NOMEM;
		try {
			Queue &queue = queue_of(handle->peer);
			if (bounded ? queue.bounded_push(element) : queue.push(element))
				return CHAN_OK;
		} catch (...) {
			status = CHAN_NOMEM;
		}
		element.drop();
		return status;
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
};

template <class Element, bool bounded>
const peer_hooks Lockfree<Element, bounded>::hooks = {take, nullptr, nullptr, nullptr, dispose, nullptr, nullptr};

template <class Element> using Bounded = Lockfree<Element, true>;
template <class Element> using Unbounded = Lockfree<Element, false>;

const chan_mpsc_ops bounded_ops = peers::make_ops<Bounded, true>();
const chan_mpsc_ops unbounded_ops = peers::make_ops<Unbounded, false>();

} // namespace

extern "C" const chan_impl chan_peer_boost_lockfree;
const chan_impl chan_peer_boost_lockfree =
	peers::make_impl("boost_lockfree", "Boost.Lockfree's queue: the linked queue of Michael and Scott, 1996",
                         CHAN_SPINS, &bounded_ops, &unbounded_ops, PEER_VERSION, PEER_PACKAGE);
