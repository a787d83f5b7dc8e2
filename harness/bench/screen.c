/* SPDX-License-Identifier: MIT */
#include "harness/bench/screen.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { COLUMNS_USUAL = 100, COLUMNS_MIN = 60, COLUMNS_MAX = 1000 };

static int columns_of(FILE *out)
{
	struct winsize window = {.ws_col = 0};
	const char *text = getenv("COLUMNS");
	long columns = COLUMNS_USUAL;

	if (ioctl(fileno(out), TIOCGWINSZ, &window) == 0 && window.ws_col != 0)
		columns = window.ws_col;
	else if (text != NULL && strtol(text, NULL, 10) > 0)
		columns = strtol(text, NULL, 10);
	if (columns < COLUMNS_MIN)
		columns = COLUMNS_MIN;
	return columns < COLUMNS_MAX ? (int)columns : COLUMNS_MAX;
}

static bool is_utf8(void)
{
	static const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		const char *value = getenv(names[i]);
		if (value != NULL && value[0] != '\0') /* the first that is set decides */
			return strstr(value, "UTF-8") != NULL || strstr(value, "utf8") != NULL;
	}
	return false;
}

bool screen_open(struct screen *screen, FILE *out, const char *choice)
{
	const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");
	bool automatic = choice == NULL || strcmp(choice, "auto") == 0;
	bool terminal = isatty(fileno(out)) != 0 && term != NULL && strcmp(term, "dumb") != 0;

	*screen = (struct screen){.out = out, .columns = columns_of(out)};
	screen->colour =
		automatic ? terminal && (no_color == NULL || no_color[0] == '\0') : strcmp(choice, "always") == 0;
	screen->bars = screen->colour && is_utf8();
	return automatic || screen->colour || strcmp(choice, "never") == 0;
}

void screen_ink(const struct screen *screen, enum ink ink)
{
	static const char *const codes[] = {
		[INK_NONE] = "0", [INK_GOOD] = "32", [INK_BAD] = "1;31", [INK_DIM] = "2", [INK_BOLD] = "1"};
	if (screen->colour)
		fprintf(screen->out, "\033[%sm", codes[ink]);
}

void screen_prose(const struct screen *screen, int indent, int hanging, const char *text)
{
	int column = fprintf(screen->out, "%*s", indent, "");
	bool first = true;

	for (text += strspn(text, " \n"); *text != '\0'; text += strspn(text, " \n")) {
		int length = (int)strcspn(text, " \n");
		if (!first && column + 1 + length > screen->columns) {
			column = fprintf(screen->out, "\n%*s", hanging, "") - 1;
			first = true;
		}
		column += fprintf(screen->out, "%s%.*s", first ? "" : " ", length, text);
		first = false;
		text += length;
	}
	fputc('\n', screen->out);
}
