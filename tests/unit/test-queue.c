/* SPDX-License-Identifier: MIT */
/*
 * Requests that wait: who is tried when something comes free, in which order, and how long.
 */
#include <errno.h>

#include "queue-fixture.h"

static void first_come_first_tried(void **state)
{
	struct fixture *f = *state;

	add(f, &f->b, pool("p"), PAGE);
	add(f, &f->a, pool("p"), PAGE);
	add(f, &f->c, pool("p"), PAGE);
	assert_false(queue_is_touched(f->queue));
	assert_null(queue_next(f->queue));
	give_back_to(f, pool("p"));
	assert_true(queue_is_touched(f->queue));
	assert_ptr_equal(queue_next(f->queue), &f->b);
	queue_remove(f->queue, &f->b);
	assert_ptr_equal(queue_next(f->queue), &f->a);
	queue_remove(f->queue, &f->a);
	assert_ptr_equal(queue_next(f->queue), &f->c);
	queue_remove(f->queue, &f->c);
	assert_null(queue_next(f->queue));
}

/* The place in the line is that of the arrival, however often it was tried in vain. */
static void refused_keeps_its_place(void **state)
{
	struct fixture *f = *state;

	add(f, &f->a, user(1), PAGE);
	add(f, &f->b, user(1), PAGE);
	for (int i = 0; i < 3; i++) {
		give_back_to(f, user(1));
		assert_ptr_equal(queue_next(f->queue), &f->a);
		refuse(f, &f->a, user(1), PAGE);
		queue_next(f->queue);
		while (queue_next(f->queue))
			;
	}
	queue_remove(f->queue, &f->a);
	queue_remove(f->queue, &f->b);
}

static void only_who_waits_for_it_is_tried(void **state)
{
	struct fixture *f = *state;
	const struct account_id both[] = {user(1), pool("q")};

	add(f, &f->a, pool("p"), PAGE);
	add(f, &f->b, user(1), PAGE);
	add(f, &f->c, user(2), PAGE);
	give_back(f, both, 2);
	assert_ptr_equal(queue_next(f->queue), &f->b);
	queue_remove(f->queue, &f->b);
	assert_null(queue_next(f->queue));
	queue_touch_all(f->queue);
	assert_ptr_equal(queue_next(f->queue), &f->a);
	queue_remove(f->queue, &f->a);
	assert_ptr_equal(queue_next(f->queue), &f->c);
	queue_remove(f->queue, &f->c);
}

/* A fair share grows when others give back of the whole. */
static void share_waits_for_the_whole(void **state)
{
	struct fixture *f = *state;
	const struct account_id part = {ACCOUNT_USER_POOL, 1, "", "p"};
	const struct account_id others[] = {pool("p"), {ACCOUNT_USER_POOL, 2, "", "p"}};
	const struct account_id on_device = {ACCOUNT_USER_DEVICE, 1, "d", ""};
	const struct account_id device = {ACCOUNT_DEVICE, 0, "d", ""};

	add(f, &f->a, part, PAGE);
	add(f, &f->b, on_device, PAGE);
	give_back_to(f, pool("q"));
	assert_null(queue_next(f->queue));
	give_back(f, others, 2);
	assert_ptr_equal(queue_next(f->queue), &f->a);
	queue_remove(f->queue, &f->a);
	assert_null(queue_next(f->queue));
	give_back_to(f, device);
	assert_ptr_equal(queue_next(f->queue), &f->b);
	queue_remove(f->queue, &f->b);
}

/* The kernel is not asked again for what it has just refused, and is for less. */
static void kernel_is_asked_once_in_a_round(void **state)
{
	struct fixture *f = *state;

	add(f, &f->a, pool("p"), 4 * PAGE);
	add(f, &f->b, pool("p"), 4 * PAGE);
	add(f, &f->c, pool("p"), 3 * PAGE);
	give_back_to(f, pool("p"));
	assert_ptr_equal(queue_next(f->queue), &f->a);
	refuse(f, &f->a, pool("p"), 4 * PAGE);
	assert_ptr_equal(queue_next(f->queue), &f->c);
	refuse(f, &f->c, pool("p"), 3 * PAGE);
	assert_null(queue_next(f->queue));
	/* The next round starts anew. */
	give_back_to(f, pool("p"));
	assert_ptr_equal(queue_next(f->queue), &f->a);
	queue_remove(f->queue, &f->a);
	assert_ptr_equal(queue_next(f->queue), &f->b);
	queue_remove(f->queue, &f->b);
	assert_ptr_equal(queue_next(f->queue), &f->c);
	queue_remove(f->queue, &f->c);
}

