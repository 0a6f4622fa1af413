/* SPDX-License-Identifier: MIT */
/*
 * The kernel module's node without the module: what the daemon opens, asks and reads is answered
 * here. A buffer is a pipe, so its release is the real one: the last writing end is closed, whoever
 * held it. Knows the kernel interface; nothing of clients, quota or the wire.
 */
#ifndef FAKE_KERNEL_H
#define FAKE_KERNEL_H

#include <stddef.h>
#include <stdint.h>

/* From the start of a run: the usual pools, nothing alive. */
void fake_kernel_start(void);

/* Forget everything; all buffers must have been released. */
void fake_kernel_stop(void);

/* Post the events of the buffers whose last descriptor is gone. */
void fake_kernel_release(void);

/* Of what lives. */
uint64_t fake_kernel_get_bytes(void);
unsigned int fake_kernel_get_count(void);

/* Before the first ALLOC: n buffers live that nobody here holds, a page each; tags in turn. */
void fake_kernel_set_old(unsigned int n, const uint8_t tags[][256], unsigned int n_tags);

/* The next ALLOC fails so; 0 for none. */
void fake_kernel_fail_alloc(int error);

/* So many bytes more of this pool are in use, by others. */
void fake_kernel_use(unsigned int pool, uint64_t bytes);

/* Buffers lie here from now on, rather than at 1 GiB. */
void fake_kernel_set_base(uint64_t base);

/*
 * A kernel that lies. One more pool behind the usual ones, from the bytes of a record; the
 * answer to one more LIST, that it wrote count records; one more read() of the node.
 */
void fake_kernel_add_pool(const uint8_t *bytes, size_t size);
void fake_kernel_add_list(unsigned int count, const uint8_t *records, size_t size);
void fake_kernel_add_read(const uint8_t *bytes, size_t size);

#endif
