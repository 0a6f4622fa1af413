/* SPDX-License-Identifier: MIT */
/*
 * The node as a 32-bit program sees it: carries ioctls from standard input to /dev/dmabuf_pool and
 * what became of them to standard output. Built for i386 without a C library, which the machines
 * that build it have for 64 bits only. Knows nothing of what it carries.
 *
 * A request is the number of the ioctl and its argument, a reply the result (negative errno) and the
 * argument as it is then; the size of both arguments is in the number.
 */
enum {
	EXIT = 1,
	READ = 3,
	WRITE = 4,
	OPEN = 5,
	IOCTL = 54
};
enum {
	ONLY_WRITE = 1,
	ARGUMENT_MAX = 4096
};

static long call(long number, long a, const void *b, void *c)
{
	long result;

	__asm__ volatile("int $0x80"
			 : "=a"(result)
			 : "0"(number), "b"(a), "c"(b), "d"(c)
			 : "memory");
	return result;
}

static void finish(int status)
{
	for (;;)
		call(EXIT, status, 0, 0);
}

/* All of it, or the end. */
static void transfer(long number, int fd, char *bytes, unsigned long size)
{
	while (size) {
		long n = call(number, fd, bytes, (void *)size);

		if (n <= 0)
			finish(n < 0);
		bytes += n;
		size -= (unsigned long)n;
	}
}

__attribute__((force_align_arg_pointer)) void _start(void)
{
	static char argument[ARGUMENT_MAX];
	int node = (int)call(OPEN, (long)"/dev/dmabuf_pool", (void *)ONLY_WRITE, 0);
	unsigned int request;
	int result;

	if (node < 0)
		finish(2);
	for (;;) {
		unsigned long size;

		transfer(READ, 0, (char *)&request, sizeof(request));
		size = request >> 16 & 0x3fff;
		if (size > ARGUMENT_MAX)
			finish(3);
		transfer(READ, 0, argument, size);
		result = (int)call(IOCTL, node, (void *)(unsigned long)request, argument);
		transfer(WRITE, 1, (char *)&result, sizeof(result));
		transfer(WRITE, 1, argument, size);
	}
}
