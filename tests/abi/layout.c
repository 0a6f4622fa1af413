/* SPDX-License-Identifier: MIT */
/*
 * The layout of every structure that crosses a process or the kernel, in numbers: compiled for
 * 32-bit and 64-bit machines, which must agree. A number here changes only with a major version.
 */
#include "dmabufd-protocol.h"
#include "uapi/dmabuf_pool.h"

#define SIZE(type, size) _Static_assert(sizeof(struct type) == (size), "size of " #type)
#define AT(type, field, offset)                                                                    \
	_Static_assert(__builtin_offsetof(struct type, field) == (offset), #type "." #field)
#define NUMBER(name, value) _Static_assert((name) == (value), #name)

/* Kernel */
SIZE(dmabuf_pool_version, 8);
AT(dmabuf_pool_version, minor, 4);

SIZE(dmabuf_pool_info, 104);
AT(dmabuf_pool_info, kind, 4);
AT(dmabuf_pool_info, name, 8);
AT(dmabuf_pool_info, base, 40);
AT(dmabuf_pool_info, size, 48);
AT(dmabuf_pool_info, used, 56);
AT(dmabuf_pool_info, max_block, 64);
AT(dmabuf_pool_info, mappings, 72);
AT(dmabuf_pool_info, flags, 76);
AT(dmabuf_pool_info, free_block, 80);
AT(dmabuf_pool_info, stocked, 88);
AT(dmabuf_pool_info, stock_limit, 96);

SIZE(dmabuf_pool_device, 120);
AT(dmabuf_pool_device, name, 16);
AT(dmabuf_pool_device, dma_mask, 80);
AT(dmabuf_pool_device, bound_pools, 88);
AT(dmabuf_pool_device, flags, 96);
AT(dmabuf_pool_device, pad, 100);
AT(dmabuf_pool_device, segment_size, 104);
AT(dmabuf_pool_device, segment_boundary, 112);

SIZE(dmabuf_pool_alloc, 320);
AT(dmabuf_pool_alloc, max_address, 8);
AT(dmabuf_pool_alloc, pool, 16);
AT(dmabuf_pool_alloc, mapping, 20);
AT(dmabuf_pool_alloc, flags, 24);
AT(dmabuf_pool_alloc, fd, 28);
AT(dmabuf_pool_alloc, tag, 32);
AT(dmabuf_pool_alloc, id, 288);
AT(dmabuf_pool_alloc, base, 296);
AT(dmabuf_pool_alloc, end, 304);
AT(dmabuf_pool_alloc, charge_socket, 312);
AT(dmabuf_pool_alloc, pad, 316);

SIZE(dmabuf_pool_buffer, 304);
AT(dmabuf_pool_buffer, size, 8);
AT(dmabuf_pool_buffer, base, 16);
AT(dmabuf_pool_buffer, end, 24);
AT(dmabuf_pool_buffer, pool, 32);
AT(dmabuf_pool_buffer, mapping, 36);
AT(dmabuf_pool_buffer, flags, 40);
AT(dmabuf_pool_buffer, pad, 44);
AT(dmabuf_pool_buffer, tag, 48);

SIZE(dmabuf_pool_describe, 312);
AT(dmabuf_pool_describe, pad, 4);
AT(dmabuf_pool_describe, buffer, 8);

SIZE(dmabuf_pool_list, 24);
AT(dmabuf_pool_list, buffers, 8);
AT(dmabuf_pool_list, count, 16);
AT(dmabuf_pool_list, record_size, 20);

SIZE(dmabuf_pool_sync, 32);
AT(dmabuf_pool_sync, offset, 8);
AT(dmabuf_pool_sync, length, 16);
AT(dmabuf_pool_sync, flags, 24);
AT(dmabuf_pool_sync, pad, 28);

SIZE(dmabuf_pool_stock, 16);
AT(dmabuf_pool_stock, pad, 4);
AT(dmabuf_pool_stock, limit, 8);

SIZE(dmabuf_pool_sync_range, 24);
AT(dmabuf_pool_sync_range, flags, 4);
AT(dmabuf_pool_sync_range, offset, 8);
AT(dmabuf_pool_sync_range, length, 16);

SIZE(dmabuf_pool_event, 8);
AT(dmabuf_pool_event, length, 4);
SIZE(dmabuf_pool_event_release, 24);
AT(dmabuf_pool_event_release, id, 8);
AT(dmabuf_pool_event_release, size, 16);

NUMBER(DMABUF_POOL_IOCTL_VERSION, 0xc0085900);
NUMBER(DMABUF_POOL_IOCTL_POOL, 0xc0685901);
NUMBER(DMABUF_POOL_IOCTL_DEVICE, 0xc0785902);
NUMBER(DMABUF_POOL_IOCTL_ALLOC, 0xc1405903);
NUMBER(DMABUF_POOL_IOCTL_DESCRIBE, 0xc1385904);
NUMBER(DMABUF_POOL_IOCTL_LIST, 0xc0185905);
NUMBER(DMABUF_POOL_IOCTL_SYNC, 0xc0205906);
NUMBER(DMABUF_POOL_IOCTL_STOCK, 0xc0105907);
NUMBER(DMABUF_POOL_IOCTL_SYNC_RANGE, 0xc0185908);

/* Wire */
SIZE(dmabufd_header, 16);
AT(dmabufd_header, opcode, 4);
AT(dmabufd_header, n_fds, 6);
AT(dmabufd_header, serial, 8);
AT(dmabufd_header, status, 12);

SIZE(dmabufd_hello, 8);
SIZE(dmabufd_error, 1024);
SIZE(dmabufd_cause, 136);
AT(dmabufd_cause, flags, 4);
AT(dmabufd_cause, wanted, 8);
AT(dmabufd_cause, available, 16);
AT(dmabufd_cause, largest_free, 24);
AT(dmabufd_cause, limit, 32);
AT(dmabufd_cause, pool, 40);
AT(dmabufd_cause, device, 72);
SIZE(dmabufd_cursor, 8);

SIZE(dmabufd_request, 176);
AT(dmabufd_request, count, 8);
AT(dmabufd_request, flags, 12);
AT(dmabufd_request, mapping, 16);
AT(dmabufd_request, n_devices, 20);
AT(dmabufd_request, devices, 24);
AT(dmabufd_request, pool, 88);
AT(dmabufd_request, name, 120);
AT(dmabufd_request, wait, 152);
AT(dmabufd_request, alignment, 160);
AT(dmabufd_request, address_bits, 168);
AT(dmabufd_request, preferred, 172);
NUMBER(DMABUFD_REQUEST_SIZE_0, 152);
NUMBER(DMABUFD_REQUEST_SIZE_1, 160);

SIZE(dmabufd_identity, 24);
AT(dmabufd_identity, inode, 8);
AT(dmabufd_identity, size, 16);

SIZE(dmabufd_batch, 2472);
AT(dmabufd_batch, request_size, 4);
AT(dmabufd_batch, requests, 8);

SIZE(dmabufd_buffer, 248);
AT(dmabufd_buffer, kind, 32);
AT(dmabufd_buffer, mapping, 36);
AT(dmabufd_buffer, flags, 40);
AT(dmabufd_buffer, uid, 44);
AT(dmabufd_buffer, pid, 48);
AT(dmabufd_buffer, relaxed, 52);
AT(dmabufd_buffer, pool, 56);
AT(dmabufd_buffer, name, 88);
AT(dmabufd_buffer, devices, 120);

SIZE(dmabufd_explain, 504);
AT(dmabufd_explain, contiguous, 8);
AT(dmabufd_explain, mapping, 12);
AT(dmabufd_explain, contiguous_why, 16);
AT(dmabufd_explain, address_why, 176);
AT(dmabufd_explain, mapping_why, 336);
AT(dmabufd_explain, n_steps, 496);

SIZE(dmabufd_step, 200);
AT(dmabufd_step, kind, 32);
AT(dmabufd_step, verdict, 36);
AT(dmabufd_step, why, 40);

SIZE(dmabufd_page, 16);
AT(dmabufd_page, count, 8);

SIZE(dmabufd_pool, 88);
AT(dmabufd_pool, kind, 32);
AT(dmabufd_pool, mappings, 36);
AT(dmabufd_pool, base, 40);
AT(dmabufd_pool, size, 48);
AT(dmabufd_pool, used, 56);
AT(dmabufd_pool, max_block, 64);
AT(dmabufd_pool, stocked, 72);
AT(dmabufd_pool, stock_limit, 80);
NUMBER(DMABUFD_POOL_SIZE_0, 72);

SIZE(dmabufd_device, 200);
AT(dmabufd_device, device, 64);
AT(dmabufd_device, pool, 128);
AT(dmabufd_device, devnum, 160);
AT(dmabufd_device, dma_mask, 168);
AT(dmabufd_device, used, 176);
AT(dmabufd_device, limit, 184);
AT(dmabufd_device, flags, 192);

SIZE(dmabufd_bucket, 16);
AT(dmabufd_bucket, count, 8);

SIZE(dmabufd_status, 608);
AT(dmabufd_status, module_major, 32);
AT(dmabufd_status, module_minor, 36);
AT(dmabufd_status, uptime, 40);
AT(dmabufd_status, clients, 48);
AT(dmabufd_status, watchers, 56);
AT(dmabufd_status, buffers, 64);
AT(dmabufd_status, bytes, 72);
AT(dmabufd_status, connections, 80);
AT(dmabufd_status, requests, 88);
AT(dmabufd_status, reloads, 96);
AT(dmabufd_status, lost, 104);
AT(dmabufd_status, refusals, 112);
AT(dmabufd_status, usec, 176);
AT(dmabufd_status, buckets, 184);
AT(dmabufd_status, n_pools, 440);
AT(dmabufd_status, pad, 444);
AT(dmabufd_status, missing, 448);

SIZE(dmabufd_pool_count, 48);
AT(dmabufd_pool_count, buffers, 32);
AT(dmabufd_pool_count, bytes, 40);

SIZE(dmabufd_client, 56);
AT(dmabufd_client, uid, 4);
AT(dmabufd_client, connected, 8);
AT(dmabufd_client, buffers, 16);
AT(dmabufd_client, bytes, 24);
AT(dmabufd_client, requests, 32);
AT(dmabufd_client, refusals, 40);
AT(dmabufd_client, flags, 48);
AT(dmabufd_client, pad, 52);

SIZE(dmabufd_event, 232);
AT(dmabufd_event, error, 4);
AT(dmabufd_event, time, 8);
AT(dmabufd_event, number, 16);
AT(dmabufd_event, size, 24);
AT(dmabufd_event, uid, 32);
AT(dmabufd_event, pid, 36);
AT(dmabufd_event, pool, 40);
AT(dmabufd_event, name, 72);
AT(dmabufd_event, devices, 104);

SIZE(dmabufd_question, 184);
AT(dmabufd_question, request, 8);

SIZE(dmabufd_reason, 752);
AT(dmabufd_reason, verdict, 4);
AT(dmabufd_reason, kind, 8);
AT(dmabufd_reason, pad, 12);
AT(dmabufd_reason, pool, 16);
AT(dmabufd_reason, why, 48);
AT(dmabufd_reason, needs, 400);

/* The wire and the public header use the kernel's numbers. */
NUMBER(DMABUFD_MAPPING_CACHED, DMABUF_POOL_MAPPING_CACHED);
NUMBER(DMABUFD_MAPPING_WRITE_COMBINED, DMABUF_POOL_MAPPING_WRITE_COMBINED);
