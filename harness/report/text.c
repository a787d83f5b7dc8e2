/* SPDX-License-Identifier: MIT */
#include "harness/report/text.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REPLACEMENT "\xef\xbf\xbd"

void text_free(struct text *text)
{
	free(text->at);
	*text = (struct text){.at = NULL};
}

void text_add(struct text *text, const char *bytes, size_t length)
{
	if (text->failed)
		return;
	if (text->length + length + 1 > text->room) {
		size_t room = 2 * text->room + length + 256;
		char *at = realloc(text->at, room);
		if (at == NULL) {
			text->failed = true;
			return;
		}
		text->at = at;
		text->room = room;
	}
	memcpy(text->at + text->length, bytes, length);
	text->length += length;
	text->at[text->length] = '\0';
}

void text_put(struct text *text, const char *markup)
{
	text_add(text, markup, strlen(markup));
}

/* The length of the UTF-8 sequence at `s` and its code point; 0: it is none. */
static size_t sequence(const unsigned char *s, uint32_t *point)
{
	size_t length = s[0] < 0x80 ? 1 : s[0] >= 0xf0 && s[0] < 0xf5 ? 4 : s[0] >= 0xe0 ? 3 : s[0] >= 0xc2 ? 2 : 0;
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};

	if (length == 0 || s[0] >= 0xf5)
		return 0;
	*point = length == 1 ? s[0] : s[0] & (0x7fu >> length);
	for (size_t i = 1; i < length; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0; /* the terminating zero, too */
		*point = *point << 6 | (s[i] & 0x3f);
	}
	if (*point < least[length] || *point > 0x10ffff || (*point >= 0xd800 && *point < 0xe000))
		return 0;
	return length;
}

/* Whether it could change how its neighbours look, or is not allowed in XML. */
static bool hidden(uint32_t c)
{
	return (c < 0x20 && c != '\t' && c != '\n') || (c >= 0x7f && c < 0xa0) || c == 0x61c ||
	       (c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f) ||
	       c == 0xfeff || (c & 0xfffe) == 0xfffe;
}

void text_escape(struct text *text, const char *string)
{
	const unsigned char *s = (const unsigned char *)string;

	while (s != NULL && *s != '\0') {
		uint32_t point = 0;
		size_t length = sequence(s, &point);
		if (length == 0 || hidden(point))
			text_put(text, REPLACEMENT);
		else if (*s == '&')
			text_put(text, "&amp;");
		else if (*s == '<')
			text_put(text, "&lt;");
		else if (*s == '>')
			text_put(text, "&gt;");
		else if (*s == '"')
			text_put(text, "&quot;");
		else if (*s == '\'')
			text_put(text, "&#39;");
		else
			text_add(text, (const char *)s, length);
		s += length == 0 ? 1 : length;
	}
}

void text_html(struct text *text, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	while (*format != '\0') {
		size_t plain = strcspn(format, "%");
		text_add(text, format, plain);
		format += plain;
		if (*format == '\0')
			break;
		char spec[16] = "", number[400];
		size_t length = strcspn(format + 1, "scdufg%") + 2;
		if (length >= sizeof spec)
			abort(); /* no such conversion: a mistake in our own text */
		memcpy(spec, format, length);
		format += length;
		switch (spec[length - 1]) {
		case 's':
			text_escape(text, va_arg(args, const char *));
			continue;
		case 'c':
			snprintf(number, sizeof number, "%c", va_arg(args, int));
			break;
		case 'd':
			snprintf(number, sizeof number, "%d", va_arg(args, int));
			break;
		case 'u':
			snprintf(number, sizeof number, "%zu", va_arg(args, size_t));
			break;
		case '%':
			snprintf(number, sizeof number, "%%");
			break;
		default:
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
			if (strchr(spec, '*') != NULL) {
				int precision = va_arg(args, int);
				snprintf(number, sizeof number, spec, precision, va_arg(args, double));
			} else {
				snprintf(number, sizeof number, spec, va_arg(args, double));
			}
#pragma GCC diagnostic pop
		}
		text_put(text, number);
	}
	va_end(args);
}

void text_json(struct text *text, const char *string)
{
	text_put(text, "\"");
	for (const unsigned char *s = (const unsigned char *)string; s != NULL && *s != '\0';) {
		uint32_t point = 0;
		size_t length = sequence(s, &point);
		char code[8];
		if (length == 0)
			text_put(text, REPLACEMENT);
		else if (point < 0x20 || strchr("\"\\<>&'", (int)*s) != NULL || point == 0x2028 || point == 0x2029) {
			snprintf(code, sizeof code, "\\u%04x", (unsigned)point);
			text_put(text, code);
		} else
			text_add(text, (const char *)s, length);
		s += length == 0 ? 1 : length;
	}
	text_put(text, "\"");
}

void text_slug(const char *string, char *slug, size_t size)
{
	uint32_t hash = 2166136261u;
	size_t n = 0;
	bool changed = string[0] == '\0' || string[0] == '.';

	for (const char *s = string; *s != '\0'; s++) {
		bool good = (*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z') || (*s >= '0' && *s <= '9') ||
		            strchr("_.+@-", *s) != NULL;
		hash = (hash ^ (unsigned char)*s) * 16777619u;
		if (n + 12 >= size) {
			changed = true;
			continue;
		}
		slug[n] = good && (*s != '.' || n != 0) ? *s : '-';
		changed |= slug[n++] != *s;
	}
	slug[n] = '\0';
	if (changed)
		snprintf(slug + n, size - n, "~%08x", (unsigned)hash);
}
