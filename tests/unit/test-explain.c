/* SPDX-License-Identifier: MIT */
/*
 * Explanations through the library: they arrive whole, and one that does not hold together does
 * not reach the caller.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "connected.h"

/* Changes one thing in an honest explanation of so many steps. */
static bool answer(int fd, struct wire_frame *request, uint32_t n_steps,
		   void (*change)(struct wire_frame *frame))
{
	request->explain = (struct dmabufd_explain){
		.max_address = 0xffffffff,
		.contiguous = 1,
		.mapping = DMABUFD_MAPPING_WRITE_COMBINED,
		.contiguous_why = "no IOMMU",
		.address_why = "32-bit mask",
		.mapping_why = "not coherent",
		.n_steps = n_steps,
	};
	for (uint32_t i = 0; i < n_steps; i++)
		request->steps[i] = (struct dmabufd_step){
			.pool = "camera",
			.kind = 1,
			.verdict = i % 2 ? DMABUFD_REFUSED : DMABUFD_WOULD_TRY,
			.why = "because",
		};
	if (change)
		change(request);
	return fake_reply(fd, request,
			  sizeof(request->explain) + n_steps * sizeof(request->steps[0]));
}

#define N_POOLS 64
#define N_REASONS (4 + N_POOLS)

/* The one at this place among all. */
static struct dmabufd_reason reason_at(uint64_t at)
{
	static const struct dmabufd_reason general[] = {
		{.about = DMABUFD_ABOUT_CONTIGUOUS, .why = "no IOMMU", .needs = "an IOMMU"},
		{.about = DMABUFD_ABOUT_ADDRESS, .why = "32-bit mask", .needs = "a wider one"},
		{.about = DMABUFD_ABOUT_MAPPING, .why = "not coherent", .needs = "another wish"},
		{.about = DMABUFD_ABOUT_QUOTA,
		 .verdict = DMABUFD_OVER_QUOTA,
		 .why = "3 of 3",
		 .needs = "close some"},
	};

	if (at < 4)
		return general[at];
	return (struct dmabufd_reason){
		.about = DMABUFD_ABOUT_POOL,
		.verdict = DMABUFD_WOULD_TRY + at % 4,
		.kind = 1,
		.pool = "camera",
		.why = "because",
		.needs = "nothing",
	};
}

/* Changes one thing in an honest page. */
static bool answer_reasons(int fd, struct wire_frame *request,
			   void (*change)(struct wire_frame *frame))
{
	uint64_t after = request->cursor.after;
	uint32_t n = 0;

	for (; n < WIRE_REASONS_MAX && after + n < N_REASONS; n++)
		request->reasons[n] = reason_at(after + n);
	request->page =
		(struct dmabufd_page){.next = after + n < N_REASONS ? after + n : 0, .count = n};
	if (change)
		change(request);
	return fake_reply(fd, request, sizeof(request->page) + n * sizeof(request->reasons[0]));
}

static bool explain_all(int fd, struct wire_frame *request)
{
	if (request->header.opcode == DMABUFD_REASONS)
		return answer_reasons(fd, request, NULL);
	return answer(fd, request, WIRE_STEPS_MAX, NULL);
}

static bool hello_of_minor_0(int fd, struct wire_frame *request)
{
	request->hello = (struct dmabufd_hello){DMABUFD_PROTOCOL_MAJOR, 0};
	return fake_reply(fd, request, sizeof(request->hello));
}

static int see(const struct dmabuf_explanation *explanation, void *userdata)
{
	struct fixture *fixture = userdata;

	fixture->n++;
	assert_int_equal(explanation->contiguous, 1);
	assert_int_equal(explanation->max_address, 0xffffffff);
	assert_int_equal(explanation->mapping, DMABUF_MAPPING_WRITE_COMBINED);
	assert_string_equal(explanation->contiguous_why, "no IOMMU");
	assert_string_equal(explanation->address_why, "32-bit mask");
	assert_string_equal(explanation->mapping_why, "not coherent");
	for (unsigned int i = 0; i < explanation->n_steps; i++) {
		assert_string_equal(explanation->steps[i].pool, "camera");
		assert_string_equal(explanation->steps[i].why, "because");
	}
	return 77;
}

