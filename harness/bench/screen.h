/* SPDX-License-Identifier: MIT
 *
 * screen.h - where text for a person goes: how wide it is, and whether it has colours.
 */
#ifndef CHANBENCH_SCREEN_H
#define CHANBENCH_SCREEN_H

#include <stdbool.h>
#include <stdio.h>

struct screen {
	FILE *out;
	int columns;
	bool colour; /* escape sequences and bars; nothing is ever said by colour alone */
	bool bars;   /* colour, and the locale is UTF-8 */
};

enum ink { INK_NONE, INK_GOOD, INK_BAD, INK_DIM, INK_BOLD };

/* A terminal is as wide as it says; elsewhere COLUMNS counts, and without it 100. `choice` is that
 * of --color: "auto" (or NULL) means a terminal without NO_COLOR; "always"; "never". False:
 * it is none of them. */
bool screen_open(struct screen *screen, FILE *out, const char *choice);

/* Changes the colour of what follows; INK_NONE is the usual one. Nothing without colours. */
void screen_ink(const struct screen *screen, enum ink ink);

/* Prints one paragraph and breaks its lines between words. The first line begins behind `indent`
 * spaces, the others behind `hanging`. */
void screen_prose(const struct screen *screen, int indent, int hanging, const char *text);

#endif
