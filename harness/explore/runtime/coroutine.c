/* SPDX-License-Identifier: MIT
 *
 * coroutine.c - the threads of the program under test: stacks that one thread of the operating
 * system switches between.
 *
 * A switch saves the registers that a call preserves, and changes the stack pointer and the fs
 * base. The fs base is what makes thread-local variables work, the program's as well as libc's
 * errno: each coroutine borrows that of a real thread, which was started for nothing else and
 * sleeps for ever. Its stack lies in the coroutine's slot, so that its TLS has the same address in
 * each process.
 *
 * Beside that TLS glibc keeps the word in which the kernel tells a thread its processor (rseq).
 * Programs read it without a call that could be intercepted. So the parked threads are signed off
 * with the kernel, and the word says what sched_getcpu() would.
 */
#include "harness/explore/runtime/region.h"
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/rseq.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef __x86_64__
#error "the explorer switches stacks in assembly, which exists for x86-64 only: port explore_switch and read_fs"
#endif

#include <asm/prctl.h>

#define HWCAP2_FSGSBASE_BIT 2ul

/* What a thread finds below its first frame is the same in each execution. */
#define STACK_CLEARED 4096

static uintptr_t fs_base[EXPLORE_THREADS];
static uintptr_t driver_fs;
static void *driver_sp;
static bool fsgsbase;

/* void explore_switch(void **save, void *to, uintptr_t fs): fs 0 leaves the fs base alone */
__asm__(".text\n"
        ".globl explore_switch\n"
        ".hidden explore_switch\n"
        ".type explore_switch,@function\n"
        "explore_switch:\n"
        "	pushq %rbp\n"
        "	pushq %rbx\n"
        "	pushq %r12\n"
        "	pushq %r13\n"
        "	pushq %r14\n"
        "	pushq %r15\n"
        "	movq %rsp, (%rdi)\n"
        "	movq %rsi, %rsp\n"
        "	testq %rdx, %rdx\n"
        "	jz 1f\n"
        "	wrfsbase %rdx\n"
        "1:\n"
        "	popq %r15\n"
        "	popq %r14\n"
        "	popq %r13\n"
        "	popq %r12\n"
        "	popq %rbx\n"
        "	popq %rbp\n"
        "	ret\n"
        ".size explore_switch,.-explore_switch\n");
void explore_switch(void **save, void *to, uintptr_t fs);

static uintptr_t read_fs(void)
{
	uintptr_t fs;
	/* the thread control block begins with its own address */
	__asm__("movq %%fs:0, %0" : "=r"(fs));
	return fs;
}

static void change(void **save, void *to, uintptr_t fs)
{
	if (likely(fsgsbase)) {
		explore_switch(save, to, fs);
		return;
	}
	syscall(SYS_arch_prctl, ARCH_SET_FS, fs);
	explore_switch(save, to, 0);
}

static struct rseq *rseq_of(uintptr_t fs)
{
	return (struct rseq *)(fs + (uintptr_t)__rseq_offset);
}

static sem_t parked;

static _Noreturn void *park(void *arg)
{
	uintptr_t fs = read_fs();
	if (__rseq_size != 0)
		syscall(SYS_rseq, rseq_of(fs), sizeof(struct rseq), RSEQ_FLAG_UNREGISTER, RSEQ_SIG);
	*(uintptr_t *)arg = fs;
	sem_post(&parked);
	for (;;)
		pause();
}

static void start_parked(unsigned id)
{
	pthread_attr_t attributes;
	pthread_t thread;
	sigset_t all, before;
	int error = pthread_attr_init(&attributes);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	if (error == 0)
		error = pthread_attr_setstack(&attributes, (void *)(slot_base(id) + SLOT_SIZE - SLOT_PARKED),
		                              SLOT_PARKED);
	if (error == 0)
		error = pthread_create(&thread, &attributes, park, &fs_base[id]);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (error != 0) {
		fprintf(stderr, "chanbench: explore: no thread to borrow thread-local storage from (%s)\n",
		        strerror(error));
		exit(3);
	}
	pthread_attr_destroy(&attributes);
	while (sem_wait(&parked) != 0)
		;
}

void explore_coroutine_open(void)
{
	if (driver_fs != 0)
		return;
	driver_fs = read_fs();
	fsgsbase = (getauxval(AT_HWCAP2) & HWCAP2_FSGSBASE_BIT) != 0;
	sem_init(&parked, 0, 0);
	for (unsigned id = 0; id < EXPLORE_THREADS; id++)
		start_parked(id);
}

void explore_coroutine_prepare(unsigned id)
{
	char *top = (char *)slot_base(id) + SLOT_SIZE - SLOT_PARKED;
	memset(top - STACK_CLEARED, 0, STACK_CLEARED);
	/* so that the first function finds its stack aligned as after a call */
	void **sp = (void **)(top - 64);
	*sp = (void *)explore_thread_main;
	explore_now.thread[id].sp = sp - 6; /* six registers to be restored, all 0 */
	explore_tls_reset(fs_base[id]);
	if (__rseq_size != 0)
		rseq_of(fs_base[id])->cpu_id = rseq_of(fs_base[id])->cpu_id_start = explore_processor(id);
}

void explore_coroutine_switch(unsigned to)
{
	struct explore_thread *from = explore_now.current;
	explore_now.current = &explore_now.thread[to];
	change(from == NULL ? &driver_sp : &from->sp, explore_now.thread[to].sp, fs_base[to]);
}

void explore_coroutine_driver(void)
{
	struct explore_thread *from = explore_now.current;
	explore_now.current = NULL;
	change(&from->sp, driver_sp, driver_fs);
}

uintptr_t explore_coroutine_fs(unsigned id)
{
	return fs_base[id];
}

uintptr_t explore_stack_of(uintptr_t address)
{
	return address - REGION_BASE < STACKS_SIZE ? (address - REGION_BASE) / SLOT_SIZE + 1 : 0;
}