static int see_all(const struct dmabuf_explanation *explanation, void *userdata)
{
	assert_int_equal(explanation->n_steps, N_POOLS);
	assert_string_equal(explanation->contiguous_needs, "an IOMMU");
	assert_string_equal(explanation->address_needs, "a wider one");
	assert_string_equal(explanation->mapping_needs, "another wish");
	assert_int_equal(explanation->over_quota, 1);
	assert_string_equal(explanation->quota_why, "3 of 3");
	assert_string_equal(explanation->quota_needs, "close some");
	for (unsigned int i = 0; i < N_POOLS; i++) {
		const struct dmabuf_explain_step *step = &explanation->steps[i];

		assert_string_equal(step->needs, "nothing");
		assert_int_equal(step->verdict, DMABUF_VERDICT_TRY + i % 4);
		assert_int_equal(step->would_try, step->verdict != DMABUF_VERDICT_REFUSED);
	}
	return see(explanation, userdata);
}

/* Of a daemon that has no REASONS. */
static int see_one_frame(const struct dmabuf_explanation *explanation, void *userdata)
{
	assert_int_equal(explanation->n_steps, WIRE_STEPS_MAX);
	assert_string_equal(explanation->contiguous_needs, "");
	assert_string_equal(explanation->quota_why, "");
	for (unsigned int i = 0; i < WIRE_STEPS_MAX; i++)
		assert_int_equal(explanation->steps[i].would_try, i % 2 == 0);
	return see(explanation, userdata);
}

static void test_explanation(void **state)
{
	struct fixture *fixture = *state;

	fake_daemon_on_request(fixture->daemon, explain_all);
	assert_int_equal(dmabuf_explain(fixture->conn, fixture->request, see_all, fixture), 77);
	assert_int_equal(fixture->n, 1);
}

static void test_older_daemon(void **state)
{
	struct fixture *fixture = *state;

	fake_daemon_on_hello(fixture->daemon, hello_of_minor_0);
	fake_daemon_on_request(fixture->daemon, explain_all);
	fixture->conn = dmabuf_disconnect(fixture->conn);
	assert_int_equal(dmabuf_connect(&fixture->conn), 0);
	assert_int_equal(dmabuf_explain(fixture->conn, fixture->request, see_one_frame, fixture),
			 77);
	assert_int_equal(fixture->n, 1);
	assert_int_equal(dmabuf_watch_start(fixture->conn), -EOPNOTSUPP);
	assert_non_null(strstr(dmabuf_error(fixture->conn), "too old"));
	/* Nothing was sent that it could be confused by. */
	assert_int_equal(fake_daemon_connections(fixture->daemon), 2);
}

static void test_no_size(void **state)
{
	struct fixture *fixture = *state;
	struct dmabuf_request *empty;

	assert_int_equal(dmabuf_request_new(&empty), 0);
	assert_int_equal(dmabuf_explain(fixture->conn, empty, see, fixture), -EINVAL);
	dmabuf_request_free(empty);
}

static bool answer_two(int fd, struct wire_frame *request, void (*change)(struct wire_frame *))
{
	return answer(fd, request, 2, change);
}

#define LIAR(name, statement) LIAR_OF(answer_two, name, statement)

