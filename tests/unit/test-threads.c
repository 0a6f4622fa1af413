/* SPDX-License-Identifier: MIT */
/*
 * What <dmabuf.h> promises of threads, under ThreadSanitizer, which ends the program when it sees a
 * race: different objects in different threads at once, one request for all of them, and an object
 * that goes from one thread to the next. The daemon is the fake one.
 */
#undef NDEBUG
#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "dmabuf.h"
#include "fake-daemon.h"

enum {
	THREADS = 4,
	TURNS = 25,
	SIZE = 8192
};

/* The same for all, and nobody changes it. */
static struct dmabuf_request *shared;

/* Buffers that another thread frees. */
static struct {
	pthread_mutex_t lock;
	unsigned int n;
	struct dmabuf_buffer *buffers[THREADS * TURNS];
} given = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void give(struct dmabuf_buffer *buffer)
{
	pthread_mutex_lock(&given.lock);
	given.buffers[given.n++] = buffer;
	pthread_mutex_unlock(&given.lock);
}

static struct dmabuf_buffer *take(void)
{
	struct dmabuf_buffer *buffer;

	pthread_mutex_lock(&given.lock);
	buffer = given.n ? given.buffers[--given.n] : NULL;
	pthread_mutex_unlock(&given.lock);
	return buffer;
}

static int count_pool(const struct dmabuf_pool_info *pool, void *userdata)
{
	++*(unsigned int *)userdata;
	return 0;
}

static void use(struct dmabuf_buffer *buffer)
{
	void *memory;

	assert(dmabuf_buffer_map(buffer, &memory) == 0);
	memset(memory, 1, (size_t)dmabuf_buffer_get_size(buffer));
	/* A memfd knows no such thing, and the call is made all the same. */
	assert(dmabuf_buffer_begin_access(buffer, DMABUF_ACCESS_WRITE) == -ENOTTY);
	assert(dmabuf_fd_end_access(dmabuf_buffer_get_fd(buffer), DMABUF_ACCESS_WRITE) == -ENOTTY);
	assert(!strcmp(dmabuf_buffer_get_pool(buffer), "camera"));
}

static void see_end(int result, struct dmabuf_buffer *const buffers[], unsigned int n_buffers,
		    void *userdata)
{
	assert(result == 0 && n_buffers == 1);
	use(buffers[0]);
	dmabuf_buffer_free(buffers[0]);
	++*(unsigned int *)userdata;
}

static void run_loop(struct dmabuf *conn)
{
	unsigned int ended = 0;

	for (unsigned int i = 0; i < 3; i++)
		assert(dmabuf_allocate_start(conn, shared, 1, see_end, &ended, NULL) == 0);
	while (ended < 3) {
		struct pollfd p = {.fd = dmabuf_get_fd(conn), .events = POLLIN};

		assert(poll(&p, 1, 30000) == 1);
		dmabuf_dispatch(conn);
	}
}

static void turn(struct dmabuf *conn)
{
	struct dmabuf_buffer *buffers[2];
	struct dmabuf_request *own = NULL;
	unsigned int pools = 0;

	assert(dmabuf_allocate(conn, shared, buffers, 2) == 0);
	use(buffers[0]);
	dmabuf_buffer_free(buffers[0]);
	give(buffers[1]);
	assert(dmabuf_list_pools(conn, count_pool, &pools) == 0);
	assert(dmabuf_request_new(&own) == 0);
	assert(dmabuf_allocate(conn, own, buffers, 1) == -EINVAL);
	assert(strstr(dmabuf_error(conn), "no size"));
	dmabuf_request_free(own);
	run_loop(conn);
	use(buffers[1] = take());
	dmabuf_buffer_free(buffers[1]);
}

static void *allocate_and_list(void *userdata)
{
	struct dmabuf *conn;

	assert(dmabuf_connect(&conn) == 0);
	for (unsigned int i = 0; i < TURNS; i++)
		turn(conn);
	/* The connection goes to another thread, which disconnects. */
	return conn;
}

/* Each thread has the text of its own failure. */
static void *fail_to_connect(void *userdata)
{
	struct dmabuf *conn;

	for (unsigned int i = 0; i < TURNS; i++) {
		assert(dmabuf_connect(&conn) == -ENOENT);
		assert(strstr(dmabuf_error(NULL), "does not exist"));
	}
	return NULL;
}

static void run(void *(*fn)(void *userdata))
{
	pthread_t threads[THREADS];

	for (unsigned int i = 0; i < THREADS; i++)
		assert(pthread_create(&threads[i], NULL, fn, NULL) == 0);
	for (unsigned int i = 0; i < THREADS; i++) {
		void *conn;

		assert(pthread_join(threads[i], &conn) == 0);
		dmabuf_disconnect(conn);
	}
}

int main(void)
{
	struct fake_daemon *daemon = fake_daemon_start();

	assert(dmabuf_request_new(&shared) == 0);
	assert(dmabuf_request_set_size(shared, SIZE) == 0);
	run(allocate_and_list);
	assert(!given.n);
	dmabuf_request_free(shared);
	fake_daemon_stop(daemon);
	fake_daemon_remove_socket();
	run(fail_to_connect);
	return 0;
}
