/* SPDX-License-Identifier: MIT */
#include "harness/stress/history.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

/* ------------------------------------------------------------------------------------------
 * As a file
 */

#define FORMAT  "chanbench history"
#define VERSION 1
#define FIELDS  "call\tret\tthread\tcode\tstatus\twait\tvalue\textra\tchannel\tslots\thandle\tother\tflag\tchained"
#define ENDING  ".history"

static const char *const wait_names[] = {"now", "timed", "forever", "never"};

/* ------------------------------------------------------------------------------------------
 * Writing it
 */

static void write_op(FILE *out, const struct op *op, enum kind kind)
{
	char text[256];
	fprintf(out, "%" PRIu64 "\t", op->call);
	if (op->ret == OP_PENDING)
		fputs("-", out);
	else
		fprintf(out, "%" PRIu64, op->ret);
	op_print(op, kind, text, sizeof text);
	fprintf(out, "\t%u\t%s\t%s\t%s\t%" PRIu64 "\t%" PRIu64 "\t%" PRIu32 "\t%" PRIu32 "\t%u\t%u\t%d\t%d\t# %s\n",
	        op->thread, op_name(op->code), status_name(op->status), wait_names[op->wait], op->value, op->extra,
	        op->channel, op->slots, op->handle, op->other, op->flag, op->chained, text);
}

static void write_all(FILE *out, const char *impl, uint64_t seed, const struct history *history)
{
	fprintf(out, FORMAT "\t%d\nimpl\t%s\nkind\t%s\nseed\t%" PRIu64 "\n", VERSION, impl, kind_names[history->kind],
	        seed);
	fprintf(out,
	        "capacity\t%" PRIu64 "\ninitial\t%" PRIu64 "\nsenders\t%" PRIu64 "\nreceivers\t%" PRIu64
	        "\noperations\t%zu\n" FIELDS "\n",
	        history->capacity, history->initial, history->senders, history->receivers, history->count);
	for (size_t i = 0; i < history->count; i++)
		write_op(out, &history->ops[i], history->kind);
	fputs("end\n", out);
}

int history_save(const char *directory, const char *impl, uint64_t seed, const struct history *history, char *path,
                 size_t size)
{
	int n = snprintf(path, size, "%s/chanbench-%s-%s-%" PRIu64 "-XXXXXX" ENDING, directory, impl,
	                 kind_names[history->kind], seed);
	if (n < 0 || (size_t)n >= size)
		return ENAMETOOLONG;
	int fd = mkostemps(path, sizeof ENDING - 1, O_CLOEXEC);
	if (fd < 0)
		return errno;
	FILE *out = fdopen(fd, "w");
	int error = 0;
	if (out == NULL) {
		error = errno;
		close(fd);
	} else {
		errno = 0;
		write_all(out, impl, seed, history);
		bool written = fflush(out) == 0 && !ferror(out);
		error = written ? 0 : errno != 0 ? errno : EIO;
		if (fclose(out) != 0 && error == 0)
			error = errno;
	}
	if (error != 0)
		unlink(path);
	return error;
}

/* ------------------------------------------------------------------------------------------
 * Reading it
 */

struct reading {
	FILE *in;
	char *line;
	size_t room, number;
	const char *path;
	char *error;
	size_t error_size;
};

__attribute__((format(printf, 2, 3))) static bool wrong(struct reading *reading, const char *format, ...)
{
	va_list args;
	int n = snprintf(reading->error, reading->error_size, "%s, line %zu: ", reading->path, reading->number);
	if (n >= 0 && (size_t)n < reading->error_size) {
		va_start(args, format);
		vsnprintf(reading->error + n, reading->error_size - (size_t)n, format, args);
		va_end(args);
	}
	return false;
}

/* The next line, without its end. */
static bool next_line(struct reading *reading)
{
	ssize_t length = getline(&reading->line, &reading->room, reading->in);
	reading->number++;
	if (length < 0)
		return wrong(reading, ferror(reading->in) ? "it cannot be read" : "the file ends here: it was cut off");
	if (strlen(reading->line) != (size_t)length)
		return wrong(reading, "no line of text");
	if (reading->line[length - 1] != '\n')
		return wrong(reading, "the file ends in the middle of it: it was cut off");
	reading->line[length - 1] = '\0';
	return true;
}

