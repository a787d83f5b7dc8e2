/* SPDX-License-Identifier: MIT
 *
 * mpsc.c - what each operation of an mpsc or unbounded channel does.
 */
#include "fuzz/model/mpsc.h"

#include <string.h>

/* ------------------------------------------------------------------------------------------
 * The state as data
 */

void mpsc_model_open(struct mpsc_model *m, size_t capacity)
{
	m->capacity = capacity;
	m->permits = 0;
	m->senders = m->receivers = 1;
	m->weaks = 0;
	m->closed = false;
	m->waiter_count = 0;
	m->len = 0;
}

void mpsc_model_copy(struct mpsc_model *to, const struct mpsc_model *from)
{
	to->capacity = from->capacity;
	to->permits = from->permits;
	to->senders = from->senders;
	to->weaks = from->weaks;
	to->receivers = from->receivers;
	to->closed = from->closed;
	to->waiter_count = from->waiter_count;
	memcpy(to->waiters, from->waiters, from->waiter_count * sizeof *from->waiters);
	to->len = from->len;
	memcpy(to->messages, from->messages, from->len * sizeof *from->messages);
}

static bool waiters_equal(const struct mpsc_model_waiter *a, const struct mpsc_model_waiter *b)
{
	return a->number == b->number && a->handle == b->handle && a->event == b->event && a->fired == b->fired &&
	       a->owed == b->owed;
}

bool mpsc_model_equal(const struct mpsc_model *a, const struct mpsc_model *b)
{
	if (a->capacity != b->capacity || a->permits != b->permits || a->senders != b->senders ||
	    a->weaks != b->weaks || a->receivers != b->receivers || a->closed != b->closed ||
	    a->waiter_count != b->waiter_count || a->len != b->len)
		return false;
	for (size_t i = 0; i < a->waiter_count; i++)
		if (!waiters_equal(&a->waiters[i], &b->waiters[i]))
			return false;
	return memcmp(a->messages, b->messages, a->len * sizeof *a->messages) == 0;
}

static uint64_t mix(uint64_t hash, uint64_t value)
{
	hash = (hash ^ value) * 0x9e3779b97f4a7c15u;
	return hash ^ hash >> 29;
}

uint64_t mpsc_model_hash(const struct mpsc_model *m)
{
	uint64_t hash = mix(m->capacity, m->permits);
	hash = mix(hash, m->senders);
	hash = mix(hash, m->weaks);
	hash = mix(hash, m->receivers);
	hash = mix(hash, m->closed);
	for (size_t i = 0; i < m->waiter_count; i++) {
		const struct mpsc_model_waiter *w = &m->waiters[i];

		hash = mix(hash, (uint64_t)w->number << 34 | (uint64_t)w->event << 32 | w->handle);
		hash = mix(hash, (uint64_t)w->fired << 1 | w->owed);
	}
	for (size_t i = 0; i < m->len; i++)
		hash = mix(hash, m->messages[i]);
	return hash;
}

/* ------------------------------------------------------------------------------------------
 * What each operation does
 */

/* Waiters for an event: those that still wait, or (`owed`) those that fired and did not use it. */
static size_t waiting(const struct mpsc_model *m, enum mpsc_model_event event)
{
	size_t n = 0;
	for (size_t i = 0; i < m->waiter_count; i++)
		n += m->waiters[i].event == event && !m->waiters[i].fired;
	return n;
}

static size_t owed(const struct mpsc_model *m, enum mpsc_model_event event)
{
	size_t n = 0;
	for (size_t i = 0; i < m->waiter_count; i++)
		n += m->waiters[i].event == event && m->waiters[i].owed;
	return n;
}

size_t mpsc_model_owned(const struct mpsc_model *m, unsigned tx)
{
	size_t n = 0;
	for (size_t i = 0; i < m->waiter_count; i++)
		n += m->waiters[i].event == MPSC_WAITS_FOR_SLOT && m->waiters[i].handle == tx && m->waiters[i].owed;
	return n;
}

