# SPDX-License-Identifier: MIT
"""libdmabuf as ctypes sees it: structures, prototypes and the library itself.

Part of the module dmabuf, and no interface of its own. What anything means is told in <dmabuf.h>.
"""

import ctypes
from ctypes import CFUNCTYPE, POINTER, Structure, c_char_p, c_int, c_uint, c_uint64, c_void_p


def structure(name, *fields):
    return type(name, (Structure,), {"_fields_": list(fields)})


PoolInfo = structure(
    "dmabuf_pool_info", ("name", c_char_p), ("kind", c_int), ("mappings", c_uint),
    ("base", c_uint64), ("size", c_uint64), ("used", c_uint64), ("max_block", c_uint64),
    ("stocked", c_uint64), ("stock_limit", c_uint64))
DeviceInfo = structure(
    "dmabuf_device_info", ("node", c_char_p), ("device", c_char_p), ("pool", c_char_p),
    ("dma_mask", c_uint64), ("used", c_uint64), ("limit", c_uint64), ("coherent", c_int),
    ("iommu", c_int), ("allowed", c_int))
BufferInfo = structure(
    "dmabuf_buffer_info", ("id", c_uint64), ("size", c_uint64), ("base", c_uint64),
    ("end", c_uint64), ("pool", c_char_p), ("name", c_char_p), ("devices", c_char_p),
    ("kind", c_int), ("mapping", c_int), ("contiguous", c_int), ("uid", c_uint), ("pid", c_int),
    ("relaxed", c_uint))
ErrorInfo = structure(
    "dmabuf_error_info", ("code", c_int), ("refusal", c_int), ("text", c_char_p),
    ("pool", c_char_p), ("device", c_char_p), ("wanted", c_uint64), ("available", c_uint64),
    ("largest_free", c_uint64), ("limit", c_uint64), ("of_buffers", c_int))
ClientInfo = structure(
    "dmabuf_client_info", ("uid", c_uint), ("pid", c_int), ("connected", c_uint64),
    ("buffers", c_uint64), ("bytes", c_uint64), ("requests", c_uint64), ("refusals", c_uint64),
    ("watches", c_int), ("self", c_int))
DurationBucket = structure(
    "dmabuf_duration_bucket", ("bound", c_uint64), ("count", c_uint64))
PoolCount = structure(
    "dmabuf_pool_count", ("pool", c_char_p), ("buffers", c_uint64), ("bytes", c_uint64))
StatusInfo = structure(
    "dmabuf_status_info", ("version", c_char_p), ("module_major", c_uint),
    ("module_minor", c_uint), ("module_missing", c_char_p), ("uptime", c_uint64),
    ("clients", c_uint64), ("watchers", c_uint64), ("buffers", c_uint64), ("bytes", c_uint64),
    ("connections", c_uint64), ("requests", c_uint64), ("reloads", c_uint64), ("lost", c_uint64),
    ("refusals", POINTER(c_uint64)), ("n_refusals", c_uint), ("duration", c_uint64),
    ("buckets", POINTER(DurationBucket)), ("n_buckets", c_uint), ("pools", POINTER(PoolCount)),
    ("n_pools", c_uint))
EventInfo = structure(
    "dmabuf_event", ("type", c_int), ("time", c_uint64), ("number", c_uint64),
    ("size", c_uint64), ("uid", c_uint), ("pid", c_int), ("error", c_int), ("pool", c_char_p),
    ("name", c_char_p), ("devices", c_char_p), ("text", c_char_p))
ExplainStep = structure(
    "dmabuf_explain_step", ("pool", c_char_p), ("kind", c_int), ("would_try", c_int),
    ("why", c_char_p), ("needs", c_char_p), ("verdict", c_int))
Explanation = structure(
    "dmabuf_explanation", ("contiguous", c_int), ("max_address", c_uint64), ("mapping", c_int),
    ("contiguous_why", c_char_p), ("address_why", c_char_p), ("mapping_why", c_char_p),
    ("steps", POINTER(ExplainStep)), ("n_steps", c_uint), ("contiguous_needs", c_char_p),
    ("address_needs", c_char_p), ("mapping_needs", c_char_p), ("over_quota", c_int),
    ("quota_why", c_char_p), ("quota_needs", c_char_p), ("alignment_why", c_char_p),
    ("alignment_needs", c_char_p), ("alignment", c_uint64))


def visitor(info):
    return CFUNCTYPE(c_int, POINTER(info), c_void_p)


EndFn = CFUNCTYPE(None, c_int, POINTER(c_void_p), c_uint, c_void_p)
NotifyFn = CFUNCTYPE(None, POINTER(EventInfo), c_void_p)

