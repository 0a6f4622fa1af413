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

static bool explain_all(int fd, struct wire_frame *request)
{
	return answer(fd, request, WIRE_STEPS_MAX, NULL);
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
	assert_int_equal(explanation->n_steps, WIRE_STEPS_MAX);
	for (unsigned int i = 0; i < explanation->n_steps; i++) {
		assert_string_equal(explanation->steps[i].pool, "camera");
		assert_string_equal(explanation->steps[i].why, "because");
		assert_int_equal(explanation->steps[i].would_try, i % 2 == 0);
	}
	return 77;
}

static void test_explanation(void **state)
{
	struct fixture *fixture = *state;

	fake_daemon_on_request(fixture->daemon, explain_all);
	assert_int_equal(dmabuf_explain(fixture->conn, fixture->request, see, fixture), 77);
	assert_int_equal(fixture->n, 1);
}

static void test_no_size(void **state)
{
	struct fixture *fixture = *state;
	struct dmabuf_request *empty;

	assert_int_equal(dmabuf_request_new(&empty), 0);
	assert_int_equal(dmabuf_explain(fixture->conn, empty, see, fixture), -EINVAL);
	dmabuf_request_free(empty);
}

#define LIAR(name, statement)                                                                      \
	static void change_##name(struct wire_frame *frame)                                        \
	{                                                                                          \
		statement;                                                                         \
	}                                                                                          \
	static bool lie_##name(int fd, struct wire_frame *request)                                 \
	{                                                                                          \
		return answer(fd, request, 2, change_##name);                                      \
	}

LIAR(steps_low, frame->explain.n_steps = 1)
LIAR(steps_high, frame->explain.n_steps = 3)
LIAR(steps_huge, frame->explain.n_steps = UINT32_MAX)
LIAR(contiguous, frame->explain.contiguous = 2)
LIAR(mapping, frame->explain.mapping = 3)
LIAR(pad, frame->explain.pad = 1)
LIAR(contiguous_why, memset(frame->explain.contiguous_why, 'x', DMABUFD_WHY_SIZE))
LIAR(address_why, memset(frame->explain.address_why, 'x', DMABUFD_WHY_SIZE))
LIAR(mapping_why, memset(frame->explain.mapping_why, 'x', DMABUFD_WHY_SIZE))
LIAR(kind, frame->steps[1].kind = 0)
LIAR(verdict, frame->steps[1].verdict = 0)
LIAR(pool, memset(frame->steps[1].pool, 'x', DMABUFD_NAME_SIZE))
LIAR(why, memset(frame->steps[1].why, 'x', DMABUFD_WHY_SIZE))

static bool lie_short(int fd, struct wire_frame *request)
{
	return fake_reply(fd, request, sizeof(request->explain) - 8);
}

static void test_lies(void **state)
{
	static const fake_handler lies[] = {
		lie_steps_low, lie_steps_high,     lie_steps_huge,  lie_contiguous,  lie_mapping,
		lie_pad,       lie_contiguous_why, lie_address_why, lie_mapping_why, lie_kind,
		lie_verdict,   lie_pool,           lie_why,         lie_short,
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
		TEST(test_no_size),
		TEST(test_lies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