size_t mpsc_model_free(const struct mpsc_model *m)
{
	return m->capacity == 0 ? SIZE_MAX : m->capacity - m->len - m->permits - owed(m, MPSC_WAITS_FOR_SLOT);
}

bool mpsc_model_idle(const struct mpsc_model *m)
{
	return m->len == 0 && m->permits == 0 && owed(m, MPSC_WAITS_FOR_SLOT) == 0;
}

bool mpsc_model_ended(const struct mpsc_model *m)
{
	return m->len == 0 && (m->senders == 0 || (m->closed && mpsc_model_idle(m)));
}

/* ------------------------------------------------------------------------------------------
 * Waiters
 */

/* The waiter with that number if it waits for that event, else NULL. */
static struct mpsc_model_waiter *waits(struct mpsc_model *m, unsigned number, enum mpsc_model_event event)
{
	for (size_t i = 0; i < m->waiter_count; i++)
		if (m->waiters[i].number == number && m->waiters[i].event == event && !m->waiters[i].fired)
			return &m->waiters[i];
	return NULL;
}

/* The waiter for that event that was seen to fire; NULL: none. */
static struct mpsc_model_waiter *seen(struct mpsc_model *m, const struct model_step *step, enum mpsc_model_event event)
{
	for (size_t i = 0; i < step->seen.fired_count; i++) {
		struct mpsc_model_waiter *w = waits(m, step->seen.fired[i], event);

		if (w != NULL)
			return w;
	}
	return NULL;
}

/* Who has waited for that event for the longest time; somebody does. */
static struct mpsc_model_waiter *first(struct mpsc_model *m, enum mpsc_model_event event)
{
	size_t i = 0;
	while (m->waiters[i].event != event || m->waiters[i].fired)
		i++;
	return &m->waiters[i];
}

static void fire(struct model_step *step, struct mpsc_model_waiter *w, bool owed_now, bool in_turn)
{
	w->fired = true;
	w->owed = owed_now;
	expect_fired(step, w->number, in_turn);
}

static void fire_all(struct mpsc_model *m, struct model_step *step, enum mpsc_model_event event)
{
	while (waiting(m, event) > 0)
		fire(step, first(m, event), false, false);
}

/* Free slots go to those who wait for one, in turn (M-22, M-23), and who waits for the end of a
 * closed channel is told of it (M-50, M-51). After slots were given back. */
static void slots_came_back(struct mpsc_model *m, struct model_step *step)
{
	while (waiting(m, MPSC_WAITS_FOR_SLOT) > 0 && mpsc_model_free(m) > 0) {
		struct mpsc_model_waiter *w = step->any_turn ? seen(m, step, MPSC_WAITS_FOR_SLOT) : NULL;

		fire(step, w != NULL ? w : first(m, MPSC_WAITS_FOR_SLOT), true, !step->any_turn);
	}
	if (m->closed && mpsc_model_ended(m))
		fire_all(m, step, MPSC_WAITS_FOR_MESSAGE);
}

/* `n` wakes for messages came: n messages, or waiters that had one and gave up (P-4, P-5). At
 * most so many receivers are woken, any of those who wait; and at least so many that no message
 * is there for which nobody is awake. */
static void wake_receivers(struct mpsc_model *m, struct model_step *step, size_t n)
{
	for (; n > 0 && m->len > 0 && waiting(m, MPSC_WAITS_FOR_MESSAGE) > 0; n--) {
		struct mpsc_model_waiter *w = seen(m, step, MPSC_WAITS_FOR_MESSAGE);

		if (w == NULL && m->len <= owed(m, MPSC_WAITS_FOR_MESSAGE))
			return;
		fire(step, w != NULL ? w : first(m, MPSC_WAITS_FOR_MESSAGE), true, false);
	}
}

