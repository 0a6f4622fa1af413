/* SPDX-License-Identifier: MIT */
/*
 * What the kernel says of a descriptor in /proc/self/fdinfo, as far as it makes a dma-buf of the
 * daemon's. Knows no daemon and no connection.
 */
#include "fdinfo.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"

#define EXPORTER "dmabuf_pool" /* the kernel module */
#define TEXT_MAX 4096          /* of which ours are the first few lines behind the general ones */

/* What stands behind "key:\t" at the start of a line, up to its end; NULL when nothing does. */
static const char *find(const char *text, const char *key, size_t *ret_length)
{
	size_t length = strlen(key);

	for (; text; text = strchr(text, '\n')) {
		text += *text == '\n';
		if (strncmp(text, key, length) == 0 && text[length] == ':' &&
		    text[length + 1] == '\t') {
			text += length + 2;
			*ret_length = strcspn(text, "\n");
			return text;
		}
	}
	return NULL;
}

/* A number of the daemon's at the start of a name, with nothing or a blank behind it. */
static uint64_t parse_id(const char *name, size_t length)
{
	uint64_t id = 0;
	size_t i;

	for (i = 0; i < length && name[i] >= '0' && name[i] <= '9'; i++)
		if (__builtin_mul_overflow(id, 10, &id) ||
		    __builtin_add_overflow(id, (uint64_t)(name[i] - '0'), &id))
			return 0;
	return i == length || name[i] == ' ' ? id : 0;
}

int fdinfo_parse(const char *text, struct fdinfo *ret)
{
	const char *exporter, *size, *name;
	size_t exporter_length, length;

	exporter = find(text, "exp_name", &exporter_length);
	size = find(text, "size", &length);
	if (!exporter || !size)
		return -ENOTTY;
	if (exporter_length != strlen(EXPORTER) ||
	    strncmp(exporter, EXPORTER, exporter_length) != 0)
		return -EXDEV;
	ret->size = strtoull(size, NULL, 10);
	name = find(text, "name", &length);
	ret->id = name ? parse_id(name, length) : 0;
	return 0;
}

static int read_text(int fd, char text[static TEXT_MAX])
{
	_cleanup_close_ int file = -EBADF;
	char path[64];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	file = open(path, O_RDONLY | O_CLOEXEC);
	if (file < 0)
		return errno == ENOENT ? -ENOSYS : -errno;
	do
		n = read(file, text, TEXT_MAX - 1);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	text[n] = '\0';
	return 0;
}

int fdinfo_read(int fd, struct fdinfo *ret)
{
	char text[TEXT_MAX];
	struct stat st;
	int r = fstat(fd, &st) < 0 ? -errno : read_text(fd, text);

	if (r >= 0)
		r = fdinfo_parse(text, ret);
	if (r >= 0)
		ret->inode = st.st_ino;
	return r;
}