# Of each function of the library: what it returns, and what it takes.
PROTOTYPES = {
    "dmabuf_allocate": (c_int, c_void_p, c_void_p, POINTER(c_void_p), c_uint),
    "dmabuf_allocate_batch": (c_int, c_void_p, POINTER(c_void_p), POINTER(c_void_p), c_uint),
    "dmabuf_allocate_cancel": (None, c_void_p),
    "dmabuf_allocate_start": (c_int, c_void_p, c_void_p, c_uint, EndFn, c_void_p,
                              POINTER(c_void_p)),
    "dmabuf_buffer_begin_access": (c_int, c_void_p, c_uint),
    "dmabuf_buffer_end_access": (c_int, c_void_p, c_uint),
    "dmabuf_buffer_free": (c_void_p, c_void_p),
    "dmabuf_buffer_get_address": (c_int, c_void_p, POINTER(c_uint64), POINTER(c_uint64)),
    "dmabuf_buffer_get_fd": (c_int, c_void_p),
    "dmabuf_buffer_get_id": (c_uint64, c_void_p),
    "dmabuf_buffer_get_kind": (c_int, c_void_p),
    "dmabuf_buffer_get_mapping": (c_int, c_void_p),
    "dmabuf_buffer_get_pool": (c_char_p, c_void_p),
    "dmabuf_buffer_get_relaxed": (c_uint, c_void_p),
    "dmabuf_buffer_get_size": (c_uint64, c_void_p),
    "dmabuf_buffer_is_contiguous": (c_int, c_void_p),
    "dmabuf_buffer_map": (c_int, c_void_p, POINTER(c_void_p)),
    "dmabuf_buffer_take_fd": (c_int, c_void_p),
    "dmabuf_buffer_unmap": (None, c_void_p),
    "dmabuf_can_allocate": (c_int, c_void_p, c_void_p, c_uint),
    "dmabuf_connect": (c_int, POINTER(c_void_p)),
    "dmabuf_disconnect": (c_void_p, c_void_p),
    "dmabuf_dispatch": (None, c_void_p),
    "dmabuf_error": (c_char_p, c_void_p),
    "dmabuf_explain": (c_int, c_void_p, c_void_p, visitor(Explanation), c_void_p),
    "dmabuf_fd_begin_access": (c_int, c_int, c_uint),
    "dmabuf_fd_end_access": (c_int, c_int, c_uint),
    "dmabuf_fd_begin_access_range": (c_int, c_int, c_uint64, c_uint64, c_uint),
    "dmabuf_fd_end_access_range": (c_int, c_int, c_uint64, c_uint64, c_uint),
    "dmabuf_fd_get_info": (c_int, c_void_p, c_int, visitor(BufferInfo), c_void_p),
    "dmabuf_get_error_info": (POINTER(ErrorInfo), c_void_p),
    "dmabuf_get_fd": (c_int, c_void_p),
    "dmabuf_get_status": (c_int, c_void_p, visitor(StatusInfo), c_void_p),
    "dmabuf_list_buffers": (c_int, c_void_p, visitor(BufferInfo), c_void_p),
    "dmabuf_list_clients": (c_int, c_void_p, visitor(ClientInfo), c_void_p),
    "dmabuf_list_devices": (c_int, c_void_p, visitor(DeviceInfo), c_void_p),
    "dmabuf_list_pools": (c_int, c_void_p, visitor(PoolInfo), c_void_p),
    "dmabuf_request_add_device": (c_int, c_void_p, c_char_p),
    "dmabuf_request_add_device_fd": (c_int, c_void_p, c_int),
    "dmabuf_request_add_device_number": (c_int, c_void_p, c_uint64),
    "dmabuf_request_free": (c_void_p, c_void_p),
    "dmabuf_request_new": (c_int, POINTER(c_void_p)),
    "dmabuf_request_set_address_bits": (c_int, c_void_p, c_uint),
    "dmabuf_request_set_alignment": (c_int, c_void_p, c_uint64),
    "dmabuf_request_set_mapping": (c_int, c_void_p, c_int),
    "dmabuf_request_set_name": (c_int, c_void_p, c_char_p),
    "dmabuf_request_set_pool": (c_int, c_void_p, c_char_p),
    "dmabuf_request_set_preferred": (c_int, c_void_p, c_uint),
    "dmabuf_request_set_size": (c_int, c_void_p, c_uint64),
    "dmabuf_request_set_usage": (c_int, c_void_p, c_uint),
    "dmabuf_request_set_wait": (None, c_void_p, c_uint),
    "dmabuf_set_notify": (c_int, c_void_p, NotifyFn, c_void_p),
    "dmabuf_set_timeout": (None, c_void_p, c_uint),
    "dmabuf_watch_get_fd": (c_int, c_void_p),
    "dmabuf_watch_read": (c_int, c_void_p, visitor(EventInfo), c_void_p),
    "dmabuf_watch_start": (c_int, c_void_p),
}

lib = ctypes.CDLL("libdmabuf.so.0")
for _name, (_result, *_arguments) in PROTOTYPES.items():
    _function = getattr(lib, _name)
    _function.restype, _function.argtypes = _result, _arguments
