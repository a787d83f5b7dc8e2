/* SPDX-License-Identifier: MIT
 *
 * history_test.c - what is written is read, every field of it; what no recording makes is
 * refused, with the line that is wrong.
 */

#include "harness/bench/random.h"
#include "harness/say.h"
#include "harness/stress/history.h"
#include "harness/stress/stress.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

enum { COUNT = 2500 };

static char folder[] = "/tmp/chanbench-history-test-XXXXXX";

static int make_folder(void **state)
{
	(void)state;
	return mkdtemp(folder) == NULL;
}

static int remove_folder(void **state)
{
	(void)state;
	return rmdir(folder); /* each test has removed what it made */
}

/* Several threads' operations with anything in their fields. */
static struct op *any_operations(uint64_t *random)
{
	struct op *ops = calloc(COUNT, sizeof *ops);
	uint64_t stamp = 1;
	assert_non_null(ops);
	for (size_t i = 0; i < COUNT; i++) {
		struct op *op = &ops[i];
		op->thread = (uint16_t)(i * 7 / COUNT);
		op->chained = i > 0 && op[-1].thread == op->thread && random_below(random, 4) == 0;
		op->call = op->chained ? op[-1].call : stamp;
		op->ret = op->chained ? op[-1].ret : random_below(random, 50) == 0 ? OP_PENDING : stamp + 1;
		stamp += 2;
		op->code = (uint8_t)random_below(random, OP_CODES);
		op->status = (uint8_t)random_below(random, CHAN_NOMEM + 1);
		op->wait = (uint8_t)random_below(random, WAIT_NEVER + 1);
		op->value = random_next(random);
		op->extra = random_next(random);
		op->channel = (uint32_t)random_next(random);
		op->slots = (uint32_t)random_next(random);
		op->handle = (uint8_t)random_below(random, 64);
		op->other = (uint8_t)random_below(random, 64);
		op->flag = random_below(random, 2) == 0;
	}
	return ops;
}

static bool same(const struct op *a, const struct op *b)
{
	return a->call == b->call && a->ret == b->ret && a->thread == b->thread && a->code == b->code &&
	       a->status == b->status && a->wait == b->wait && a->value == b->value && a->extra == b->extra &&
	       a->channel == b->channel && a->slots == b->slots && a->handle == b->handle && a->other == b->other &&
	       a->flag == b->flag && a->chained == b->chained;
}

static void test_round_trip(void **state)
{
	uint64_t random = 17;
	(void)state;
	for (enum kind kind = 0; kind < KIND_COUNT; kind++) {
		struct op *ops = any_operations(&random);
		const struct history history = {.kind = kind,
		                                .capacity = 1 + random_below(&random, 1000),
		                                .initial = random_next(&random),
		                                .senders = random_next(&random),
		                                .receivers = random_next(&random),
		                                .ops = ops,
		                                .count = kind == KIND_WATCH ? 0 : COUNT};
		struct saved_history saved;
		char path[HISTORY_PATH_MAX], error[512];
		assert_int_equal(history_save(folder, "mine", 861928, &history, path, sizeof path), 0);
		assert_non_null(strstr(path, kind_names[kind]));
		if (!history_load(path, &saved, error, sizeof error))
			fail_msg("%s", error);
		assert_string_equal(saved.impl, "mine");
		assert_int_equal(saved.seed, 861928);
		assert_int_equal(saved.history.kind, kind);
		assert_int_equal(saved.history.capacity, history.capacity);
		assert_true(saved.history.initial == history.initial && saved.history.senders == history.senders &&
		            saved.history.receivers == history.receivers);
		assert_int_equal(saved.history.count, history.count);
		for (size_t i = 0; i < history.count; i++)
			assert_true(same(&saved.history.ops[i], &ops[i]));
		history_unload(&saved);
		free(ops);
		unlink(path);
	}
}

static char written[HISTORY_PATH_MAX];

static const char *write_text(const char *text)
{
	snprintf(written, sizeof written, "%s/text", folder);
	FILE *out = fopen(written, "w");
	assert_non_null(out);
	fputs(text, out);
	assert_int_equal(fclose(out), 0);
	return written;
}

