/* SPDX-License-Identifier: MIT
 *
 * main.c - chanbench: the table of its commands. It runs one, and makes sure that what the command
 * printed has arrived.
 */
#include "harness/bench/cell_child.h"
#include "harness/bench/provenance.h"
#include "harness/check/check.h"
#include "harness/cli/commands.h"
#include "harness/explore/command/command.h"
#include "harness/say.h"
#include "harness/stress/stress.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const struct command explore = {.name = "explore", .run = explore_command};

static const struct {
	const struct command *command;
	const char *what;
} commands[] = {
	{&list_command, "what there is: implementations, scenarios, parameters, presets"},
	{&bench_command, "measures, and prints a table"},
	{&compare_command, "says what became faster, slower or broken from one result file to another"},
	{&report_command, "makes pages of result files"},
	{&check_command, "tests the rules of the contract"},
	{&stress_command, "lets threads loose on it, and checks the tally and the histories"},
	{&explore, "runs small programs under every interleaving, and every memory order that C11 allows"},
};

enum { COMMANDS = sizeof commands / sizeof commands[0] };

static int help(void)
{
	printf("chanbench - compares channels for threads: is each right, and what does it cost?\n"
	       "\n"
	       "usage: chanbench COMMAND [OPTION...]\n"
	       "\n");
	for (size_t i = 0; i < COMMANDS; i++)
		printf("  %-10s %s\n", commands[i].command->name, commands[i].what);
	printf("\n"
	       "  chanbench COMMAND --help tells more, with examples; --version says what this is.\n"
	       "\n"
	       "exit status: 0 all is well; 1 a verdict failed; 2 wrong usage; 3 the machine or the harness failed;\n"
	       "             128 + signal: interrupted, and what was measured is kept\n"
	       "\n"
	       "examples:\n"
	       "  chanbench bench --quick                          everything, in a few minutes\n"
	       "  chanbench bench --scenario=fan_in --param=producers=1,2,4,8 --out=fan_in.json\n"
	       "  chanbench check --plugin=./mine.so               is my channel right?\n"
	       "  chanbench explore --plugin-source=mine.c         in every interleaving?\n");
	return EXIT_GOOD;
}

static int refuse(const char *name)
{
	const char *names[COMMANDS];
	for (size_t i = 0; i < COMMANDS; i++)
		names[i] = commands[i].command->name;
	const char *nearest = say_nearest(name, names, COMMANDS);
	if (nearest != NULL)
		say("unknown command '%s'; did you mean '%s'?", name, nearest);
	else
		say("unknown command '%s': see 'chanbench --help'", name);
	return EXIT_USAGE;
}

/* "no command: list, bench ... or explore" */
static int refuse_nothing(void)
{
	char text[256];
	size_t n = 0;
	for (size_t i = 0; i < COMMANDS; i++)
		n += (size_t)snprintf(text + n, sizeof text - n, "%s%s",
		                      i == 0              ? ""
		                      : i + 1 == COMMANDS ? " or "
		                                          : ", ",
		                      commands[i].command->name);
	say("no command: %s; see 'chanbench --help'", text);
	return EXIT_USAGE;
}

static int dispatch(int argc, char **argv)
{
	if (argc < 2)
		return refuse_nothing();
	const char *name = argv[1];
	if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 || strcmp(name, "help") == 0)
		return help();
	if (strcmp(name, "--version") == 0) {
		provenance_print_version();
		return EXIT_GOOD;
	}
	for (size_t i = 0; i < COMMANDS; i++)
		if (strcmp(name, commands[i].command->name) == 0)
			return commands[i].command->run(argc - 1, argv + 1);
	if (strcmp(name, "bench-cell") == 0) /* hidden: the process of a cell */
		return bench_cell_main(argc - 1, argv + 1);
	return refuse(name);
}

/* A closed standard descriptor would be given to the next file or pipe that is opened, and that
 * would then have the table in it. In its place stands one that refuses every use. */
static int hold_standard_descriptors(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) != fd)
			return -1;
	return 0;
}

int main(int argc, char **argv)
{
	if (hold_standard_descriptors() != 0)
		return EXIT_MACHINE; /* and there is nowhere to say so */
	/* A file that may not grow further is an error like others. */
	signal(SIGXFSZ, SIG_IGN);
	int status = dispatch(argc, argv);
	if (fflush(stdout) != 0 || ferror(stdout) != 0) {
		say("cannot write to the standard output: %s", strerror(errno));
		return EXIT_MACHINE;
	}
	return status;
}