/* A handle uses up to `n` of what its waiters fired for. Returns how many. */
static size_t use(struct mpsc_model *m, unsigned handle, enum mpsc_model_event event, size_t n)
{
	size_t used = 0;
	for (size_t i = 0; i < m->waiter_count && used < n; i++) {
		struct mpsc_model_waiter *w = &m->waiters[i];

		if (w->handle == handle && w->event == event && w->owed) {
			w->owed = false;
			used++;
		}
	}
	return used;
}

static void forget(struct mpsc_model *m, size_t i)
{
	m->waiter_count--;
	memmove(&m->waiters[i], &m->waiters[i + 1], (m->waiter_count - i) * sizeof *m->waiters);
}

/* Ends all registrations of a sender (those for slots and for the close), or of a receiver;
 * returns how many were owed something. */
static size_t forget_all(struct mpsc_model *m, unsigned handle, bool receiver)
{
	size_t unused = 0;
	for (size_t i = m->waiter_count; i-- > 0;) {
		const struct mpsc_model_waiter *w = &m->waiters[i];

		if (w->handle != handle || (w->event == MPSC_WAITS_FOR_MESSAGE) != receiver)
			continue;
		unused += receiver ? w->fired : w->owed;
		forget(m, i);
	}
	return unused;
}

static enum chan_arm arm(struct mpsc_model *m, unsigned handle, unsigned number, enum mpsc_model_event event)
{
	m->waiters[m->waiter_count++] = (struct mpsc_model_waiter){.number = number, .handle = handle, .event = event};
	return CHAN_ARMED;
}

enum chan_arm mpsc_model_arm_send(struct mpsc_model *m, unsigned tx, unsigned waiter)
{
	if (m->closed || mpsc_model_free(m) > 0 || mpsc_model_owned(m, tx) > 0)
		return CHAN_READY;
	return arm(m, tx, waiter, MPSC_WAITS_FOR_SLOT);
}

enum chan_arm mpsc_model_arm_recv(struct mpsc_model *m, unsigned rx, unsigned waiter)
{
	if (m->len > 0 || mpsc_model_ended(m))
		return CHAN_READY;
	return arm(m, rx, waiter, MPSC_WAITS_FOR_MESSAGE);
}

enum chan_arm mpsc_model_arm_closed(struct mpsc_model *m, unsigned tx, unsigned waiter)
{
	return m->closed ? CHAN_READY : arm(m, tx, waiter, MPSC_WAITS_FOR_CLOSE);
}

bool mpsc_model_disarm(struct mpsc_model *m, struct model_step *step, unsigned waiter)
{
	size_t i = 0;
	while (m->waiters[i].number != waiter)
		i++;
	const struct mpsc_model_waiter w = m->waiters[i];
	forget(m, i);
	if (w.owed && w.event == MPSC_WAITS_FOR_SLOT)
		slots_came_back(m, step); /* M-26 */
	/* P-5. Whether the wake was used need not be known: one wake too many is none too few. */
	if (w.fired && w.event == MPSC_WAITS_FOR_MESSAGE)
		wake_receivers(m, step, 1);
	return w.fired;
}

/* ------------------------------------------------------------------------------------------
 * Messages
 */

static uint64_t pop(struct mpsc_model *m)
{
	uint64_t message = m->messages[0];
	m->len--;
	memmove(m->messages, m->messages + 1, m->len * sizeof *m->messages);
	return message;
}

/* What nobody will receive is destroyed: with the last receiver all that is there (D-2), with
 * the last handle the rest (D-4). What permits send in between is destroyed at once or at any
 * time until then (M-37): as was seen. */
static void destroy_unwanted(struct mpsc_model *m, struct model_step *step)
{
	bool freed = m->senders + m->weaks + m->receivers == 0;
	while (m->len > 0 && (freed || step->expected.destroyed_count < step->seen.destroyed_count))
		expect_destroyed(step, pop(m));
}