#define HEAD(operations)                                                                                               \
	"chanbench history\t1\nimpl\tmine\nkind\tmpsc\nseed\t7\ncapacity\t1\ninitial\t0\nsenders\t1\nreceivers\t1\n"   \
	"operations\t" operations                                                                                      \
	"\ncall\tret\tthread\tcode\tstatus\twait\tvalue\textra\tchannel\tslots\thandle\tother\tflag\tchained\n"
#define REST "\t0\t0\t0\t0\t0\t0"
#define SENT "1\t2\t0\tsend\tCHAN_OK\tnow\t11" REST "\t0\n"
#define GOT  "3\t4\t1\trecv\tCHAN_OK\tnow\t11" REST "\t0\t# as people read it\n"

static void test_refused(void **state)
{
	static const struct {
		const char *text, *words;
	} wrongs[] = {
		{"", "line 1: this is no history"},
		{"operations\t1\n", "line 1: this is no history"},
		{"chanbench history\t2\n", "line 1: a history of another version (2; this is 1)"},
		{"chanbench history\t1\nimpl\tmine\nkind\tpipe\n", "line 3: 'pipe' is no kind"},
		{"chanbench history\t1\nimpl\tmine\nkind\tmpsc\nseed\t-7\n", "line 4: '-7' is no number"},
		{"chanbench history\t1\nimpl\tmine\nkind\tmpsc\nseed\t99999999999999999999\n", "line 4: '999"},
		{"chanbench history\t1\nimpl\tmine\nkind\tmpsc\nseed\t7\ninitial\t0\n", "line 5: 'capacity' should"},
		{HEAD("2") SENT GOT, "line 13: the file ends here"},
		{HEAD("2") SENT "3\t4\t1\trec", "line 12: the file ends in the middle of it"},
		{HEAD("2") SENT "end\n", "line 12: 'end' is no number"},
		{HEAD("1") SENT GOT "end\n", "line 12: 'end' should stand here"},
		{HEAD("18446744073709551615") SENT GOT "end\n", "line 9: '18446744073709551615' is no number"},
		{HEAD("99999999999999") SENT GOT "end\n", "line 13: 'end' is no number"},
		{HEAD("1") "1\t2\t0\tsend\tCHAN_OK\tnow\t11" REST "\nend\n", "line 11: 13 of 14 fields"},
		{HEAD("1") "1\t2\t0\tsend\tCHAN_OK\tnow\t11" REST "\t0\t0\nend\n", "line 11: more than 14 fields"},
		{HEAD("1") "1\t2\t0\tsent\tCHAN_OK\tnow\t11" REST "\t0\nend\n", "line 11: 'sent' is no operation"},
		{HEAD("1") "1\t2\t0\tsend\tOK\tnow\t11" REST "\t0\nend\n", "line 11: 'OK' is no status"},
		{HEAD("1") "1\t2\t0\tsend\tCHAN_OK\tsoon\t11" REST "\t0\nend\n", "line 11: 'soon' is no wait"},
		{HEAD("1") "1\t2\t65536\tsend\tCHAN_OK\tnow\t11" REST "\t0\nend\n", "line 11: '65536' is no number"},
		{HEAD("1") "1\t2\t0\tsend\tCHAN_OK\tnow\t11\t0\t0\t0\t64\t0\t0\t0\nend\n",
	         "'64' is no number that can"},
		{HEAD("1") "2\t2\t0\tsend\tCHAN_OK\tnow\t11" REST "\t0\nend\n", "line 11: it returned before"},
		{HEAD("1") "1\t2\t0\tsend\tCHAN_OK\tnow\t11" REST "\t1\nend\n", "line 11: chained, but not"},
		{HEAD("2") SENT "1\t3\t0\tsend\tCHAN_OK\tnow\t12" REST "\t1\nend\n", "line 12: chained, but not"},
		{HEAD("2") SENT "1\t2\t1\tsend\tCHAN_OK\tnow\t12" REST "\t1\nend\n", "line 12: chained, but not"},
		{HEAD("2") SENT "1\t2\t0\tsend\tCHAN_OK\tnow\t12" REST "\t0\nend\n", "line 12: called before"},
		{HEAD("3") SENT GOT "5\t6\t0\tsend\tCHAN_OK\tnow\t12" REST "\t0\nend\n",
	         "line 13: the operations of thread 0"},
	};
	struct saved_history saved;
	char error[512];
	(void)state;
	for (size_t i = 0; i < sizeof wrongs / sizeof *wrongs; i++) {
		assert_false(history_load(write_text(wrongs[i].text), &saved, error, sizeof error));
		if (strstr(error, wrongs[i].words) == NULL || strstr(error, written) == NULL)
			fail_msg("'%s', and not '%s'", error, wrongs[i].words);
		assert_null(saved.ops);
	}
	assert_true(history_load(write_text(HEAD("2") SENT GOT "end\n"), &saved, error, sizeof error));
	assert_int_equal(saved.history.count, 2);
	history_unload(&saved);
	unlink(written);
	assert_false(history_load(written, &saved, error, sizeof error));
	assert_non_null(strstr(error, strerror(ENOENT)));
	assert_false(history_load(folder, &saved, error, sizeof error));
	assert_non_null(strstr(error, folder));
}