LIAR(steps_low, frame->explain.n_steps = 1)
LIAR(steps_high, frame->explain.n_steps = 3)
LIAR(steps_huge, frame->explain.n_steps = UINT32_MAX)
LIAR(contiguous, frame->explain.contiguous = 2)
LIAR(mapping, frame->explain.mapping = 3)
LIAR(pad, frame->explain.pad = 1)
LIAR(contiguous_why, memset(frame->explain.contiguous_why, 'x', DMABUFD_WHY_SIZE))
LIAR(address_why, memset(frame->explain.address_why, 'x', DMABUFD_WHY_SIZE))
LIAR(mapping_why, memset(frame->explain.mapping_why, 'x', DMABUFD_WHY_SIZE))
LIAR(kind, frame->steps[1].kind = 4)
LIAR(no_kind, frame->steps[0].kind = 0)
LIAR(verdict, frame->steps[1].verdict = 0)
LIAR(pool, memset(frame->steps[1].pool, 'x', DMABUFD_NAME_SIZE))
LIAR(why, memset(frame->steps[1].why, 'x', DMABUFD_WHY_SIZE))

static bool answer_at_length(int fd, struct wire_frame *request,
			     void (*change)(struct wire_frame *))
{
	if (request->header.opcode != DMABUFD_REASONS)
		return answer(fd, request, 1, NULL);
	return answer_reasons(fd, request, change);
}

#define REASON_LIAR(name, statement) LIAR_OF(answer_at_length, reason_##name, statement)

REASON_LIAR(count_high, frame->page.count++)
REASON_LIAR(count_huge, frame->page.count = UINT32_MAX)
REASON_LIAR(same_page, frame->page.next = 1)
REASON_LIAR(page_pad, frame->page.pad = 1)
REASON_LIAR(pad, frame->reasons[0].pad = 1)
REASON_LIAR(kind, frame->reasons[4].kind = 4)
REASON_LIAR(kind_of_none, frame->reasons[0].kind = 1)
REASON_LIAR(verdict, frame->reasons[4].verdict = 5)
REASON_LIAR(no_verdict, frame->reasons[4].verdict = 0)
REASON_LIAR(verdict_on_none, frame->reasons[0].verdict = 1)
REASON_LIAR(pool, memset(frame->reasons[0].pool, 'x', DMABUFD_NAME_SIZE))
REASON_LIAR(why, memset(frame->reasons[0].why, 'x', DMABUFD_REASON_SIZE))
REASON_LIAR(needs, memset(frame->reasons[0].needs, 'x', DMABUFD_REASON_SIZE))

/* Pages that go on for ever, each further on. */
static bool lie_endless(int fd, struct wire_frame *request)
{
	uint64_t after = request->cursor.after;

	if (request->header.opcode != DMABUFD_REASONS)
		return answer(fd, request, 1, NULL);
	request->reasons[0] = reason_at(4);
	request->page = (struct dmabufd_page){.next = after + 1, .count = 1};
	return fake_reply(fd, request, sizeof(request->page) + sizeof(request->reasons[0]));
}

static bool lie_short(int fd, struct wire_frame *request)
{
	return fake_reply(fd, request, sizeof(request->explain) - 8);
}

static void test_lies(void **state)
{
	static const fake_handler lies[] = {
		lie_steps_low,
		lie_steps_high,
		lie_steps_huge,
		lie_contiguous,
		lie_mapping,
		lie_pad,
		lie_contiguous_why,
		lie_address_why,
		lie_mapping_why,
		lie_kind,
		lie_no_kind,
		lie_verdict,
		lie_pool,
		lie_why,
		lie_short,
		lie_reason_count_high,
		lie_reason_count_huge,
		lie_reason_same_page,
		lie_reason_page_pad,
		lie_reason_pad,
		lie_reason_kind,
		lie_reason_kind_of_none,
		lie_reason_verdict,
		lie_reason_no_verdict,
		lie_reason_verdict_on_none,
		lie_reason_pool,
		lie_reason_why,
		lie_reason_needs,
		lie_endless,
	};
	struct fixture *fixture = *state;

	for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		fake_daemon_on_request(fixture->daemon, lies[i]);
		assert_int_equal(dmabuf_explain(fixture->conn, fixture->request, see, fixture),
				 -EPROTO);
	}
	assert_int_equal(fixture->n, 0);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_explanation),
		TEST(test_older_daemon),
		TEST(test_no_size),
		TEST(test_lies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
