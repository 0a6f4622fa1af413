/* SPDX-License-Identifier: MIT */
/*
 * Not a measure: keeps memory full of movable pages, CMA areas among it, until it is killed. It
 * fills a folder of a tmpfs, whose pages the kernel can move but not drop, and then goes on to
 * replace files at random, so that what CMA gave and got back is filled again.
 */
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"

#define FILE_SIZE (1u << 20)

static void write_file(const char *folder, unsigned int number)
{
	static char bytes[FILE_SIZE];
	char path[256];
	int fd;

	memset(bytes, (int)number, 4096);
	snprintf(path, sizeof(path), "%s/%u", folder, number);
	unlink(path);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 || write(fd, bytes, sizeof(bytes)) != sizeof(bytes))
		err(1, "%s", path);
	close(fd);
}

static unsigned long memory_free(void)
{
	char line[128];
	unsigned long kib = 0;
	FILE *file = fopen("/proc/meminfo", "re");

	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "MemFree: %lu", &kib) == 1)
			break;
	if (file)
		fclose(file);
	return kib >> 10;
}

/* Words: the folder, and how many MiB to leave free. */
void bench_pressure(const struct bench_options *options)
{
	unsigned long leave = strtoul(options->words[1], NULL, 0);
	unsigned int n = 0;

	while (memory_free() > leave)
		write_file(options->words[0], n++);
	printf("%u files\n", n);
	fflush(stdout);
	for (;;) {
		write_file(options->words[0], (unsigned int)rand() % n);
		bench_settle(options);
	}
}
