/* SPDX-License-Identifier: MIT
 *
 * ledger_test.c - one broken stream for each thing that the ledger can name, with one consumer and
 * with several.
 */
#include "harness/bench/ledger.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

enum { PRODUCERS = 3, TOTAL = 1000, WORDS = 4 };
static const uint64_t SALT = 0x1234567890abcdef;

static struct ledger ledgers[2];
static struct ledger_sent sent[PRODUCERS];

static void begin(size_t consumers)
{
	for (size_t i = 0; i < consumers; i++)
		ledger_init(&ledgers[i], SALT, PRODUCERS, TOTAL, consumers == 1);
	for (size_t p = 0; p < PRODUCERS; p++) {
		sent[p] = (struct ledger_sent){.count = ledger_share(TOTAL, PRODUCERS, p)};
		for (uint64_t i = 0; i < sent[p].count; i++)
			sent[p].sum += message_name(SALT, p, i);
	}
}

static void receive(size_t consumer, uint64_t producer, uint64_t seq)
{
	uint64_t msg[WORDS];
	message_fill(msg, WORDS, message_name(SALT, producer, seq));
	ledger_receive(&ledgers[consumer], msg, WORDS);
}

/* Everything that producer p sent, from number `from` on, by one consumer. */
static void receive_rest(size_t consumer, uint64_t p, uint64_t from)
{
	for (uint64_t i = from; i < sent[p].count; i++)
		receive(consumer, p, i);
}

static struct ledger_balance balance;
static char text[200];

static void end(size_t consumers, const char *verdict)
{
	ledger_balance(ledgers, consumers, sent, &balance);
	if (!ledger_verdict(&balance, text, sizeof text))
		snprintf(text, sizeof text, "ok");
	for (size_t i = 0; i < consumers; i++)
		ledger_free(&ledgers[i]);
	assert_string_equal(text, verdict);
}

static void test_good(void **state)
{
	(void)state;
	begin(1);
	for (uint64_t p = 0; p < PRODUCERS; p++)
		receive_rest(0, p, 0);
	end(1, "ok");

	begin(2); /* turn and turn about */
	for (uint64_t p = 0; p < PRODUCERS; p++)
		for (uint64_t i = 0; i < sent[p].count; i++)
			receive(i % 2, p, i);
	end(2, "ok");
	assert_int_equal(balance.received, TOTAL);
}

static void test_lost(void **state)
{
	(void)state;
	begin(1);
	for (uint64_t i = 0; i < sent[0].count; i++)
		if (i % 100 != 7)
			receive(0, 0, i);
	receive_rest(0, 1, 0);
	receive_rest(0, 2, 0);
	end(1, "lost 4 of 1000 messages");

	begin(1); /* the tail of one, all of another */
	for (uint64_t i = 0; i < sent[0].count - 3; i++)
		receive(0, 0, i);
	receive_rest(0, 1, 0);
	end(1, "lost 336 of 1000 messages");

	begin(2);
	receive_rest(0, 0, 1);
	receive_rest(1, 1, 2);
	receive_rest(0, 2, 3);
	end(2, "lost 6 of 1000 messages");
}

static void test_duplicated(void **state)
{
	(void)state;
	begin(1);
	receive(0, 0, 0);
	receive_rest(0, 0, 0);
	receive_rest(0, 1, 0);
	receive(0, 0, 200);
	receive_rest(0, 2, 0);
	end(1, "duplicated 2 of 1000 messages");

	begin(2); /* by another consumer, and by the same */
	for (uint64_t p = 0; p < PRODUCERS; p++)
		receive_rest(0, p, 0);
	receive(1, 1, 64);
	receive(0, 1, 63);
	end(2, "duplicated 2 of 1000 messages");
}

static void test_reordered(void **state)
{
	(void)state;
	begin(1);
	receive(0, 0, 1);
	receive(0, 0, 0);
	receive_rest(0, 0, 2);
	receive_rest(0, 1, 0);
	receive_rest(0, 2, 0);
	end(1, "reordered 1 of 1000 messages");

	begin(2); /* each consumer for itself: the second is in order */
	receive(0, 0, 5);
	receive(0, 0, 3);
	receive(1, 0, 0);
	receive(1, 0, 1);
	receive(1, 0, 2);
	receive(1, 0, 4);
	receive_rest(1, 0, 6);
	receive_rest(0, 1, 0);
	receive_rest(1, 2, 0);
	end(2, "reordered 1 of 1000 messages");
}

