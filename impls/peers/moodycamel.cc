/* SPDX-License-Identifier: MIT
 *
 * moodycamel.cc - moodycamel::ConcurrentQueue: a lock-free queue of blocks for each producer, which
 * consumers visit in turn. Unbounded; any number on both sides. It keeps the order of each producer
 * alone: messages of two producers may overtake each other, whatever happened between them. It
 * cannot wait, so empty is retried with sched_yield.
 *
 * Choices: each handle has its token, as its documentation advises; batches are its own bulk
 * operations. Elements: element.hh. Its try_enqueue, which allocates nothing, is no bound: how much
 * it takes depends on which blocks happen to be free. So the queue is offered as unbounded.
 */
#include "impls/peers/element.hh"

#include <concurrentqueue.h>

namespace
{

template <class Element> struct Moodycamel {
	using Queue = moodycamel::ConcurrentQueue<Element>;
	peers::Channel channel;
	alignas(Queue) unsigned char memory[sizeof(Queue)];

	static const peer_hooks hooks;

	static Queue &queue_of(void *channel)
	{
		return *std::launder(reinterpret_cast<Queue *>(static_cast<Moodycamel *>(channel)->memory));
	}
	void construct(std::size_t)
	{
		new (memory) Queue;
	}
	static chan_status attach(void *channel, peer_handle *handle, bool sender)
	{
		if (sender)
			handle->state = new (std::nothrow) moodycamel::ProducerToken(queue_of(channel));
		else
			handle->state = new (std::nothrow) moodycamel::ConsumerToken(queue_of(channel));
		return handle->state != nullptr ? CHAN_OK : CHAN_NOMEM;
	}
	static void detach(void *, peer_handle *handle, bool sender)
	{
		if (sender)
			delete static_cast<moodycamel::ProducerToken *>(handle->state);
		else
			delete static_cast<moodycamel::ConsumerToken *>(handle->state);
	}
	static chan_status take(void *channel, void *msg)
	{
		Element element;
		if (!queue_of(channel).try_dequeue(element))
			return CHAN_EMPTY;
		element.get(static_cast<Moodycamel *>(channel)->channel.peer, msg);
		return CHAN_OK;
	}
	static void dispose(void *channel)
	{
		queue_of(channel).~Queue();
		peer_free(channel);
	}

	static chan_status enqueue(peer_handle *handle, const void *msg, uint64_t)
	{
		auto &token = *static_cast<moodycamel::ProducerToken *>(handle->state);
		Element element;
		if (!element.put(*handle->peer, msg))
			return CHAN_NOMEM;
		if (token.valid() && queue_of(handle->peer).enqueue(token, element))
			return CHAN_OK;
		element.drop();
		return CHAN_NOMEM;
	}
	static chan_status try_dequeue(peer_handle *handle, void *msg, uint64_t)
	{
		Element element;
		if (!queue_of(handle->peer)
		             .try_dequeue(*static_cast<moodycamel::ConsumerToken *>(handle->state), element))
			return CHAN_EMPTY;
		element.get(*handle->peer, msg);
		return CHAN_OK;
	}
	static chan_status send(peer_handle *handle, const void *msg, uint64_t deadline)
	{
		return peer_send(handle, msg, deadline, enqueue, nullptr);
	}
	static chan_status recv(peer_handle *handle, void *msg, uint64_t deadline)
	{
		return peer_recv(handle, msg, deadline, try_dequeue, nullptr);
	}
	static chan_status enqueue_bulk(peer_handle *handle, const void *msgs, size_t n, size_t *done)
	{
		auto push = [handle](Element *e, size_t k) {
			auto &token = *static_cast<moodycamel::ProducerToken *>(handle->state);
			return token.valid() && queue_of(handle->peer).enqueue_bulk(token, e, k) ? k : 0;
		};
		size_t before = *done;
		chan_status status = peers::push_many<Element>(*handle->peer, msgs, n, done, push);
		/* it is never full */
		return status == CHAN_OK && *done - before < n ? CHAN_NOMEM : status;
	}
	static chan_status dequeue_bulk(peer_handle *handle, void *msgs, size_t n, size_t *done)
	{
		auto pop = [handle](Element *e, size_t k) {
			auto &token = *static_cast<moodycamel::ConsumerToken *>(handle->state);
			return queue_of(handle->peer).try_dequeue_bulk(token, e, k);
		};
		return peers::pop_many<Element>(*handle->peer, msgs, n, done, pop);
	}
	static chan_status send_many(peer_handle *handle, const void *msgs, size_t n, size_t *sent, uint64_t deadline)
	{
		return peer_send_many(handle, msgs, n, sent, deadline, enqueue_bulk);
	}
	static chan_status recv_many(peer_handle *handle, void *msgs, size_t limit, size_t *received, uint64_t deadline)
	{
		return peer_recv_many(handle, msgs, limit, received, deadline, dequeue_bulk, nullptr);
	}
};

template <class Element>
const peer_hooks Moodycamel<Element>::hooks = {take, nullptr, nullptr, nullptr, dispose, attach, detach};

const chan_mpsc_ops unbounded = peers::make_ops<Moodycamel, false, true, true>();

} // namespace

extern "C" const chan_impl chan_peer_moodycamel;
const chan_impl chan_peer_moodycamel =
	peers::make_impl("moodycamel", "moodycamel::ConcurrentQueue: a lock-free queue of blocks for each producer",
                         CHAN_SPINS, nullptr, &unbounded, PEER_VERSION, PEER_PACKAGE);