static bool to_number(const char *text, uint64_t most, uint64_t *number)
{
	char *end;
	if (text == NULL || *text < '0' || *text > '9')
		return false;
	errno = 0;
	*number = strtoull(text, &end, 10);
	return errno == 0 && *end == '\0' && *number <= most;
}

/* The line must be `key`, a tab, and what is returned; NULL: it is not. */
static char *expect_key(struct reading *reading, const char *key)
{
	size_t length = strlen(key);
	if (!next_line(reading))
		return NULL;
	if (strncmp(reading->line, key, length) != 0 || reading->line[length] != '\t') {
		wrong(reading, "'%s' should stand here", key);
		return NULL;
	}
	return reading->line + length + 1;
}

static bool expect_number(struct reading *reading, const char *key, uint64_t most, uint64_t *number)
{
	const char *value = expect_key(reading, key);
	if (value == NULL)
		return false;
	return to_number(value, most, number) || wrong(reading, "'%s' is no number that can stand here", value);
}

static bool read_head(struct reading *reading, struct saved_history *saved)
{
	struct history *history = &saved->history;
	uint64_t version, count;
	const char *value = expect_key(reading, FORMAT);
	if (value == NULL)
		return wrong(reading, "this is no history of chanbench");
	if (!to_number(value, UINT64_MAX, &version) || version != VERSION)
		return wrong(reading, "a history of another version (%s; this is %d)", value, VERSION);
	if ((value = expect_key(reading, "impl")) == NULL)
		return false;
	snprintf(saved->impl, sizeof saved->impl, "%s", value);
	if ((value = expect_key(reading, "kind")) == NULL)
		return false;
	if ((history->kind = kind_of_name(value)) == KIND_COUNT)
		return wrong(reading, "'%s' is no kind of channel", value);
	if (!expect_number(reading, "seed", UINT64_MAX, &saved->seed) ||
	    !expect_number(reading, "capacity", CHAN_BROADCAST_CAPACITY_MAX, &history->capacity) ||
	    !expect_number(reading, "initial", UINT64_MAX, &history->initial) ||
	    !expect_number(reading, "senders", UINT64_MAX, &history->senders) ||
	    !expect_number(reading, "receivers", UINT64_MAX, &history->receivers) ||
	    !expect_number(reading, "operations", SIZE_MAX / sizeof(struct op) - 1, &count) || !next_line(reading))
		return false;
	history->count = (size_t)count;
	return strcmp(reading->line, FIELDS) == 0 || wrong(reading, "the names of the fields should stand here");
}

static size_t index_of(const char *text, const char *(*name)(unsigned), size_t count)
{
	size_t i = 0;
	while (i < count && strcmp(name((unsigned)i), text) != 0)
		i++;
	return i;
}

static const char *code_name(unsigned i)
{
	return op_name((enum op_code)i);
}

static const char *a_status_name(unsigned i)
{
	return status_name((enum chan_status)i);
}

static const char *wait_name(unsigned i)
{
	return wait_names[i];
}