static void expect_nothing_left(void)
{
	DIR *listing = opendir(folder);
	assert_non_null(listing);
	for (const struct dirent *entry; (entry = readdir(listing)) != NULL;)
		assert_true(entry->d_name[0] == '.');
	closedir(listing);
}

/* The error is the cause, and no half of a file stays behind. */
static void test_unwritable(void **state)
{
	uint64_t random = 3;
	struct op *ops = any_operations(&random);
	const struct history history = {.kind = KIND_MPSC, .capacity = 1, .ops = ops, .count = COUNT};
	char path[HISTORY_PATH_MAX], missing[sizeof folder + 16];
	struct rlimit limit, small;
	(void)state;
	snprintf(missing, sizeof missing, "%s/missing", folder);
	assert_int_equal(history_save(missing, "mine", 1, &history, path, sizeof path), ENOENT);
	assert_int_equal(history_save(folder, "mine", 1, &history, path, 20), ENAMETOOLONG);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	small = limit;
	small.rlim_cur = 100000;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	int error = history_save(folder, "mine", 1, &history, path, sizeof path);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	signal(SIGXFSZ, SIG_DFL);
	assert_int_equal(error, EFBIG);
	expect_nothing_left();
	free(ops);
}

/* What `recheck` prints goes to a file. */
static int recheck_into(const char *path, char *text, size_t size)
{
	char name[sizeof folder + 16];
	snprintf(name, sizeof name, "%s/out", folder);
	fflush(stdout);
	fflush(stderr);
	int out = open(name, O_RDWR | O_CREAT | O_TRUNC, 0600), kept[] = {dup(1), dup(2)};
	assert_true(out >= 0 && kept[0] >= 0 && kept[1] >= 0 && dup2(out, 1) == 1 && dup2(out, 2) == 2);
	int status = stress_recheck(path);
	fflush(stdout);
	dup2(kept[0], 1);
	dup2(kept[1], 2);
	ssize_t n = pread(out, text, size - 1, 0);
	assert_true(n >= 0);
	text[n] = '\0';
	close(kept[0]);
	close(kept[1]);
	close(out);
	unlink(name);
	return status;
}

static void test_recheck(void **state)
{
	static char text[16384];
	(void)state;
	assert_int_equal(recheck_into(write_text(HEAD("2") SENT GOT "end\n"), text, sizeof text), EXIT_GOOD);
	assert_non_null(strstr(text, "mine mpsc, round with --seed=7, 2 operations: ok"));
	assert_int_equal(recheck_into(write_text(HEAD("1") GOT "end\n"), text, sizeof text), EXIT_VERDICT);
	assert_non_null(strstr(text, "HISTORY\na value was received that nobody sent"));
	assert_int_equal(recheck_into(write_text(HEAD("2") GOT "end\n"), text, sizeof text), EXIT_USAGE);
	assert_non_null(strstr(text, "line 12"));
	unlink(written);
	assert_int_equal(recheck_into(written, text, sizeof text), EXIT_USAGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_round_trip), cmocka_unit_test(test_refused),
	                                   cmocka_unit_test(test_unwritable), cmocka_unit_test(test_recheck)};
	return cmocka_run_group_tests_name("history file", tests, make_folder, remove_folder);
}
