/* SPDX-License-Identifier: MIT
 *
 * signal.c - crashes and hangs of the program under test, as verdicts.
 *
 * A crash is a signal of the processor. A hang is a thread that computes without ever reaching a
 * scheduling point; the clock that notices is one of processor time (ITIMER_VIRTUAL), so a loaded
 * or a stopped machine is no hang.
 *
 * The handler changes where the interrupted context goes on: in escape(), on a stack of its own
 * (the coroutine's may be what overflowed). From there the execution ends as with any other
 * failure.
 */
#include "harness/explore/runtime/region.h"
#include <signal.h>
#include <string.h>
#include <sys/time.h>
#include <ucontext.h>

#define TICK_US    250000
#define HANG_TICKS 4

static const int crashes[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL};
#define CRASHES (sizeof(crashes) / sizeof(crashes[0]))

static struct sigaction before[CRASHES], before_tick;
static stack_t before_stack;
static char handler_stack[64 << 10] __attribute__((aligned(16)));
static char escape_stack[64 << 10] __attribute__((aligned(16)));

static struct {
	int signal;
	uintptr_t pc, address;
} caught;

static uint64_t seen_steps, seen_accesses;
static uint32_t seen_generation;
static unsigned still;

static _Noreturn void escape(void)
{
	unsigned id = explore_self();
	if (caught.signal == SIGVTALRM)
		explore_fail(EXPLORE_HANG,
		             "T%u computes at " EXPLORE_CODE " and never makes a step: no other thread can end that",
		             id, caught.pc);
	if (caught.address - slot_base(id) < 4096)
		explore_fail(EXPLORE_CRASH, "stack overflow of T%u at " EXPLORE_CODE, id, caught.pc);
	explore_fail(EXPLORE_CRASH, "T%u crashes (%s) at " EXPLORE_CODE ", address %#lx", id, strsignal(caught.signal),
	             caught.pc, caught.address);
}

static void leave(int signal, uintptr_t address, void *context)
{
	greg_t *registers = ((ucontext_t *)context)->uc_mcontext.gregs;
	caught.signal = signal;
	caught.pc = (uintptr_t)registers[REG_RIP] + 1; /* as if it were a return address */
	caught.address = address;
	registers[REG_RIP] = (greg_t)escape;
	registers[REG_RSP] = (greg_t)(escape_stack + sizeof(escape_stack) - 8);
}

static void on_crash(int number, siginfo_t *info, void *context)
{
	if (explore_now.current == NULL) {
		signal(number, SIG_DFL); /* ours, not the program's: it happens again, for real */
		return;
	}
	leave(number, (uintptr_t)info->si_addr, context);
}

static void on_tick(int number, siginfo_t *info, void *context)
{
	(void)info;
	if (explore_now.current == NULL || explore_now.steps != seen_steps ||
	    explore_now.generation != seen_generation) {
		seen_steps = explore_now.steps;
		seen_generation = explore_now.generation;
		still = 0;
	} else if (++still == HANG_TICKS) {
		leave(number, 0, context);
		if (explore_now.accesses != seen_accesses)
			caught.pc = explore_now.last_pc; /* most likely it was in a hook */
	}
	seen_accesses = explore_now.accesses;
}

void explore_signals_install(void)
{
	stack_t stack = {.ss_sp = handler_stack, .ss_size = sizeof(handler_stack)};
	struct sigaction action = {.sa_sigaction = on_crash, .sa_flags = SA_SIGINFO | SA_ONSTACK};
	struct itimerval tick = {{0, TICK_US}, {0, TICK_US}};
	sigaltstack(&stack, &before_stack);
	for (unsigned i = 0; i < CRASHES; i++)
		sigaction(crashes[i], &action, &before[i]);
	action.sa_sigaction = on_tick;
	action.sa_flags |= SA_RESTART;
	sigaction(SIGVTALRM, &action, &before_tick);
	setitimer(ITIMER_VIRTUAL, &tick, NULL);
}

void explore_signals_remove(void)
{
	struct itimerval none = {{0, 0}, {0, 0}};
	setitimer(ITIMER_VIRTUAL, &none, NULL);
	sigaction(SIGVTALRM, &before_tick, NULL);
	for (unsigned i = 0; i < CRASHES; i++)
		sigaction(crashes[i], &before[i], NULL);
	sigaltstack(&before_stack, NULL);
}