static void expect_tried_after(struct fixture *f, struct want first, struct want second, bool tried)
{
	struct shortage shortage = shortage_of(pool("p"), true, 0);

	shortage.want = first;
	assert_int_equal(queue_add(f->queue, &f->a, &shortage, 0, 1), 0);
	shortage.want = second;
	assert_int_equal(queue_add(f->queue, &f->b, &shortage, 0, 1), 0);
	queue_touch_all(f->queue);
	assert_ptr_equal(queue_next(f->queue), &f->a);
	shortage.want = first;
	assert_int_equal(queue_refused(f->queue, &f->a, &shortage), 0);
	assert_ptr_equal(queue_next(f->queue), tried ? &f->b : NULL);
	queue_remove(f->queue, &f->a);
	queue_remove(f->queue, &f->b);
}

/* Whatever is easier in any way may succeed where the first did not. */
static void easier_wants_are_tried(void **state)
{
	struct fixture *f = *state;
	const struct want want = {4 * PAGE, 4, true, GIB(1)};

	expect_tried_after(f, want, want, false);
	expect_tried_after(f, want, (struct want){5 * PAGE, 5, true, GIB(1) - 1}, false);
	expect_tried_after(f, want, (struct want){3 * PAGE, 5, true, GIB(1) - 1}, true);
	expect_tried_after(f, want, (struct want){5 * PAGE, 3, true, GIB(1) - 1}, true);
	expect_tried_after(f, want, (struct want){5 * PAGE, 5, false, GIB(1) - 1}, true);
	expect_tried_after(f, want, (struct want){5 * PAGE, 5, true, GIB(1) + 1}, true);
	expect_tried_after(f, want, (struct want){5 * PAGE, 5, true, 0}, true);
	expect_tried_after(f, (struct want){4 * PAGE, 4, true, 0}, want, false);
}

/* What quota refused to one may be there for the next: other devices, other reservations. */
static void quota_refuses_each_for_itself(void **state)
{
	struct fixture *f = *state;
	const struct shortage quota = shortage_of(pool("p"), false, PAGE);

	add(f, &f->a, pool("p"), PAGE);
	add(f, &f->b, pool("p"), PAGE);
	queue_touch_all(f->queue);
	assert_ptr_equal(queue_next(f->queue), &f->a);
	assert_int_equal(queue_refused(f->queue, &f->a, &quota), 0);
	assert_ptr_equal(queue_next(f->queue), &f->b);
	queue_remove(f->queue, &f->a);
	queue_remove(f->queue, &f->b);
}

/* One for whom nothing was kept was in nobody's way. */
static void leaves_unnoticed(void **state)
{
	struct fixture *f = *state;

	add(f, &f->a, pool("p"), PAGE);
	add(f, &f->b, pool("p"), PAGE);
	queue_remove(f->queue, &f->a);
	assert_false(queue_is_touched(f->queue));
	queue_remove(f->queue, &f->b);
}

static void times_out(void **state)
{
	struct fixture *f = *state;
	const struct shortage shortage = shortage_of(user(1), false, PAGE);

	assert_int_equal(queue_get_time(f->queue), UINT64_MAX);
	assert_int_equal(queue_add(f->queue, &f->a, &shortage, 1000, 500), 0);
	assert_int_equal(queue_add(f->queue, &f->b, &shortage, 1100, 100), 0);
	assert_int_equal(queue_get_time(f->queue), 1200);
	assert_null(queue_expire(f->queue, 1199));
	assert_ptr_equal(queue_expire(f->queue, 1200), &f->b);
	queue_remove(f->queue, &f->b);
	assert_null(queue_expire(f->queue, 1200));
	assert_int_equal(queue_get_time(f->queue), 1500);
	assert_ptr_equal(queue_expire(f->queue, UINT64_MAX - 1), &f->a);
	queue_remove(f->queue, &f->a);
}

/* The end of time is no time: who waits for ever is not woken up. */
static void times_do_not_wrap(void **state)
{
	struct fixture *f = *state;
	const struct shortage shortage = shortage_of(pool("p"), false, UINT64_MAX - PAGE + 1);

	assert_int_equal(queue_add(f->queue, &f->a, &shortage, 1000, UINT64_MAX), 0);
	assert_int_equal(queue_add(f->queue, &f->b, &shortage, 1000, UINT64_MAX - 1000), 0);
	assert_int_equal(queue_add(f->queue, &f->c, &shortage, 1000, UINT64_MAX - 1002), 0);
	assert_int_equal(queue_get_time(f->queue), UINT64_MAX - 2);
	queue_remove(f->queue, &f->c);
	assert_int_equal(queue_get_time(f->queue), UINT64_MAX);
	assert_null(queue_expire(f->queue, UINT64_MAX - 1));
	queue_remove(f->queue, &f->b);
	/* Nor do the bytes of many buffers. */
	f->a.want.count = 14;
	pass(f, NULL, pool("p"), PASSES, UINT64_MAX - 1);
	assert_true(kept(f, NULL, pool("p")) == UINT64_MAX);
	assert_int_equal(queue_get_time(f->queue), UINT64_MAX);
	queue_remove(f->queue, &f->a);
}

