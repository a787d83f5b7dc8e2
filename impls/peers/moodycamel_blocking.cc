/* SPDX-License-Identifier: MIT
 *
 * moodycamel_blocking.cc - moodycamel::BlockingConcurrentQueue: ConcurrentQueue (see moodycamel.cc
 * for its order) and a semaphore that counts its elements, to wait on. Unbounded; any number on
 * both sides.
 *
 * Choices: tokens, wait_dequeue and wait_dequeue_timed (microseconds: rounded up), after
 * try_dequeue. Elements: element.hh. Added: an element that stands for no message, to wake
 * receivers at the end; a byte in each element tells them apart.
 */
#include "impls/peers/element.hh"

#include <blockingconcurrentqueue.h>

namespace
{

template <class Element> struct Blocking {
	struct Slot {
		Element element;
		bool nothing;
	};
	using Queue = moodycamel::BlockingConcurrentQueue<Slot>;
	peers::Channel channel;
	alignas(Queue) unsigned char memory[sizeof(Queue)];

	static const peer_hooks hooks;

	static Queue &queue_of(void *channel)
	{
		return *std::launder(reinterpret_cast<Queue *>(static_cast<Blocking *>(channel)->memory));
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
	static chan_status accept(const peer &of, const Slot &slot, void *msg)
	{
		if (slot.nothing)
			return CHAN_EMPTY;
		slot.element.get(of, msg);
		return CHAN_OK;
	}
	static chan_status take(void *channel, void *msg)
	{
		Slot slot;
		do
			if (!queue_of(channel).try_dequeue(slot))
				return CHAN_EMPTY;
		while (slot.nothing);
		return accept(static_cast<Blocking *>(channel)->channel.peer, slot, msg);
	}
	static void wake_receivers(void *channel)
	{
		queue_of(channel).enqueue(Slot{{}, true});
	}
	static void dispose(void *channel)
	{
		queue_of(channel).~Queue();
		peer_free(channel);
	}

	static chan_status enqueue(peer_handle *handle, const void *msg, uint64_t)
	{
		auto &token = *static_cast<moodycamel::ProducerToken *>(handle->state);
		Slot slot;
		slot.nothing = false;
		if (!slot.element.put(*handle->peer, msg))
			return CHAN_NOMEM;
		if (token.valid() && queue_of(handle->peer).enqueue(token, slot))
			return CHAN_OK;
		slot.element.drop();
		return CHAN_NOMEM;
	}
	static chan_status try_dequeue(peer_handle *handle, void *msg, uint64_t)
	{
		Slot slot;
		do
			if (!queue_of(handle->peer)
			             .try_dequeue(*static_cast<moodycamel::ConsumerToken *>(handle->state), slot))
				return CHAN_EMPTY;
		while (slot.nothing);
		return accept(*handle->peer, slot, msg);
	}
	static chan_status wait_dequeue(peer_handle *handle, void *msg, uint64_t deadline)
	{
		auto &token = *static_cast<moodycamel::ConsumerToken *>(handle->state);
		Queue &queue = queue_of(handle->peer);
		Slot slot;
		if (deadline == CHAN_FOREVER) {
			queue.wait_dequeue(token, slot);
			return accept(*handle->peer, slot, msg);
		}
		uint64_t now = chan_now(), left = deadline > now ? (deadline - now + 999) / 1000 : 0;
		if (!queue.wait_dequeue_timed(token, slot, static_cast<std::int64_t>(left)))
			return CHAN_EMPTY;
		return accept(*handle->peer, slot, msg);
	}
	static chan_status send(peer_handle *handle, const void *msg, uint64_t deadline)
	{
		return peer_send(handle, msg, deadline, enqueue, nullptr);
	}
	static chan_status recv(peer_handle *handle, void *msg, uint64_t deadline)
	{
		return peer_recv(handle, msg, deadline, try_dequeue, wait_dequeue);
	}
};

template <class Element>
const peer_hooks Blocking<Element>::hooks = {take, nullptr, wake_receivers, nullptr, dispose, attach, detach};

const chan_mpsc_ops unbounded = peers::make_ops<Blocking, false>();

} // namespace

extern "C" const chan_impl chan_peer_moodycamel_blocking;
const chan_impl chan_peer_moodycamel_blocking = peers::make_impl(
	"moodycamel_blocking", "moodycamel::BlockingConcurrentQueue: the same with a semaphore to wait on", 0, nullptr,
	&unbounded, PEER_VERSION, PEER_PACKAGE);
