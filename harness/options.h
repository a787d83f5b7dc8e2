/* SPDX-License-Identifier: MIT
 *
 * options.h - command lines: each subcommand is a table of its options, from which both the reading
 * and the --help come.
 *
 * `--name=value` and `--name value` are the same. What is unknown, lacks its value, has one too
 * many or is given twice is refused with one line that says which; an unknown name comes with the
 * nearest known one.
 */
#ifndef CHANBENCH_OPTIONS_H
#define CHANBENCH_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct option {
	const char *name;     /* "impl" */
	const char *argument; /* "A,B"; NULL: it takes no value */
	const char *help;
	bool many; /* may be given more than once */
};

/* One or more. */
#define OPERANDS_MANY SIZE_MAX

struct command {
	const char *name;
	const char *usage; /* what follows "chanbench NAME " */
	const char *summary;
	const char *details;          /* paragraphs after the options; NULL: none */
	const char *examples;         /* lines */
	const struct option *options; /* ends with {NULL} */
	size_t operands;              /* how many arguments that are no options, or OPERANDS_MANY */
	/* argv[0] is the command's name; the result is the exit status (harness/say.h) */
	int (*run)(int argc, char **argv);
};

struct given {
	const struct option *option; /* NULL: an operand */
	const char *value;           /* "" for an option without one */
};

struct options {
	struct given *given;
	size_t count;
};

/* Reads argv[1] and what follows. Returns -1 to go on; else the exit status to leave with (after
 * --help, or after a line that says what is wrong). End with options_close, whatever it
 * returned. */
int options_read(struct options *options, const struct command *command, int argc, char **argv);
void options_close(struct options *options);

/* The value of an option, or NULL when it was not given. */
const char *options_get(const struct options *options, const char *name);

/* The `i`-th value of an option that may be given more than once, or (name NULL) the i-th
 * operand; NULL after the last. */
const char *options_nth(const struct options *options, const char *name, size_t i);

/* Reads a whole number of an option, `*number` unchanged when it was not given. 0; -1 after one
 * line when it is no number or out of range. */
int options_number(const struct options *options, const char *name, uint64_t low, uint64_t high, uint64_t *number);

/* The same for seconds ("0.3"). */
int options_seconds(const struct options *options, const char *name, double low, double high, double *seconds);

#endif