static bool read_op(struct reading *reading, struct op *op)
{
	enum {
		CALL,
		RET,
		THREAD,
		CODE,
		STATUS,
		WAIT,
		VALUE,
		EXTRA,
		CHANNEL,
		SLOTS,
		HANDLE,
		OTHER,
		FLAG,
		CHAINED,
		COUNT
	};
	static const uint64_t most[COUNT] = {[CALL] = OP_PENDING - 1,
	                                     [RET] = OP_PENDING - 1,
	                                     [THREAD] = UINT16_MAX,
	                                     [VALUE] = UINT64_MAX,
	                                     [EXTRA] = UINT64_MAX,
	                                     [CHANNEL] = UINT32_MAX,
	                                     [SLOTS] = UINT32_MAX,
	                                     [HANDLE] = 63,
	                                     [OTHER] = 63,
	                                     [FLAG] = 1,
	                                     [CHAINED] = 1};
	const char *names[] = {[CODE] = "operation", [STATUS] = "status", [WAIT] = "wait"};
	uint64_t fields[COUNT];
	char *rest = reading->line;
	for (int i = 0; i < COUNT; i++) {
		char *text = strsep(&rest, "\t");
		if (text == NULL)
			return wrong(reading, "%d of %d fields", i, COUNT);
		if (i == CODE || i == STATUS || i == WAIT) {
			size_t count = i == CODE ? OP_CODES : i == STATUS ? CHAN_NOMEM + 1 : WAIT_NEVER + 1;
			fields[i] = index_of(text,
			                     i == CODE     ? code_name
			                     : i == STATUS ? a_status_name
			                                   : wait_name,
			                     count);
			if (fields[i] == count)
				return wrong(reading, "'%s' is no %s", text, names[i]);
		} else if (i == RET && strcmp(text, "-") == 0) {
			fields[i] = OP_PENDING;
		} else if (!to_number(text, most[i], &fields[i])) {
			return wrong(reading, "'%s' is no number that can stand here (field %d)", text, i + 1);
		}
	}
	if (rest != NULL && *rest != '#')
		return wrong(reading, "more than %d fields", COUNT);
	*op = (struct op){.call = fields[CALL],
	                  .ret = fields[RET],
	                  .thread = (uint16_t)fields[THREAD],
	                  .code = (uint8_t)fields[CODE],
	                  .status = (uint8_t)fields[STATUS],
	                  .wait = (uint8_t)fields[WAIT],
	                  .value = fields[VALUE],
	                  .extra = fields[EXTRA],
	                  .channel = (uint32_t)fields[CHANNEL],
	                  .slots = (uint32_t)fields[SLOTS],
	                  .handle = (uint8_t)fields[HANDLE],
	                  .other = (uint8_t)fields[OTHER],
	                  .flag = fields[FLAG] != 0,
	                  .chained = fields[CHAINED] != 0};
	return true;
}

/* What the checker takes for granted. `before`: of the same thread, or NULL. */
static bool check_place(struct reading *reading, const struct op *op, const struct op *before)
{
	if (op->ret <= op->call)
		return wrong(reading, "it returned before it was called");
	if (op->chained && (before == NULL || before->call != op->call || before->ret != op->ret))
		return wrong(reading, "chained, but not to the operation before it");
	if (before != NULL && !op->chained && op->call <= before->call)
		return wrong(reading, "called before the operation of its thread that stands before it");
	return true;
}

static bool read_ops(struct reading *reading, struct saved_history *saved)
{
	bool seen[UINT16_MAX + 1] = {false};
	size_t room = 0;
	for (size_t i = 0; i < saved->history.count; i++) {
		if (i == room) { /* as far as there are lines: the number may be anything */
			struct op *more = realloc(saved->ops, (room = room * 2 + 1024) * sizeof *more);
			if (more == NULL)
				return wrong(reading, "out of memory");
			saved->ops = more;
		}
		struct op *op = &saved->ops[i];
		if (!next_line(reading) || !read_op(reading, op))
			return false;
		bool first = i == 0 || op[-1].thread != op->thread;
		if (first && seen[op->thread])
			return wrong(reading, "the operations of thread %u stand apart", op->thread);
		seen[op->thread] = true;
		if (!check_place(reading, op, first ? NULL : op - 1))
			return false;
	}
	saved->history.ops = saved->ops;
	if (!next_line(reading))
		return false;
	return strcmp(reading->line, "end") == 0 || wrong(reading, "'end' should stand here");
}

bool history_load(const char *path, struct saved_history *saved, char *error, size_t size)
{
	struct reading reading = {.path = path, .error = error, .error_size = size};
	*saved = (struct saved_history){.seed = 0};
	reading.in = fopen(path, "re");
	if (reading.in == NULL) {
		snprintf(error, size, "%s: %s", path, strerror(errno));
		return false;
	}
	bool good = read_head(&reading, saved) && read_ops(&reading, saved);
	free(reading.line);
	fclose(reading.in);
	if (!good)
		history_unload(saved);
	return good;
}

void history_unload(struct saved_history *saved)
{
	free(saved->ops);
	*saved = (struct saved_history){.seed = 0};
}
