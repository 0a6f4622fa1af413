/* SPDX-License-Identifier: MIT */
/*
 * Lists and explanations through the library: every item once, in order, page by page, until the
 * caller has seen enough; and daemons whose lists never end or do not hold together.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "connected.h"

#define N_ITEMS 100

/* Items are numbered from 1, and the cursor is the number of the last one. */
static uint32_t fill_page(struct wire_frame *frame, uint64_t after)
{
	uint32_t n = 0;

	switch (frame->header.opcode) {
	case DMABUFD_POOLS:
		for (; n < WIRE_POOLS_MAX && after + n < N_ITEMS; n++) {
			frame->pools[n] = (struct dmabufd_pool){.kind = 1, .used = after + n + 1};
			snprintf(frame->pools[n].name, DMABUFD_NAME_SIZE, "pool%u", n);
		}
		break;
	case DMABUFD_DEVICES:
		for (; n < WIRE_DEVICES_MAX && after + n < N_ITEMS; n++)
			frame->devices[n] = (struct dmabufd_device){
				.node = "/dev/video0",
				.device = "platform:vivid.0",
				.used = after + n + 1,
				.flags = n % 2 ? DMABUFD_DEVICE_IOMMU
					       : DMABUFD_DEVICE_COHERENT | DMABUFD_DEVICE_ALLOWED,
			};
		break;
	case DMABUFD_CLIENTS:
		for (; n < WIRE_CLIENTS_MAX && after + n < N_ITEMS; n++)
			frame->clients[n] = (struct dmabufd_client){
				.pid = 42,
				.uid = 1000,
				.connected = 5000000,
				.buffers = 2,
				.bytes = 8192,
				.requests = 7,
				.refusals = after + n + 1,
				.flags = n % 2 ? DMABUFD_CLIENT_WATCHES : DMABUFD_CLIENT_ASKS,
			};
		break;
	default:
		for (; n < WIRE_LISTED_MAX && after + n < N_ITEMS; n++) {
			fake_fill_buffers(&frame->listed[n], 1, 4096);
			frame->listed[n].id = after + n + 1;
		}
	}
	return n;
}

static size_t item_size(const struct wire_frame *frame)
{
	switch (frame->header.opcode) {
	case DMABUFD_POOLS:
		return sizeof(struct dmabufd_pool);
	case DMABUFD_DEVICES:
		return sizeof(struct dmabufd_device);
	case DMABUFD_CLIENTS:
		return sizeof(struct dmabufd_client);
	default:
		return sizeof(struct dmabufd_buffer);
	}
}

static bool answer_page(int fd, struct wire_frame *request)
{
	uint64_t after = request->cursor.after;
	uint32_t n = fill_page(request, after);

	request->page = (struct dmabufd_page){.count = n};
	request->page.next = after + n < N_ITEMS ? after + n : 0;
	return fake_reply(fd, request, sizeof(request->page) + n * item_size(request));
}

static int see(struct fixture *fixture, uint64_t number)
{
	assert_int_equal(number, ++fixture->n);
	return fixture->n == fixture->stop_at ? 77 : 0;
}

static int see_pool(const struct dmabuf_pool_info *pool, void *userdata)
{
	assert_int_equal(pool->kind, DMABUF_KIND_COHERENT);
	assert_memory_equal(pool->name, "pool", 4);
	return see(userdata, pool->used);
}

static int see_device(const struct dmabuf_device_info *device, void *userdata)
{
	assert_string_equal(device->node, "/dev/video0");
	assert_null(device->pool);
	assert_int_equal(device->coherent, device->allowed);
	assert_int_equal(device->coherent, !device->iommu);
	return see(userdata, device->used);
}

static int see_buffer(const struct dmabuf_buffer_info *buffer, void *userdata)
{
	assert_string_equal(buffer->name, "label");
	assert_string_equal(buffer->devices, "platform:vivid.0");
	assert_int_equal(buffer->uid, 1000);
	assert_int_equal(buffer->pid, 42);
	return see(userdata, buffer->id);
}

static int see_client(const struct dmabuf_client_info *client, void *userdata)
{
	assert_int_equal(client->pid, 42);
	assert_int_equal(client->uid, 1000);
	assert_int_equal(client->connected, 5000000);
	assert_int_equal(client->buffers, 2);
	assert_int_equal(client->bytes, 8192);
	assert_int_equal(client->requests, 7);
	assert_int_equal(client->watches, !client->self);
	return see(userdata, client->refusals);
}