static void test_corrupted(void **state)
{
	(void)state;
	/* every bit of the name is seen, and every bit of the last word */
	for (unsigned bit = 0; bit < 128; bit++) {
		uint64_t msg[WORDS];
		begin(1);
		receive(0, 0, 0);
		message_fill(msg, WORDS, message_name(SALT, 0, 1));
		msg[bit < 64 ? 0 : WORDS - 1] ^= (uint64_t)1 << bit % 64;
		ledger_receive(&ledgers[0], msg, WORDS);
		receive_rest(0, 0, 2);
		receive_rest(0, 1, 0);
		receive_rest(0, 2, 0);
		end(1, "corrupted 1 of 1000 messages");
	}
	/* an inner word that is spoiled in all messages is seen in those whose turn it is */
	begin(1);
	for (uint64_t p = 0; p < PRODUCERS; p++)
		for (uint64_t i = 0; i < sent[p].count; i++) {
			uint64_t msg[WORDS];
			message_fill(msg, WORDS, message_name(SALT, p, i));
			msg[1] = 0;
			ledger_receive(&ledgers[0], msg, WORDS);
		}
	ledger_balance(ledgers, 1, sent, &balance);
	ledger_free(&ledgers[0]);
	assert_in_range(balance.corrupted, TOTAL / 4, TOTAL * 3 / 4);
	/* zeros, and a message of another trial, are none of this one */
	begin(1);
	uint64_t zeros[WORDS] = {0}, stale[WORDS];
	message_fill(stale, WORDS, message_name(SALT + 1, 0, 0));
	assert_false(ledger_receive(&ledgers[0], zeros, WORDS));
	assert_false(ledger_receive(&ledgers[0], stale, WORDS));
	ledger_free(&ledgers[0]);
}

/* Batches of one-word messages from three producers, with one of each kind of damage: the books
 * are those of one message at a time. */
static void test_batches(void **state)
{
	uint64_t all[TOTAL + 4];
	size_t n = 0;
	(void)state;
	for (uint64_t chunk = 0; chunk < 400; chunk += 40)
		for (uint64_t p = 0; p < PRODUCERS; p++)
			for (uint64_t i = chunk; i < chunk + 40 && i < ledger_share(TOTAL, PRODUCERS, p); i++)
				all[n++] = message_name(SALT, p, i);
	assert_int_equal(n, TOTAL);
	for (int damage = 0; damage < 5; damage++) {
		uint64_t msgs[TOTAL + 1], swapped;
		size_t count = TOTAL;
		memcpy(msgs, all, sizeof msgs[0] * TOTAL);
		msgs[TOTAL] = all[50]; /* again */
		if (damage == 1)
			msgs[333] ^= 1;
		else if (damage == 2)
			swapped = msgs[210], msgs[210] = msgs[211], msgs[211] = swapped;
		else if (damage == 3)
			count--;
		else if (damage == 4)
			count++;
		char expected[200];
		for (int batched = 0; batched < 2; batched++) {
			begin(1);
			for (size_t i = 0, step; i < count; i += step) {
				step = batched ? (i * 7 % 50) + 1 : 1;
				if (step > count - i)
					step = count - i;
				if (batched)
					ledger_receive_many(&ledgers[0], msgs + i, step, 1);
				else
					ledger_receive(&ledgers[0], msgs + i, 1);
			}
			ledger_balance(ledgers, 1, sent, &balance);
			bool bad = ledger_verdict(&balance, text, sizeof text);
			assert_int_equal(bad, damage != 0);
			if (batched && bad)
				assert_string_equal(text, expected);
			else if (bad)
				strcpy(expected, text);
			ledger_free(&ledgers[0]);
		}
	}
}

static void test_invented(void **state)
{
	(void)state;
	begin(1);
	for (uint64_t p = 0; p < PRODUCERS; p++)
		receive_rest(0, p, 0);
	receive(0, 0, sent[0].count);
	receive(0, PRODUCERS, 0);
	end(1, "invented 2 of 1000 messages");

	begin(1); /* it says that it sent less than it was to */
	for (uint64_t p = 0; p < PRODUCERS; p++)
		receive_rest(0, p, 0);
	sent[1].count -= 5;
	end(1, "invented 5 of 995 messages");

	begin(2);
	for (uint64_t p = 0; p < PRODUCERS; p++)
		receive_rest(p % 2, p, 0);
	sent[1].count -= 70;
	end(2, "invented 70 of 930 messages");
}

static void test_several_at_once(void **state)
{
	(void)state;
	begin(1);
	receive(0, 0, 2);
	receive(0, 0, 1);
	receive(0, 0, 1);
	receive_rest(0, 0, 3);
	receive_rest(0, 1, 0);
	receive_rest(0, 2, 0);
	end(1, "lost 1 of 1000 messages, duplicated 1, reordered 1");
}

static void test_checksum(void **state)
{
	(void)state;
	begin(1);
	for (uint64_t p = 0; p < PRODUCERS; p++)
		receive_rest(0, p, 0);
	sent[2].sum++;
	end(1, "checksum: the names received do not add up to those sent");
}

static void test_shares(void **state)
{
	(void)state;
	for (uint64_t total = 0; total < 50; total++)
		for (size_t n = 1; n < 9; n++) {
			uint64_t sum = 0;
			for (size_t i = 0; i < n; i++)
				sum += ledger_share(total, n, i);
			assert_int_equal(sum, total);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),       cmocka_unit_test(test_lost),
		cmocka_unit_test(test_duplicated), cmocka_unit_test(test_reordered),
		cmocka_unit_test(test_corrupted),  cmocka_unit_test(test_batches),
		cmocka_unit_test(test_invented),   cmocka_unit_test(test_several_at_once),
		cmocka_unit_test(test_checksum),   cmocka_unit_test(test_shares),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
