/* SPDX-License-Identifier: MIT
 *
 * element.hh - elements for queues that are templates: what is stored has a size that the compiler
 * knows, and the channel's is known only at open. So each C++ adapter is a template over the
 * element, and open picks one of three: exactly 8 bytes, up to 64 bytes (both stored by value), or
 * a box from malloc for what is larger.
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
			peer_copy(&of, bytes, msg);
		return true;
	}
	void get(const peer &of, void *msg) const noexcept
	{
		if (N == 8)
			memcpy(msg, bytes, N);
		else
			peer_copy(&of, msg, bytes);
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
	chan_status (*send_many)(peer_handle *handle, const void *msgs, size_t n, size_t *sent, uint64_t deadline);
	chan_status (*recv_many)(peer_handle *handle, void *msgs, size_t limit, size_t *received, uint64_t deadline);
};

/* Batches go through this many elements at a time, in the caller's frame. */
constexpr std::size_t AT_ONCE = 64;

/* push(elements, n) is the library's: how many it took, the first ones. */
template <class Element, class Push>
chan_status push_many(const peer &of, const void *msgs, size_t n, size_t *done, Push push)
{
	Element elements[AT_ONCE];
	for (size_t size = of.layout.size, at = 0; at < n;) {
		size_t made = 0, want = n - at < AT_ONCE ? n - at : AT_ONCE;
		while (made < want && elements[made].put(of, static_cast<const char *>(msgs) + (at + made) * size))
			made++;
		size_t pushed = made != 0 ? push(elements, made) : 0;
		for (size_t i = pushed; i < made; i++)
			elements[i].drop();
		*done += pushed;
		at += pushed;
		if (pushed < made)
			return CHAN_OK; /* full */
		if (made < want)
			return CHAN_NOMEM;
	}
	return CHAN_OK;
}

/* pop(elements, n) is the library's: how many it gave. */
template <class Element, class Pop> chan_status pop_many(const peer &of, void *msgs, size_t n, size_t *done, Pop pop)
{
	Element elements[AT_ONCE];
	for (size_t size = of.layout.size, at = 0; at < n;) {
		size_t want = n - at < AT_ONCE ? n - at : AT_ONCE, popped = pop(elements, want);
		for (size_t i = 0; i < popped; i++)
			elements[i].get(of, static_cast<char *>(msgs) + (at + i) * size);
		*done += popped;
		at += popped;
		if (popped < want)
			break;
	}
	return CHAN_OK;
}

/* `Of<Element>` is the adapter: a struct that begins with a Channel, and has `hooks`, send,
 * recv, and `construct(capacity)`, which makes its queue and may throw; send_many and recv_many
 * where the library has batches. */
template <class Adapter> auto set_many(Adapter *adapter, int) -> decltype(&Adapter::send_many, void())
{
	adapter->channel.send_many = Adapter::send_many;
	adapter->channel.recv_many = Adapter::recv_many;
}
template <class Adapter> void set_many(Adapter *, long)
{
}

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
	set_many(adapter, 0);
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

inline chan_status send_many(chan_sender *tx, const void *msgs, size_t n, size_t *sent, uint64_t deadline)
{
	auto *handle = reinterpret_cast<peer_handle *>(tx);
	return reinterpret_cast<Channel *>(handle->peer)->send_many(handle, msgs, n, sent, deadline);
}

inline chan_status recv_many(chan_receiver *rx, void *msgs, size_t limit, size_t *received, uint64_t deadline)
{
	auto *handle = reinterpret_cast<peer_handle *>(rx);
	return reinterpret_cast<Channel *>(handle->peer)->recv_many(handle, msgs, limit, received, deadline);
}

/* `many` of the sides can be cloned; `batches`: the library has them. */
template <template <class> class Of, bool bounded, bool many = true, bool batches = false>
constexpr chan_mpsc_ops make_ops()
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
	ops.send_many = batches ? send_many : nullptr;
	ops.recv_many = batches ? recv_many : nullptr;
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
