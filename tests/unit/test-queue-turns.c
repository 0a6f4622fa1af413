/* SPDX-License-Identifier: MIT */
/*
 * Requests that wait: who may pass whom, what is kept for whom and how long, and that nothing of it
 * stays of those who leave.
 */
#include <errno.h>

#include "queue-fixture.h"

static void small_pass_large_so_often(void **state)
{
	struct fixture *f = *state;

	add(f, &f->a, pool("p"), 100 * PAGE);
	pass(f, NULL, pool("p"), PASSES - 1, 0);
	pass(f, NULL, pool("q"), 100, 0);
	pass(f, NULL, user(1), 100, 0);
	assert_int_equal(kept(f, NULL, pool("p")), 0);
	pass(f, NULL, pool("p"), 1, 0);
	assert_int_equal(kept(f, NULL, pool("p")), 100 * PAGE);
	assert_int_equal(kept(f, NULL, pool("q")), 0);
	/* Nothing is kept from the waiter itself. */
	assert_int_equal(kept(f, &f->a, pool("p")), 0);
	queue_remove(f->queue, &f->a);
	assert_int_equal(kept(f, NULL, pool("p")), 0);
}

static void who_comes_first_is_not_passed(void **state)
{
	struct fixture *f = *state;

	add(f, &f->a, pool("p"), PAGE);
	add(f, &f->b, pool("p"), 100 * PAGE);
	pass(f, &f->a, pool("p"), 100, 0);
	assert_int_equal(kept(f, NULL, pool("p")), 0);
	pass(f, &f->b, pool("p"), PASSES, 0);
	assert_int_equal(kept(f, NULL, pool("p")), PAGE);
	assert_int_equal(kept(f, &f->b, pool("p")), PAGE);
	queue_remove(f->queue, &f->a);
	queue_remove(f->queue, &f->b);
}

/* A large one that nothing helps does not hold back small ones for ever; its turn comes again. */
static void turns_end_and_come_again(void **state)
{
	struct fixture *f = *state;

	add(f, &f->a, pool("p"), 100 * PAGE);
	add(f, &f->b, pool("p"), 100 * PAGE);
	for (uint64_t now = 7; now < 10 * KEEP; now += 2 * KEEP) {
		pass(f, &f->b, pool("p"), PASSES, now);
		assert_int_equal(kept(f, &f->b, pool("p")), 100 * PAGE);
		assert_int_equal(queue_get_time(f->queue), now + KEEP);
		assert_null(queue_expire(f->queue, now + KEEP - 1));
		assert_int_equal(kept(f, &f->b, pool("p")), 100 * PAGE);
		assert_false(queue_is_touched(f->queue));
		assert_null(queue_expire(f->queue, now + KEEP));
		assert_int_equal(kept(f, &f->b, pool("p")), 0);
		/* Whom it held back is tried; the first was not, in this round. */
		assert_ptr_equal(queue_next(f->queue), &f->b);
		refuse(f, &f->b, pool("p"), 100 * PAGE);
		assert_null(queue_next(f->queue));
	}
	queue_remove(f->queue, &f->a);
	queue_remove(f->queue, &f->b);
}

/* Two large ones, both passed: one after the other, not the first over and over. */
static void turns_go_round(void **state)
{
	struct fixture *f = *state;

	add(f, &f->a, pool("p"), 100 * PAGE);
	add(f, &f->b, pool("p"), 50 * PAGE);
	pass(f, NULL, pool("p"), PASSES, 0);
	assert_int_equal(kept(f, NULL, pool("p")), 100 * PAGE);
	queue_expire(f->queue, KEEP);
	assert_int_equal(kept(f, NULL, pool("p")), 50 * PAGE);
	/* The first came first still: nothing is kept from it. */
	assert_int_equal(kept(f, &f->a, pool("p")), 0);
	pass(f, NULL, pool("p"), PASSES, KEEP);
	queue_expire(f->queue, 2 * KEEP);
	assert_int_equal(kept(f, NULL, pool("p")), 100 * PAGE);
	queue_remove(f->queue, &f->a);
	queue_remove(f->queue, &f->b);
}

/* Who is short of something else now keeps nothing of what it was short of before. */
static void other_shortage_other_turn(void **state)
{
	struct fixture *f = *state;

	add(f, &f->a, pool("p"), 100 * PAGE);
	add(f, &f->b, pool("p"), PAGE);
	pass(f, NULL, pool("p"), PASSES, 0);
	refuse(f, &f->a, pool("p"), 100 * PAGE);
	assert_int_equal(kept(f, NULL, pool("p")), 100 * PAGE);
	assert_false(queue_is_touched(f->queue));
	refuse(f, &f->a, user(1), 100 * PAGE);
	assert_int_equal(kept(f, NULL, pool("p")), 0);
	assert_int_equal(kept(f, NULL, user(1)), 0);
	assert_ptr_equal(queue_next(f->queue), &f->b);
	queue_remove(f->queue, &f->a);
	queue_remove(f->queue, &f->b);
}

/* Death of a waiter: what was kept for it is there for the others, and they are told. */
static void leaves_no_trace(void **state)
{
	struct fixture *f = *state;

	add(f, &f->a, pool("p"), 100 * PAGE);
	add(f, &f->b, pool("p"), PAGE);
	add(f, &f->c, pool("q"), PAGE);
	f->a.uid = f->b.uid = 1;
	f->c.uid = 2;
	assert_int_equal(queue_count(f->queue), 3);
	assert_int_equal(queue_count_of(f->queue, 1), 2);
	pass(f, NULL, pool("p"), PASSES, 0);
	queue_remove(f->queue, &f->a);
	assert_null(f->a.things);
	assert_int_equal(queue_count(f->queue), 2);
	assert_int_equal(queue_count_of(f->queue, 1), 1);
	assert_int_equal(kept(f, NULL, pool("p")), 0);
	assert_ptr_equal(queue_next(f->queue), &f->b);
	queue_remove(f->queue, &f->b);
	assert_null(queue_next(f->queue));
	queue_remove(f->queue, &f->c);
	assert_int_equal(queue_get_time(f->queue), UINT64_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(small_pass_large_so_often), TEST(who_comes_first_is_not_passed),
		TEST(turns_end_and_come_again),  TEST(turns_go_round),
		TEST(other_shortage_other_turn), TEST(leaves_no_trace),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