static void push(struct mpsc_model *m, struct model_step *step, uint64_t message)
{
	m->messages[m->len++] = message;
	wake_receivers(m, step, 1);
	if (m->receivers == 0)
		destroy_unwanted(m, step);
}

static enum chan_status would_block(uint64_t deadline, enum chan_status now)
{
	return deadline == CHAN_NOW ? now : CHAN_TIMEOUT;
}

/* Takes `n` slots for a sender, all or none; those that its waiters own first. A channel found
 * closed takes these back (M-33). */
static enum chan_status acquire(struct mpsc_model *m, struct model_step *step, unsigned tx, size_t n, uint64_t deadline)
{
	size_t owned = mpsc_model_owned(m, tx);
	if (m->closed) {
		if (use(m, tx, MPSC_WAITS_FOR_SLOT, owned) > 0)
			slots_came_back(m, step);
		return CHAN_CLOSED;
	}
	if (n > owned && n - owned > mpsc_model_free(m))
		return would_block(deadline, CHAN_FULL);
	use(m, tx, MPSC_WAITS_FOR_SLOT, n);
	return CHAN_OK;
}

enum chan_status mpsc_model_send(struct mpsc_model *m, struct model_step *step, unsigned tx, uint64_t message,
                                 uint64_t deadline)
{
	size_t sent;
	return mpsc_model_send_many(m, step, tx, message, 1, 0, &sent, deadline);
}

enum chan_status mpsc_model_send_many(struct mpsc_model *m, struct model_step *step, unsigned tx,
                                      uint64_t first_message, size_t n, size_t stop, size_t *sent, uint64_t deadline)
{
	*sent = 0;
	if (n == 0)
		return m->closed ? CHAN_CLOSED : CHAN_OK;
	for (; *sent < n; ++*sent) {
		if (step->no_memory && *sent == stop)
			return CHAN_NOMEM;
		enum chan_status status = acquire(m, step, tx, 1, deadline);
		if (status != CHAN_OK)
			return status;
		push(m, step, first_message + *sent);
	}
	return CHAN_OK;
}

enum chan_status mpsc_model_recv(struct mpsc_model *m, struct model_step *step, unsigned rx, uint64_t *message,
                                 uint64_t deadline)
{
	size_t received;
	return mpsc_model_recv_many(m, step, rx, message, 1, &received, deadline);
}

enum chan_status mpsc_model_recv_many(struct mpsc_model *m, struct model_step *step, unsigned rx, uint64_t *messages,
                                      size_t limit, size_t *received, uint64_t deadline)
{
	*received = 0;
	if (limit == 0)
		return CHAN_OK;
	if (m->len == 0) {
		/* it came, and others had been faster */
		use(m, rx, MPSC_WAITS_FOR_MESSAGE, SIZE_MAX);
		return mpsc_model_ended(m) ? CHAN_CLOSED : would_block(deadline, CHAN_EMPTY);
	}
	while (m->len > 0 && *received < limit)
		messages[(*received)++] = pop(m);
	use(m, rx, MPSC_WAITS_FOR_MESSAGE, *received);
	slots_came_back(m, step);
	return CHAN_OK;
}

/* ------------------------------------------------------------------------------------------
 * Permits
 */

enum chan_status mpsc_model_reserve(struct mpsc_model *m, struct model_step *step, unsigned tx, size_t n,
                                    uint64_t deadline)
{
	if (n > m->capacity)
		return deadline == CHAN_NOW ? CHAN_FULL : CHAN_INVALID; /* M-40, M-41 */
	enum chan_status status = acquire(m, step, tx, n, deadline);
	if (status == CHAN_OK)
		m->permits += n;
	return status;
}

void mpsc_model_permit_send(struct mpsc_model *m, struct model_step *step, uint64_t message)
{
	m->permits--;
	push(m, step, message);
}

