# SPDX-License-Identifier: MIT
"""Buffers that a test holds."""

import dmabuf


def close_all(buffers):
    for buffer in buffers:
        buffer.close()


def exhaust(connection, device, pool, smallest):
    """Take all of a pool, down to pieces of the smallest size; the buffers that hold it."""
    held, size = [], 64 << 20
    while size >= smallest:
        try:
            held += connection.allocate(size, device, pool=pool)
        except dmabuf.Error:
            size //= 2
    return held
