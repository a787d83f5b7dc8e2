/* SPDX-License-Identifier: MIT
 *
 * history.h - what threads did to a channel and what they saw, with stamps of when each call began
 * and returned.
 *
 * A history is an array of operations. Those of one thread stand together, in the order in which
 * the thread made them; the stamps order those of different threads. An operation that returned
 * before another began (ret < call) came before it; all others overlap and may have taken effect in
 * any order. Stamps are drawn from one counter of the process, so each is different.
 *
 * A call that did something to several elements (send_many, recv_many) is several operations with
 * the stamps of the call. The later ones are `chained`: each takes effect after the one that stands
 * before it.
 */
#ifndef CHANBENCH_STRESS_HISTORY_H
#define CHANBENCH_STRESS_HISTORY_H

#include "harness/info.h"
#include "harness/status.h"

#include <stdatomic.h>

enum op_code {
	OP_SEND,           /* value: the element. broadcast: extra: how many receivers there were */
	OP_RECV,           /* value: the element. broadcast: extra: how many were missed */
	OP_DRAINED,        /* a recv_many that took fewer than it could: it found nothing more */
	OP_RESERVE,        /* slots */
	OP_PERMIT_SEND,    /* value */
	OP_PERMIT_RELEASE, /* slots */
	OP_ARMED,          /* from arm to disarm; slots that the waiter may own meanwhile */
	OP_CLOSE,          /* by a receiver */
	OP_CLOSED,         /* waits for the other side's end; status EMPTY, TIMEOUT: not so */
	OP_SENDER_CLONE,
	OP_SENDER_DROP,
	OP_UPGRADE,
	OP_RECEIVER_CLONE,   /* handle; watch: other, the new one */
	OP_RECEIVER_DROP,    /* handle */
	OP_SUBSCRIBE,        /* other: the new one */
	OP_RESUBSCRIBE,      /* handle; other: the new one */
	OP_SENDER_IS_CLOSED, /* value: 1 or 0 */
	OP_IS_CLOSED,        /* of a receiver; value: 1 or 0 */
	OP_IS_TERMINATED,    /* value: 1 or 0 */
	OP_LEN,              /* value */
	OP_CAPACITY,         /* value */
	OP_BORROW,           /* handle; value; flag: unseen */
	OP_UPDATE,           /* borrow_and_update; likewise */
	OP_SENDER_BORROW,    /* value */
	OP_CHANGED,          /* handle */
	OP_HAS_CHANGED,      /* handle */
	OP_REPLACE,          /* value; extra: the previous one */
	/* value: what it left; extra: what it found; flag: whether it notified */
	OP_MODIFY,
	/* handle; extra: for values whose number is that modulo WAIT_FOR_MODULUS; value */
	OP_WAIT_FOR,
	OP_MARK_CHANGED,   /* handle */
	OP_MARK_UNCHANGED, /* handle */
	OP_CODES
};

enum { WAIT_FOR_MODULUS = 4 };

enum op_wait { WAIT_NOW, WAIT_TIMED, WAIT_FOREVER, WAIT_NEVER /* it has no deadline */ };

#define OP_PENDING UINT64_MAX

struct op {
	/* stamps; ret OP_PENDING: it has not returned, and may or may not have taken effect */
	uint64_t call, ret;
	uint64_t value, extra;
	uint32_t channel; /* histories of many channels: which one; checked apart */
	/* reserve, release, arm: how many; a send: 1 when it is a select, whose waiter may own one
	 * for a while */
	uint32_t slots;
	uint16_t thread;
	uint8_t code;   /* enum op_code */
	uint8_t status; /* enum chan_status */
	uint8_t wait;   /* enum op_wait */
	uint8_t handle, other;
	bool flag, chained;
};

struct history {
	enum kind kind;
	uint64_t capacity; /* mpsc, broadcast */
	uint64_t initial;  /* watch: the value at first */
	/* at first: how many; broadcast and watch: a bit for each receiver's number */
	uint64_t senders, receivers;
	const struct op *ops;
	size_t count;
};

/* Draws a stamp. The read-modify-write is a full barrier of the machine on x86: what a call left
 * behind is visible to a thread that draws a later stamp. It orders nothing in the model of the
 * compiler or of ThreadSanitizer, and so hides no race. */
extern atomic_uint_fast64_t history_clock;

static inline uint64_t history_stamp(void)
{
#if !defined(__x86_64__) && !defined(__i386__)
	return atomic_fetch_add_explicit(&history_clock, 1, memory_order_seq_cst);
#else
	atomic_signal_fence(memory_order_seq_cst);
	uint64_t stamp = atomic_fetch_add_explicit(&history_clock, 1, memory_order_relaxed);
	atomic_signal_fence(memory_order_seq_cst);
	return stamp;
#endif
}

/* "recv", "permit_send" */
const char *op_name(enum op_code code);

/* One line: "[120..131] thread 2: recv(forever) = OK, value 1.17". Values are shown as
 * thread.number (history_value). */
void op_print(const struct op *op, enum kind kind, char *text, size_t size);

/* Copies the operations to `out` that had begun before the stamp, and returns how many there
 * are. Those that had not returned by then are pending there. The beginning of a right history
 * is right. */
size_t history_cut(const struct op *ops, size_t count, uint64_t stamp, struct op *out);

/* The number that stands for the n-th value of a thread. Never 0. */
static inline uint64_t history_value(unsigned thread, uint64_t n)
{
	return (uint64_t)thread << 32 | (n + 1);
}

/* A HISTORY AS A TEXT FILE is what a failed check saw, whole: it can be checked again without the
 * run that made it.
 *
 * Its lines are fields between tabs. The first line names format and version. Then come lines of a
 * key and a value, a line that names the fields of an operation, and a line for each operation in
 * the order of struct history. After # stands the operation as people read it. The last line is
 * `end`: without it the file was cut off.
 *
 *   chanbench history  1
 *   impl  mutex
 *   ...
 *   operations  2
 *   call  ret  thread  code  status   wait     value  extra  ...  chained
 *   1     4    0       send  CHAN_OK  timed    1      0      ...  0  # [1..4] thread 0: send(...
 *   2     -    1       recv  CHAN_OK  forever  1      0      ...  0  # ...
 *   end
 *
 * A `ret` of - is OP_PENDING. Reading refuses what no recording makes (stamps out of order, a
 * chained operation without the one before it, ...) and names the line, so that the checker can
 * rely on it.
 */
enum { HISTORY_PATH_MAX = 4096 };

struct saved_history {
	struct history history;
	struct op *ops; /* the history's */
	char impl[64];
	uint64_t seed; /* of the round */
};

/* Writes a new file in `directory` and its path to `path`. 0, or the errno of what failed: then
 * there is no file. */
int history_save(const char *directory, const char *impl, uint64_t seed, const struct history *history, char *path,
                 size_t size);

/* False: `error` says in one line what is wrong, and nothing is to be freed. */
bool history_load(const char *path, struct saved_history *saved, char *error, size_t size);
void history_unload(struct saved_history *saved);

#endif
