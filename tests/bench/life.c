/* SPDX-License-Identifier: MIT */
/*
 * The life of a buffer, from each source in turn: allocate, map, touch twice, begin and end CPU
 * access, unmap, free. And allocations alone, many of them, for what the slowest cost. It must not
 * know where a buffer comes from.
 */
#include <dmabuf.h>
#include <err.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bench.h"

/* What was begun last took until now; returns now. */
static uint64_t took(const char *what, const struct source *source, size_t size, uint64_t since)
{
	uint64_t now = bench_now();

	bench_sample(what, source->name, size, now - since);
	/* Not what it takes to print. */
	return bench_now();
}

static void use(int fd, const struct source *source, size_t size)
{
	uint64_t t = bench_now();
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (memory == MAP_FAILED)
		err(1, "mmap of %s", source->name);
	t = took("map", source, size, t);
	dmabuf_fd_begin_access(fd, DMABUF_ACCESS_READ_WRITE);
	t = took("begin", source, size, t);
	memset(memory, 1, size);
	t = took("first touch", source, size, t);
	memset(memory, 2, size);
	t = took("second touch", source, size, t);
	dmabuf_fd_end_access(fd, DMABUF_ACCESS_READ_WRITE);
	t = took("end", source, size, t);
	munmap(memory, size);
	took("unmap", source, size, t);
}

static int allocate(struct source *source, const char *what, size_t size)
{
	uint64_t t = bench_now();
	int fd = source->allocate(source, size);

	took(what, source, size, t);
	return bench_check(source->name, fd);
}

static void live(struct source *source, size_t size)
{
	int fd = allocate(source, "allocate", size);
	uint64_t t;

	use(fd, source, size);
	t = bench_now();
	close(fd);
	took("free", source, size, t);
}

/* Words: sizes. */
void bench_life(const struct bench_options *options)
{
	struct source **sources = bench_sources(options);

	for (unsigned int i = 0; i < options->rounds; i++)
		for (char **word = options->words; *word; word++)
			for (struct source **source = sources; *source; source++) {
				live(*source, strtoul(*word, NULL, 0));
				bench_settle(options);
			}
}

/* Words: what to call it, a size, the sources. */
void bench_tails(const struct bench_options *options)
{
	struct source **sources = bench_sources(options);
	size_t size = strtoul(options->words[1], NULL, 0);

	for (unsigned int i = 0; i < options->rounds; i++)
		for (char **word = options->words + 2; *word; word++) {
			struct source *source = bench_find(sources, *word);

			if (!source)
				continue;
			close(allocate(source, options->words[0], size));
			bench_settle(options);
		}
}
