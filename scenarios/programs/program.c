/* SPDX-License-Identifier: MIT */
#include "harness/explore/driver/program.h"

#include "harness/explore/look.h"

#include <stdlib.h>
#include <string.h>

/* In every build: it is how a program ends that saw what must not be. */
#undef NDEBUG
#include <assert.h>

static _Thread_local struct program_tally tally;

uint64_t program_outcome;

void program_saw(uint64_t result)
{
	tally.saw = (tally.saw ^ (result + 1)) * 0x9e3779b97f4a7c15u;
}

void program_fail(const char *what, const char *file, unsigned line, const char *function)
{
	__assert_fail(what, file, line, function);
}

/* Whether it says that it does not keep one of the rules that the program is after. */
static bool deviates(const struct program *program, const struct impl_info *info)
{
	for (size_t i = 0; i < info->deviation_count; i++) {
		const char *rule = info->deviations[i].rule, *at = program->rules;
		while ((at = strstr(at, rule)) != NULL) {
			at += strlen(rule);
			if (*at == ' ' || *at == '\0')
				return true;
		}
	}
	return false;
}

bool program_offered(const struct program *program, const struct impl_info *info, enum kind kind)
{
	char names[256], *rest = names, *name;
	if ((program->kinds >> kind & 1) == 0 || info->offered[kind] == 0 || deviates(program, info))
		return false;
	if (program->needs == NULL)
		return true;
	strcpy(names, program->needs);
	while ((name = strsep(&rest, " ")) != NULL)
		if (!info_offers(info, kind, name))
			return false;
	return true;
}

void program_run(const struct program *program, const struct chan_impl *impl, enum kind kind)
{
	struct program_env env = {impl, kind, kind == KIND_UNBOUNDED ? impl->unbounded : impl->mpsc};
	tally = (struct program_tally){0, 0, 0};
	program->run(&env);
	program_outcome = tally.saw;
	if (tally.made != tally.ended)
		program_fail(tally.made > tally.ended ? "ledger: a message was lost (D-1)"
		                                      : "ledger: a message ended twice (D-1)",
		             __FILE__, __LINE__, program->name);
}

/* ------------------------------------------------------------------------------------------
 * Threads
 */

static void *thread_main(void *arg)
{
	struct program_thread *thread = arg;
	tally = (struct program_tally){0, 0, 0};
	thread->body(thread->arg);
	thread->tally = tally;
	return NULL;
}

void program_start(struct program_thread *thread, void (*body)(void *arg), void *arg)
{
	thread->body = body;
	thread->arg = arg;
	if (pthread_create(&thread->id, NULL, thread_main, thread) != 0)
		program_fail("pthread_create", __FILE__, __LINE__, __func__);
}

void program_join(struct program_thread *threads, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (pthread_join(threads[i].id, NULL) != 0)
			program_fail("pthread_join", __FILE__, __LINE__, __func__);
		tally.made += threads[i].tally.made;
		tally.ended += threads[i].tally.ended;
		program_saw(threads[i].tally.saw);
	}
}

void program_run_all(void *arg, void (*const bodies[])(void *arg), size_t count)
{
	struct program_thread threads[TOGETHER_MAX];
	for (size_t i = 0; i < count; i++)
		program_start(&threads[i], bodies[i], arg);
	program_join(threads, count);
}

bool program_blocked(const struct program_thread *thread, uint64_t *steps)
{
	*steps = 0;
	return explore_pthread_blocked != NULL && explore_pthread_blocked(thread->id, steps);
}

void program_raise(atomic_bool *flag)
{
	atomic_store_explicit(flag, true, memory_order_release);
}

bool program_raised(const atomic_bool *flag)
{
	return atomic_load_explicit(flag, memory_order_acquire);
}

uint64_t program_soon(void)
{
	return chan_deadline_in(1000);
}

/* ------------------------------------------------------------------------------------------
 * Messages
 */

struct message *message_new(unsigned number)
{
	struct message *message = malloc(sizeof *message);
	if (message == NULL)
		program_fail("malloc", __FILE__, __LINE__, __func__);
	message->number = number;
	tally.made++;
	return message;
}

unsigned message_end(struct message *message)
{
	unsigned number = message->number;
	free(message);
	tally.ended++;
	program_saw(number);
	return number;
}

void message_destroy(void *element, void *context)
{
	(void)context;
	message_end(*(struct message **)element);
}

int message_clone(void *to, const void *from, void *context)
{
	(void)context;
	*(struct message **)to = message_new((*(struct message *const *)from)->number);
	return 0;
}

/* ------------------------------------------------------------------------------------------
 * Operations with messages
 */

void mpsc_open(const struct chan_mpsc_ops *ops, size_t capacity, struct chan_sender **tx, struct chan_receiver **rx)
{
	struct chan_config config = {
		.size = sizeof(struct message *), .capacity = capacity, .destroy = message_destroy};
	expect("M-1", ops->open(&config, tx, rx) == CHAN_OK);
}

struct chan_sender *mpsc_clone(const struct chan_mpsc_ops *ops, struct chan_sender *tx)
{
	struct chan_sender *clone = NULL;
	expect("M-77", ops->sender_clone(tx, &clone) == CHAN_OK);
	return clone;
}

enum chan_status mpsc_send(const struct chan_mpsc_ops *ops, struct chan_sender *tx, unsigned number, uint64_t deadline)
{
	struct message *message = message_new(number);
	enum chan_status status = ops->send(tx, &message, deadline);
	program_saw(status);
	if (status != CHAN_OK)
		message_end(message);
	return status;
}

enum chan_status mpsc_recv(const struct chan_mpsc_ops *ops, struct chan_receiver *rx, unsigned *number,
                           uint64_t deadline)
{
	struct message *message;
	enum chan_status status = ops->recv(rx, &message, deadline);
	program_saw(status);
	if (status == CHAN_OK)
		*number = message_end(message);
	return status;
}

unsigned mpsc_drain(const struct chan_mpsc_ops *ops, struct chan_receiver *rx)
{
	unsigned count = 0, number;
	enum chan_status status;
	while ((status = mpsc_recv(ops, rx, &number, CHAN_FOREVER)) == CHAN_OK)
		count++;
	expect("M-46", status == CHAN_CLOSED);
	return count;
}
