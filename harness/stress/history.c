/* SPDX-License-Identifier: MIT */
#include "harness/stress/history.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

atomic_uint_fast64_t history_clock = 1;

const char *op_name(enum op_code code)
{
	static const char *const names[OP_CODES] = {"send",
	                                            "recv",
	                                            "recv_many (end)",
	                                            "reserve",
	                                            "permit_send",
	                                            "permit_release",
	                                            "arm..disarm",
	                                            "close",
	                                            "closed",
	                                            "sender_clone",
	                                            "sender_drop",
	                                            "upgrade",
	                                            "receiver_clone",
	                                            "receiver_drop",
	                                            "subscribe",
	                                            "resubscribe",
	                                            "sender is_closed",
	                                            "receiver is_closed",
	                                            "is_terminated",
	                                            "len",
	                                            "capacity",
	                                            "borrow",
	                                            "borrow_and_update",
	                                            "sender_borrow",
	                                            "changed",
	                                            "has_changed",
	                                            "send_replace",
	                                            "modify",
	                                            "wait_for",
	                                            "mark_changed",
	                                            "mark_unchanged"};
	return code < OP_CODES ? names[code] : "nothing";
}

/* A text that is cut off where the room ends. */
struct text {
	char *at;
	size_t room;
};

__attribute__((format(printf, 2, 3))) static void put(struct text *text, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	int n = vsnprintf(text->at, text->room, format, args);
	va_end(args);
	size_t used = n < 0 ? 0 : (size_t)n < text->room ? (size_t)n : text->room - 1;
	text->at += used;
	text->room -= used;
}

static void put_value(struct text *text, const char *before, uint64_t value)
{
	put(text, "%s%" PRIu64 ".%" PRIu64, before, value >> 32, value & UINT32_MAX);
}

static bool names_receiver(const struct op *op, enum kind kind)
{
	if (kind != KIND_BROADCAST && kind != KIND_WATCH)
		return false;
	switch ((enum op_code)op->code) {
	case OP_SEND:
	case OP_ARMED:
	case OP_CLOSED:
	case OP_SENDER_CLONE:
	case OP_SENDER_DROP:
	case OP_UPGRADE:
	case OP_SUBSCRIBE:
	case OP_SENDER_IS_CLOSED:
	case OP_SENDER_BORROW:
	case OP_REPLACE:
	case OP_MODIFY:
		return false;
	default:
		return true;
	}
}

static void put_arguments(struct text *text, const struct op *op, enum kind kind)
{
	static const char *const waits[] = {"now", "timed", "forever", ""};
	bool receiver = names_receiver(op, kind);
	put(text, "(");
	if (receiver)
		put(text, "receiver %u", op->handle);
	if (op->wait < WAIT_NEVER)
		put(text, "%s%s", receiver ? ", " : "", waits[op->wait]);
	if (op->code == OP_SEND || op->code == OP_PERMIT_SEND || op->code == OP_REPLACE || op->code == OP_MODIFY)
		put_value(text, op->wait < WAIT_NEVER ? ", value " : "value ", op->value);
	if (op->code == OP_RESERVE || op->code == OP_PERMIT_RELEASE)
		put(text, "%s%" PRIu32 " slots", op->wait < WAIT_NEVER ? ", " : "", op->slots);
	if (op->code == OP_WAIT_FOR)
		put(text, ", a number that is %" PRIu64 " modulo %d", op->extra, WAIT_FOR_MODULUS);
	put(text, ")");
}

static void put_result(struct text *text, const struct op *op, enum kind kind)
{
	put(text, " = %s", status_name(op->status));
	switch ((enum op_code)op->code) {
	case OP_SEND:
		if (kind == KIND_BROADCAST && op->status == CHAN_OK)
			put(text, ", %" PRIu64 " receivers", op->extra);
		break;
	case OP_RECV:
		if (op->status == CHAN_LAGGED)
			put(text, ", missed %" PRIu64, op->extra);
		else if (op->status == CHAN_OK)
			put_value(text, ", value ", op->value);
		break;
	case OP_BORROW:
	case OP_UPDATE:
	case OP_SENDER_BORROW:
	case OP_WAIT_FOR:
		if (op->status != CHAN_OK)
			break;
		put_value(text, ", value ", op->value);
		if (op->code == OP_BORROW || op->code == OP_UPDATE)
			put(text, op->flag ? ", unseen" : ", seen");
		break;
	case OP_REPLACE:
	case OP_MODIFY:
		put_value(text, ", previous ", op->extra);
		if (op->code == OP_MODIFY)
			put(text, op->flag ? ", notified" : ", not notified");
		break;
	case OP_SUBSCRIBE:
	case OP_RESUBSCRIBE:
	case OP_RECEIVER_CLONE:
		if (kind == KIND_BROADCAST || kind == KIND_WATCH)
			put(text, ", receiver %u", op->other);
		break;
	case OP_SENDER_IS_CLOSED:
	case OP_IS_CLOSED:
	case OP_IS_TERMINATED:
	case OP_LEN:
	case OP_CAPACITY:
		put(text, ", %" PRIu64, op->value);
		break;
	default:
		break;
	}
}

void op_print(const struct op *op, enum kind kind, char *buffer, size_t size)
{
	struct text text = {buffer, size};
	put(&text, "[%" PRIu64 "..", op->call);
	if (op->ret == OP_PENDING)
		put(&text, "] ");
	else
		put(&text, "%" PRIu64 "] ", op->ret);
	put(&text, "thread %u: %s%s", op->thread, op_name(op->code),
	    op->code == OP_SEND && op->slots > 0 ? " by select" : "");
	put_arguments(&text, op, kind);
	if (op->ret == OP_PENDING)
		put(&text, " has not returned");
	else
		put_result(&text, op, kind);
}

size_t history_cut(const struct op *ops, size_t count, uint64_t stamp, struct op *out)
{
	size_t n = 0;
	for (size_t i = 0; i < count; i++) {
		if (ops[i].call >= stamp)
			continue;
		out[n] = ops[i];
		if (out[n].ret > stamp)
			out[n].ret = OP_PENDING;
		n++;
	}
	return n;
}