/* Without a thing to wait for, as while the module is away, only everything helps. */
static void waits_for_anything(void **state)
{
	struct fixture *f = *state;
	const struct shortage nothing = {.can_end = true};

	assert_int_equal(queue_add(f->queue, &f->a, &nothing, 0, UINT64_MAX), 0);
	give_back_to(f, pool("p"));
	assert_null(queue_next(f->queue));
	queue_touch_all(f->queue);
	assert_ptr_equal(queue_next(f->queue), &f->a);
	queue_remove(f->queue, &f->a);
}

static void waits_for_any_of_several(void **state)
{
	struct fixture *f = *state;
	struct shortage shortage = shortage_of(pool("p"), true, 4 * PAGE);
	const struct account_id q = pool("q");

	add(f, &f->a, pool("p"), 4 * PAGE);
	shortage_add(&shortage, &q, true);
	assert_int_equal(queue_add(f->queue, &f->b, &shortage, 0, UINT64_MAX), 0);
	give_back_to(f, pool("q"));
	assert_ptr_equal(queue_next(f->queue), &f->b);
	assert_int_equal(queue_refused(f->queue, &f->b, &shortage), 0);
	assert_null(queue_next(f->queue));
	/* One of its pools just refused another; the other pool may still give. */
	queue_touch_all(f->queue);
	assert_ptr_equal(queue_next(f->queue), &f->a);
	refuse(f, &f->a, pool("p"), 4 * PAGE);
	assert_ptr_equal(queue_next(f->queue), &f->b);
	queue_remove(f->queue, &f->a);
	queue_remove(f->queue, &f->b);
}

/* Everybody who waits for anything, against a rule told in one line: the oldest touched is next. */
static void many_in_order(void **state)
{
	struct fixture *f = *state;
	static struct waiter waiters[256];
	const char *const names[] = {"p", "q", "r"};

	for (size_t i = 0; i < N_ELEMENTS(waiters); i++) {
		const struct shortage shortage = shortage_of(pool(names[i % 3]), true, PAGE);

		waiters[i] = (struct waiter){0};
		assert_int_equal(queue_add(f->queue, &waiters[i], &shortage, i, 1000), 0);
	}
	give_back_to(f, pool("q"));
	for (size_t i = 1; i < N_ELEMENTS(waiters); i += 3) {
		assert_ptr_equal(queue_next(f->queue), &waiters[i]);
		queue_remove(f->queue, &waiters[i]);
	}
	assert_null(queue_next(f->queue));
	for (size_t i = 0; i < N_ELEMENTS(waiters); i++)
		if (i % 3 != 1) {
			assert_ptr_equal(queue_expire(f->queue, 1000 + i), &waiters[i]);
			queue_remove(f->queue, &waiters[i]);
		}
	assert_int_equal(queue_count(f->queue), 0);
}

/* Who asks the kernel for less than one whom it refused is tried; who asks for as much is not. */
static void who_asks_for_less(void **state)
{
	static const struct want whole = {.size = 2 * PAGE,
					  .count = 2,
					  .contiguous = true,
					  .max_address = 99,
					  .alignment = 8192};
	struct want less[] = {whole, whole, whole, whole, whole};
	struct fixture *f = *state;
	struct shortage shortage = shortage_of(pool("p"), true, PAGE);

	shortage.want = whole;
	assert_int_equal(queue_add(f->queue, &f->a, &shortage, 0, UINT64_MAX), 0);
	less[0].size = PAGE;
	less[1].count = 1;
	less[2].contiguous = false;
	less[3].max_address = 100;
	less[4].alignment = 4096;
	for (size_t i = 0; i <= N_ELEMENTS(less); i++) {
		bool is_less = i < N_ELEMENTS(less);

		shortage.want = is_less ? less[i] : whole;
		assert_int_equal(queue_add(f->queue, &f->b, &shortage, 0, UINT64_MAX), 0);
		give_back_to(f, pool("p"));
		assert_ptr_equal(queue_next(f->queue), &f->a);
		shortage.want = whole;
		assert_int_equal(queue_refused(f->queue, &f->a, &shortage), 0);
		assert_ptr_equal(queue_next(f->queue), is_less ? &f->b : NULL);
		queue_remove(f->queue, &f->b);
		f->b = (struct waiter){0};
		assert_null(queue_next(f->queue));
	}
	queue_remove(f->queue, &f->a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(first_come_first_tried),
		TEST(refused_keeps_its_place),
		TEST(only_who_waits_for_it_is_tried),
		TEST(share_waits_for_the_whole),
		TEST(kernel_is_asked_once_in_a_round),
		TEST(easier_wants_are_tried),
		TEST(quota_refuses_each_for_itself),
		TEST(leaves_unnoticed),
		TEST(times_out),
		TEST(times_do_not_wrap),
		TEST(waits_for_anything),
		TEST(waits_for_any_of_several),
		TEST(many_in_order),
		TEST(who_asks_for_less),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
