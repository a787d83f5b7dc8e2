/* SPDX-License-Identifier: MIT
 *
 * element.hh - elements for queues that are templates: what is stored has a size that the compiler knows, and the channel's is known
 * only at open. So each C++ adapter is a template over the element, and open picks one of three: exactly 8 bytes, up to 64 bytes
 * (both stored by value), or a box from malloc for what is larger.
 *
 *   bool put(peer, msg)   takes the value over; false: out of memory
 *   void get(peer, msg)   gives the value away
 *   void drop()           undoes put: the value stays with the caller
 */
#ifndef CHANBENCH_PEERS_ELEMENT_HH
#define CHANBENCH_PEERS_ELEMENT_HH

#include "impls/peers/peer.h"

#include <cstdlib>
#include <new>
#include <unistd.h>

namespace peers
{

template <std::size_t N> struct Value {
	unsigned char bytes[N];

	bool put(const peer &of, const void *msg) noexcept
	{
		if (N == 8)
			memcpy(bytes, msg, N);
		else
			chan_layout_copy(&of.layout, bytes, msg);
		return true;
	}
	void get(const peer &of, void *msg) const noexcept
	{
		if (N == 8)
			memcpy(msg, bytes, N);
		else
			chan_layout_copy(&of.layout, msg, bytes);
	}
	void drop() const noexcept
	{
	}
};

struct Box {
	void *box;

	bool put(const peer &of, const void *msg) noexcept
	{
		box = peer_box(&of, msg);
		return box != nullptr;
	}
	void get(const peer &of, void *msg) const noexcept
	{
		peer_unbox(&of, box, msg);
	}
	void drop() const noexcept
	{
		free(box);
	}
};

/* For queues that would fill the machine's memory first and find out then. */
inline void must_fit(std::size_t count, std::size_t each)
{
	auto bytes =
		static_cast<std::size_t>(sysconf(_SC_AVPHYS_PAGES)) * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
	if (count > bytes / each)
		throw std::bad_alloc();
}

/* What every channel of a C++ adapter begins with: the functions for its element. */
struct Channel {
	struct peer peer;
	peer_send_fn *send;
	peer_recv_fn *recv;
};

/* `Of<Element>` is the adapter: a struct that begins with a Channel, and has `hooks`, send, recv, and `construct(capacity)`, which makes
 * its queue and may throw. */
template <class Adapter>
chan_status open_as(const chan_config *config, bool bounded, chan_sender **tx, chan_receiver **rx)
{
	chan_status status;
	auto *adapter =
		static_cast<Adapter *>(peer_new(sizeof(Adapter), config, tx, rx, bounded, &Adapter::hooks, &status));
	if (adapter == nullptr)
		return status;
	adapter->channel.send = Adapter::send;
	adapter->channel.recv = Adapter::recv;
	adapter->channel.peer.capacity = bounded ? config->capacity : 0;
	try {
		adapter->construct(config->capacity);
	} catch (...) { /* bad_alloc, or a length that the queue cannot have */
		return peer_give_up(adapter, CHAN_NOMEM);
	}
	return peer_open(adapter, tx, rx);
}

template <template <class> class Of, bool bounded>
chan_status open(const chan_config *config, chan_sender **tx, chan_receiver **rx)
{
	if (config->size == 8)
		return open_as<Of<Value<8>>>(config, bounded, tx, rx);
	if (config->size <= 64)
		return open_as<Of<Value<64>>>(config, bounded, tx, rx);
	return open_as<Of<Box>>(config, bounded, tx, rx);
}

inline chan_status send(chan_sender *tx, const void *msg, uint64_t deadline)
{
	auto *handle = reinterpret_cast<peer_handle *>(tx);
	return reinterpret_cast<Channel *>(handle->peer)->send(handle, msg, deadline);
}

inline chan_status recv(chan_receiver *rx, void *msg, uint64_t deadline)
{
	auto *handle = reinterpret_cast<peer_handle *>(rx);
	return reinterpret_cast<Channel *>(handle->peer)->recv(handle, msg, deadline);
}

/* `many` of the sides can be cloned. */
template <template <class> class Of, bool bounded, bool many = true> constexpr chan_mpsc_ops make_ops()
{
	chan_mpsc_ops ops{};
	ops.open = open<Of, bounded>;
	ops.send = send;
	ops.recv = recv;
	ops.sender_drop = peer_sender_drop;
	ops.receiver_drop = peer_receiver_drop;
	ops.sender_get = peer_sender_get;
	ops.receiver_get = peer_receiver_get;
	ops.sender_clone = many ? peer_sender_clone : nullptr;
	ops.receiver_clone = many ? peer_receiver_clone : nullptr;
	return ops;
}

constexpr chan_impl make_impl(const char *name, const char *summary, unsigned flags, const chan_mpsc_ops *mpsc,
                              const chan_mpsc_ops *unbounded, const char *version, const char *package)
{
	chan_impl impl{};
	impl.name = name;
	impl.family = name;
	impl.version = version;
	impl.summary = summary;
	impl.flags = CHAN_PEER | flags;
	impl.mpsc = mpsc;
	impl.unbounded = unbounded;
	impl.package = package;
	return impl;
}

} // namespace peers

#endif
