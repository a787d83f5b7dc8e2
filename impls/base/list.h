/* SPDX-License-Identifier: MIT
 *
 * list.h - an intrusive doubly linked list: queues of waiters, unlinked from the middle in constant
 * time.
 *
 * It is not synchronised: the owner of the list holds the lock that guards it. A node stands in at
 * most one list. list_unlink needs no head and may be called again, so a waiter that gives up is
 * unlinked from whichever list it stands in by then.
 */
#ifndef CHANBENCH_BASE_LIST_H
#define CHANBENCH_BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct list {
	struct list *next, *prev;
};

/* The struct of type `type` whose member `member` is the node. */
#define LIST_ENTRY(node, type, member) ((type *)(void *)((char *)(node)-offsetof(type, member)))

static inline void list_init(struct list *l)
{
	l->next = l->prev = l;
}

/* For the head of a list. For a node it says that the node is in none. */
static inline bool list_empty(const struct list *l)
{
	return l->next == l;
}

static inline void list_append(struct list *head, struct list *node)
{
	node->prev = head->prev;
	node->next = head;
	head->prev->next = node;
	head->prev = node;
}

static inline void list_prepend(struct list *head, struct list *node)
{
	list_append(head->next, node); /* before the first */
}

static inline void list_unlink(struct list *node)
{
	node->prev->next = node->next;
	node->next->prev = node->prev;
	list_init(node);
}

#endif