static void test_all_items_once(void **state)
{
	struct fixture *fixture = *state;

	fake_daemon_on_request(fixture->daemon, answer_page);
	assert_int_equal(dmabuf_list_pools(fixture->conn, see_pool, fixture), 0);
	assert_int_equal(fixture->n, N_ITEMS);
	fixture->n = 0;
	assert_int_equal(dmabuf_list_devices(fixture->conn, see_device, fixture), 0);
	assert_int_equal(fixture->n, N_ITEMS);
	fixture->n = 0;
	assert_int_equal(dmabuf_list_buffers(fixture->conn, see_buffer, fixture), 0);
	assert_int_equal(fixture->n, N_ITEMS);
	fixture->n = 0;
	assert_int_equal(dmabuf_list_clients(fixture->conn, see_client, fixture), 0);
	assert_int_equal(fixture->n, N_ITEMS);
}

static void test_empty_list(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(dmabuf_list_pools(fixture->conn, see_pool, fixture), 0);
	assert_int_equal(fixture->n, 0);
}

static void test_callback_ends_list(void **state)
{
	struct fixture *fixture = *state;

	fake_daemon_on_request(fixture->daemon, answer_page);
	fixture->stop_at = WIRE_LISTED_MAX + 3;
	assert_int_equal(dmabuf_list_buffers(fixture->conn, see_buffer, fixture), 77);
	assert_int_equal(fixture->n, fixture->stop_at);
}

static int use_connection(const struct dmabuf_buffer_info *buffer, void *userdata)
{
	struct fixture *fixture = userdata;
	struct fixture inner = {.stop_at = 1};

	assert_int_equal(dmabuf_list_pools(fixture->conn, see_pool, &inner), 77);
	return see(fixture, buffer->id);
}

static void test_callback_uses_connection(void **state)
{
	struct fixture *fixture = *state;

	fake_daemon_on_request(fixture->daemon, answer_page);
	assert_int_equal(dmabuf_list_buffers(fixture->conn, use_connection, fixture), 0);
	assert_int_equal(fixture->n, N_ITEMS);
}

static bool answer_changed(int fd, struct wire_frame *request, uint64_t next, uint32_t count,
			   size_t body)
{
	fill_page(request, request->cursor.after);
	request->page = (struct dmabufd_page){.next = next, .count = count};
	return fake_reply(fd, request, body);
}

#define ITEM sizeof(struct dmabufd_pool)
#define PAGE sizeof(struct dmabufd_page)

static bool lie_same_page(int fd, struct wire_frame *request)
{
	return answer_changed(fd, request, 1, 1, PAGE + ITEM);
}

static bool lie_empty_page(int fd, struct wire_frame *request)
{
	return answer_changed(fd, request, request->cursor.after + 1, 0, PAGE);
}

static bool lie_count_high(int fd, struct wire_frame *request)
{
	return answer_changed(fd, request, 0, 2, PAGE + ITEM);
}

static bool lie_count_huge(int fd, struct wire_frame *request)
{
	return answer_changed(fd, request, 0, UINT32_MAX, PAGE + ITEM);
}

static bool lie_count_low(int fd, struct wire_frame *request)
{
	return answer_changed(fd, request, 0, 1, PAGE + 2 * ITEM);
}

static bool lie_half_item(int fd, struct wire_frame *request)
{
	return answer_changed(fd, request, 0, 1, PAGE + ITEM + 8);
}

static bool lie_half_page(int fd, struct wire_frame *request)
{
	return answer_changed(fd, request, 0, 0, PAGE - 8);
}

static bool lie_name(int fd, struct wire_frame *request)
{
	fill_page(request, 0);
	request->page = (struct dmabufd_page){.count = 1};
	memset(request->pools[0].name, 'x', DMABUFD_NAME_SIZE);
	return fake_reply(fd, request, PAGE + ITEM);
}

static bool lie_descriptor(int fd, struct wire_frame *request)
{
	request->page = (struct dmabufd_page){0};
	return fake_reply_fds(fd, request, PAGE, 1);
}

static void test_lies_about_lists(void **state)
{
	static const fake_handler lies[] = {
		lie_same_page, lie_empty_page, lie_count_high, lie_count_huge, lie_count_low,
		lie_half_item, lie_half_page,  lie_name,       lie_descriptor,
	};
	struct fixture *fixture = *state;

	for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		fixture->n = 0;
		fake_daemon_on_request(fixture->daemon, lies[i]);
		assert_int_equal(dmabuf_list_pools(fixture->conn, see_pool, fixture), -EPROTO);
		assert_true(fixture->n <= 1);
		fake_daemon_on_request(fixture->daemon, NULL);
		assert_int_equal(dmabuf_list_pools(fixture->conn, see_pool, fixture), 0);
	}
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_all_items_once),     TEST(test_empty_list),
		TEST(test_callback_ends_list), TEST(test_callback_uses_connection),
		TEST(test_lies_about_lists),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
