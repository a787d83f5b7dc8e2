/* SPDX-License-Identifier: MIT
 *
 * broken_program.c - a program that hands a block of memory from one thread to another, right or,
 * with one of the macros below defined, wrong in one way. scripts/test explores each: the verdict
 * must be the macro's name.
 */
#include <assert.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t filled = PTHREAD_COND_INITIALIZER;
static int *box;
static atomic_bool done;

/* Whether the box is full at this moment. */
static bool look(void)
{
	pthread_mutex_lock(&lock);
	bool full = box != NULL;
	pthread_mutex_unlock(&lock);
	return full;
}

static void *fill(void *arg)
{
	int *block = malloc(sizeof *block);

	*block = 42;
#ifndef RACE
	pthread_mutex_lock(&lock);
#endif
	box = block;
	pthread_cond_signal(&filled);
#ifndef RACE
	pthread_mutex_unlock(&lock);
#endif
#if defined USE_AFTER_FREE
	free(block);
#elif defined DOUBLE_FREE
	if (look())
		free(block);
#endif
	atomic_store(&done, true);
	return arg;
}

static int *take(void)
{
#ifdef DEADLOCK
	bool full = look();
	pthread_mutex_lock(&lock);
	while (!full) {
		pthread_cond_wait(&filled, &lock);
		full = box != NULL;
	}
#else
	pthread_mutex_lock(&lock);
	while (box == NULL && !atomic_load(&done))
		pthread_cond_wait(&filled, &lock);
#endif
	int *block = box;
#ifndef DOUBLE_FREE
	box = NULL;
#endif
	pthread_mutex_unlock(&lock);
	return block;
}

int main(void)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, fill, NULL) != 0)
		return 1;
#if defined ASSERT
	assert(!look());
#elif defined LIVELOCK
	if (!look())
		while (!look() || !atomic_load(&done) || box != NULL)
			sched_yield();
#elif defined HANG
	if (look())
		for (;;)
			;
#elif defined LEAK
	if (look())
		(void)take();
#endif
	int *block = take();
#if defined LEAK || defined DOUBLE_FREE
	if (block != NULL)
#endif
	{
#ifndef DOUBLE_FREE
		assert(*block == 42);
#endif
#ifndef USE_AFTER_FREE
		free(block);
#endif
	}
	pthread_join(thread, NULL);
	return 0;
}
