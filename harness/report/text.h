/* SPDX-License-Identifier: MIT
 *
 * text.h - text that grows, and the one way in which anything from a file becomes markup: escaped.
 *
 * A text that could not grow is `failed` from then on and takes nothing more, so that callers look
 * once, at the end.
 */
#ifndef CHANBENCH_REPORT_TEXT_H
#define CHANBENCH_REPORT_TEXT_H

#include <stdbool.h>
#include <stddef.h>

struct text {
	char *at; /* ends with a zero, unless it is NULL: empty */
	size_t length, room;
	bool failed;
};

void text_free(struct text *text);

/* Adds bytes as they are: markup of our own, never what was read. */
void text_put(struct text *text, const char *markup);
void text_add(struct text *text, const char *bytes, size_t length);

/* Adds a string so that HTML and XML show it and nothing else happens, in text and between quotes:
 * & < > " ' become references; control characters, bytes that are no UTF-8, and marks that turn the
 * direction of writing become U+FFFD. NULL adds nothing. */
void text_escape(struct text *text, const char *string);

/* Adds markup in which every %s is escaped. Of printf it has %s, %c, %d, %zu, %%, and %f and %g
 * with a precision, also %.*f. */
void text_html(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Adds a JSON string, quotes included; '<' is written so that no script element can end in it. */
void text_json(struct text *text, const char *string);

/* Writes what of a string may stand in a file's name and in an anchor: letters, digits, '_',
 * '.', '+', '@' and '-'. Where that is not the whole string, eight digits of its hash follow, so
 * that two strings never share a name. */
void text_slug(const char *string, char *slug, size_t size);

#endif