void mpsc_model_permit_release(struct mpsc_model *m, struct model_step *step, size_t n)
{
	m->permits -= n;
	if (n > 0)
		slots_came_back(m, step);
}

/* ------------------------------------------------------------------------------------------
 * Closing, handles
 */

void mpsc_model_close(struct mpsc_model *m, struct model_step *step)
{
	if (m->closed)
		return;
	m->closed = true;
	fire_all(m, step, MPSC_WAITS_FOR_SLOT); /* M-32 */
	fire_all(m, step, MPSC_WAITS_FOR_CLOSE);
	if (mpsc_model_ended(m))
		fire_all(m, step, MPSC_WAITS_FOR_MESSAGE);
	for (struct mpsc_model_waiter *w; m->len > 0 && (w = seen(m, step, MPSC_WAITS_FOR_MESSAGE)) != NULL;)
		/* P-4: they may be told now, or with the last message */
		fire(step, w, false, false);
}

enum chan_status mpsc_model_closed(const struct mpsc_model *m, uint64_t deadline)
{
	return m->closed ? CHAN_OK : would_block(deadline, CHAN_EMPTY);
}

static enum chan_status count_up(const struct model_step *step, size_t *count)
{
	if (step->no_memory)
		return CHAN_NOMEM;
	++*count;
	return CHAN_OK;
}

enum chan_status mpsc_model_sender_clone(struct mpsc_model *m, struct model_step *step)
{
	return count_up(step, &m->senders);
}

enum chan_status mpsc_model_downgrade(struct mpsc_model *m, struct model_step *step)
{
	return count_up(step, &m->weaks);
}

enum chan_status mpsc_model_upgrade(struct mpsc_model *m, struct model_step *step)
{
	if (m->senders == 0 && !step->no_memory)
		return CHAN_CLOSED; /* M-75; M-76: the receivers do not matter */
	return count_up(step, &m->senders);
}

enum chan_status mpsc_model_weak_clone(struct mpsc_model *m, struct model_step *step)
{
	return count_up(step, &m->weaks);
}

enum chan_status mpsc_model_receiver_clone(struct mpsc_model *m, struct model_step *step)
{
	return count_up(step, &m->receivers);
}

void mpsc_model_sender_drop(struct mpsc_model *m, struct model_step *step, unsigned tx)
{
	if (forget_all(m, tx, false) > 0)
		slots_came_back(m, step);
	if (--m->senders == 0)
		fire_all(m, step, MPSC_WAITS_FOR_MESSAGE); /* M-52 */
	if (m->receivers == 0)
		destroy_unwanted(m, step);
}

void mpsc_model_receiver_drop(struct mpsc_model *m, struct model_step *step, unsigned rx)
{
	wake_receivers(m, step, forget_all(m, rx, true));
	if (--m->receivers > 0)
		return;
	mpsc_model_close(m, step);
	while (m->len > 0)
		expect_destroyed(step, pop(m)); /* D-2 */
}

void mpsc_model_weak_drop(struct mpsc_model *m, struct model_step *step)
{
	m->weaks--;
	if (m->receivers == 0)
		destroy_unwanted(m, step);
}

uint64_t mpsc_model_get(const struct mpsc_model *m, bool receiver, enum chan_property property)
{
	switch (property) {
	case CHAN_LEN:
		return m->len;
	case CHAN_CAPACITY:
		return m->capacity == 0 ? CHAN_UNKNOWN : mpsc_model_free(m);
	case CHAN_MAX_CAPACITY:
		return m->capacity == 0 ? CHAN_UNKNOWN : m->capacity;
	case CHAN_IS_CLOSED:
		return m->closed || (receiver && m->senders == 0);
	case CHAN_SENDERS:
		return m->senders;
	case CHAN_WEAK_SENDERS:
		return m->weaks;
	case CHAN_RECEIVERS:
		return m->receivers;
	default:
		return CHAN_UNKNOWN;
	}
}
