/* SPDX-License-Identifier: MIT
 *
 * fault_scene.h - one operation while memory runs out: its first allocation fails, its second, ...
 * until it needs no more.
 *
 * Each time a channel is opened and prepared, the operation is made with one failing allocation
 * (and with all from that one on), made again with memory, and the channel is taken to its end:
 * what was sent must come out, in order, each value ends once, and nothing stays allocated. An
 * operation that ran out says CHAN_NOMEM, where it may, and has changed nothing.
 */
#ifndef CHANBENCH_RULES_FAULT_SCENE_H
#define CHANBENCH_RULES_FAULT_SCENE_H

#include "scenarios/rules/tally.h"

/* Elements are numbered by their first 8 bytes, in the order in which they are sent. */
#define SCENE_BATCH 80 /* messages, more than a block of any sensible size holds */
#define SCENE_SIZE  1024

struct scene {
	struct test *t;
	size_t size; /* of an element */
	struct tally tally;
	struct chan_config config;
	struct chan_sender *tx, *tx2;
	struct chan_receiver *rx, *rx2;
	struct chan_weak *weak, *weak2;
	struct counter counter;
	uint64_t sent, next; /* the number of the next message sent, and received */
	uint64_t copies;     /* how many values the test has been given */
	/* broadcast: a receive ran out of memory; whether its message counts as received is open */
	bool skipped;
};

struct scene_act {
	const char *what;
	enum chan_status (*act)(struct scene *s); /* NULL: the opening of the channel */
	void (*prepare)(struct scene *s);         /* after the opening; NULL: nothing */
	enum chan_status usual;                   /* what comes of it with memory */
	bool may_fail;                            /* it may say CHAN_NOMEM */
	bool allocates_nothing;                   /* and must not even try */
};

void scene_run(struct test *t, const struct scene_act *act);

/* One more message. */
enum chan_status scene_send(struct scene *s);
/* Without waiting; counts what came. */
enum chan_status scene_recv(struct scene *s, struct chan_receiver *rx);
/* Where an element may stand; the same memory each time. */
void *scene_buffer(void);
/* Writes the number into an element of the scene's size. */
void scene_number(const struct scene *s, void *msg, uint64_t number);

/* The three ways to prepare: three messages; four, which fill a channel; so many that the next
 * ones need another block. */
void scene_three(struct scene *s);
void scene_full(struct scene *s);

#endif
