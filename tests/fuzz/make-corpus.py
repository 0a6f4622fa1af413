#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes the seeds of the fuzz targets: FOLDER/TARGET/NAME for each.

Usage: make-corpus.py FOLDER

A seed is what the target should know how to come by; what a fuzzer found and was repaired is added
here with a name that tells it. Follows the actions of fuzz-session.c and the parts of fuzz-events.c.
"""
import struct
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "integration"))
sys.dont_write_bytecode = True
import wire  # noqa: E402

(CONNECT, BYTES, FRAME, ALLOC, WITH_FDS, READ, LEAVE, CLOSE_KEPT, FAIL_ALLOC,
 RESTART) = range(10)
ROOT, USER, OTHER = range(3)
POOL, LIST, EVENTS = range(3)


def act(action, client=0, data=b""):
    return bytes([action + 10 * client]) + data


def send(frame, client=0):
    return act(BYTES, client, struct.pack("=H", len(frame)) + frame)


def hello(client=0, user=USER, minor=0):
    return (act(CONNECT, client, bytes([user]))
            + send(wire.frame(wire.HELLO, struct.pack("=II", 1, minor)), client)
            + act(READ, client))


def alloc(client=0, pages=16, count=1, flags=0, mapping=0, devices=(0,), pool=0, alignment=0,
          bits=0, preferred=0):
    return act(ALLOC, client, struct.pack("=HBHBB", pages * 16, count - 1, flags, mapping,
                                          len(devices)) + bytes(devices)
               + bytes([pool, alignment, bits, preferred]))


def request_2(**wanted):
    return wire.request(**wanted) + wire.WAIT.pack(0) + wire.CONSTRAINTS.pack(0, 0, 0)


def batch(*requests, n=None, size=176):
    body = struct.pack("=II", len(requests) if n is None else n, size) + b"".join(requests)
    return send(wire.frame(wire.BATCH, body)) + act(READ)


def listed(opcode, client=0, after=0):
    return send(wire.frame(opcode, struct.pack("=Q", after)), client) + act(READ, client)


def sessions():
    request = wire.frame(wire.ALLOC, wire.request(size=4096))
    yield "hello", hello()
    yield "other-major", act(CONNECT, 0, b"\1") + send(
        wire.frame(wire.HELLO, struct.pack("=II", 2, 0))) + act(READ)
    yield "alloc-and-close", hello() + alloc() + act(READ) + act(CLOSE_KEPT, 0, b"\0")
    yield "alloc-unread", hello() + alloc(count=14) + act(LEAVE)
    yield "alloc-ahead", hello() + alloc(count=14) + alloc() + act(READ) + act(READ)
    yield "alloc-many", hello(user=ROOT) + (alloc(count=14) + act(READ)) * 3
    yield "alloc-shared", hello() + alloc(devices=(0, 1, 4)) + act(READ)
    yield "alloc-every-mapping", hello() + b"".join(
        alloc(mapping=mapping, flags=flags, devices=(2,)) + act(READ)
        for mapping in range(3) for flags in range(4))
    yield "alloc-every-pool", hello() + b"".join(alloc(pool=pool) + act(READ) for pool in range(6))
    yield "alloc-every-device", hello() + b"".join(
        alloc(devices=(device,)) + act(READ) for device in range(7))
    yield "alloc-preferred", hello() + b"".join(
        alloc(pages=512, mapping=1, flags=1, pool=2, alignment=11, bits=bits, preferred=preferred)
        + act(READ) for bits in (0, 20, 32) for preferred in (0, 1, 15))
    yield "alloc-roles", hello(user=ROOT) + b"".join(
        alloc(flags=1 << flag, devices=()) + act(READ) for flag in range(12))
    yield "alloc-beyond-quota", hello() + alloc(pages=1600) + act(READ) + alloc(
        pages=3000) + act(READ)
    yield "alloc-fails", hello() + b"".join(
        act(FAIL_ALLOC, 0, bytes([error])) + alloc(count=2) + act(READ) for error in range(15))
    yield "two-users", hello(0, USER) + hello(1, OTHER) + (
        alloc(0, pages=100) + act(READ, 0) + alloc(1, pages=100) + act(READ, 1)) * 4
    yield "lists", hello() + alloc(count=14) + act(READ) + b"".join(
        listed(opcode) for opcode in (wire.POOLS, wire.DEVICES, wire.BUFFERS))
    yield "cursors", hello(user=ROOT) + (alloc(count=14) + act(READ)) * 2 + b"".join(
        listed(wire.BUFFERS, after=after) for after in (0, 5, 13, 27, 28, 2**64 - 1))
    yield "explain", hello() + send(wire.frame(wire.EXPLAIN, wire.request(
        size=65536, devices=[0x103]))) + act(READ)
    for name, opcode in {"watch": wire.WATCH, "notify": wire.NOTIFY}.items():
        yield name, hello(0, USER) + send(wire.frame(opcode)) + act(READ) + hello(1, USER) + hello(
            2, OTHER) + (alloc(1, pages=500, pool=3) + act(READ, 1)) * 3 + (
                alloc(2, pages=2000, pool=3) + act(READ, 2) + act(READ)) * 2 + act(LEAVE)
    camera = request_2(size=65536, devices=[0x103])
    large = request_2(size=2**23, devices=[0x103])
    yield "check", hello(minor=2) + b"".join(
        send(wire.frame(wire.CHECK, request)) + act(READ) for request in (camera, large))
    yield "refused-with-cause", hello(minor=2) + alloc(pages=3000) + act(READ) + act(
        FAIL_ALLOC, 0, b"\1") + alloc(pool=2) + act(READ)
    yield "batch", hello(minor=2) + batch(camera, camera) + batch(camera, large, camera)
    yield "batch-of-all", hello(minor=2) + batch(*[camera] * 14) + act(LEAVE)
    yield "batch-fails", hello() + act(FAIL_ALLOC, 0, b"\1") + batch(camera, camera)
    yield "batch-claims-more", hello() + batch(camera, n=14)
    yield "batch-of-none", hello() + batch(camera, n=0)
    yield "batch-of-too-many", hello() + batch(camera, n=2**32 - 1)
    yield "batch-of-other-size", hello() + batch(camera, size=8)
    yield "restart", hello() + alloc(count=14) + act(READ) + act(RESTART) + hello() + listed(
        wire.BUFFERS) + act(CLOSE_KEPT, 0, b"\3")
    yield "descriptors-attached", hello() + act(WITH_FDS, 0, b"\5" + struct.pack(
        "=H", len(request)) + request) + act(READ)
    yield "before-hello", act(CONNECT, 0, b"\1") + send(request) + act(READ)
    for name, frame in {
            "empty": b"", "one-byte": b"\1", "half-a-header": request[:9],
            "truncated": request[:-1], "oversized": request + bytes(4096),
            "wrong-length": wire.frame(wire.POOLS, bytes(8), length=4000),
            "claims-descriptors": wire.frame(wire.POOLS, bytes(8), n_fds=3),
            "status": wire.frame(wire.POOLS, bytes(8), status=-5),
            "opcode-0": wire.frame(0, bytes(8)), "opcode-65535": wire.frame(65535, bytes(8)),
            "unknown-flag": wire.frame(wire.ALLOC, wire.request(flags=1 << 31)),
            "unknown-mapping": wire.frame(wire.ALLOC, wire.request(mapping=9)),
            "count-0": wire.frame(wire.ALLOC, wire.request(count=0)),
            "size-of-all": wire.frame(wire.ALLOC, wire.request(size=2**64 - 1)),
            "nine-devices": wire.frame(wire.ALLOC, wire.request(n_devices=9)),
            "name-with-control-characters": wire.frame(wire.ALLOC, wire.request(name=b"\33[2J")),
            "pool-without-end": wire.frame(wire.ALLOC, wire.request(pool=b"x" * 32))}.items():
        yield f"frame-{name}", hello() + send(frame) + act(READ)


def configurations():
    yield "empty", b""
    yield "daemon", (b"[Daemon]\nUserBytesMax=256M\nUserBuffersMax=100\nUserConnectionsMax=8\n"
                     b"DeviceBytesMax=1G\nDeviceBuffersMax=infinity\nUserDeviceBytesMax=64M\n"
                     b"UserDeviceBuffersMax=32\nFairShare=no\nAllocateGroup=root\n"
                     b"AddressGroup=0\n")
    yield "pool", b"[Pool camera]\nBytesMax=75%\nUserBytesMax=infinity\n[Pool area]\nBytesMax=1G\n"
    yield "device", (b"[Device platform:camera]\nBytesMax=8M\nBuffersMax=9\nUserBytesMax=4M\n"
                     b"Pool=camera\nCoherent=yes\nIOMMU=no\nAddressBits=32\n"
                     b"Reserve=camera 50%\nReserve=area 4M\n")
    yield "pattern", b"[Device *:x]\nBytesMax=1\n[Device /dev/video[0-9]]\nBuffersMax=2\n"
    yield "user", b"[User root]\nBytesMax=1M\n[User @root]\nBuffersMax=1\n[User 1000]\n" \
                  b"ConnectionsMax=65536\n"
    yield "comments", b"# one\n; two\n\n  [ Daemon ]  \n  UserBytesMax = 1K  \n"
    yield "edges", b"[Daemon]\nUserBytesMax=18446744073709551615\nDeviceBytesMax=16777215T\n"
    # Each is refused, and by one check alone.
    yield "long-count", b"[Daemon]\nUserBuffersMax=4294967296\n"
    yield "long-bytes", b"[Daemon]\nUserBytesMax=9223372036854775808\n"
    yield "many-connections", b"[User root]\nConnectionsMax=65537\n"
    yield "nobody", b"[Daemon]\nAddressGroup=4294967295\n"
    yield "bits", b"[Device platform:camera]\nAddressBits=11\n"
    yield "long-pool", b"[Device platform:camera]\nPool=" + 32 * b"x" + b"\n"
    yield "long-comment", b"#" * 199 + b"\n"
    yield "reset", b"[Daemon]\nUserBytesMax=1\nUserBytesMax=\n[Device a:b]\nReserve=camera 1\n" \
                   b"Reserve=\n"
    for name, text in {
            "no-section": "UserBytesMax=1\n", "unknown-section": "[Elsewhere]\n",
            "unknown-key": "[Daemon]\nNoSuchKey=1\n", "open-section": "[Daemon\n",
            "no-match": "[Device]\n", "match-of-daemon": "[Daemon x]\n",
            "no-device": "[Device camera]\n", "no-user": "[User nobody-of-this-name]\n",
            "too-large": "[Daemon]\nUserBytesMax=16777216T\n", "negative": "[Daemon]\nUserBytesMax=-1\n",
            "no-assignment": "[Daemon]\nUserBytesMax\n", "colon": "[Daemon]\nUserBytesMax:1\n",
            "reserve-of-pattern": "[Device *:x]\nReserve=camera 1\n",
            "per-cent": "[Pool camera]\nBytesMax=101%\n",
            "long-line": "[Daemon]\nUserBytesMax=" + "9" * 300 + "\n",
            "nul": "[Daemon]\nUserBytesMax=1\0002\n"}.items():
        yield f"bad-{name}", text.encode()


def part(kind, data, count=0):
    head = bytes([kind]) + (struct.pack("=H", count) if kind == LIST else b"")
    return head + struct.pack("=H", len(data)) + data


def pool(name, kind=2, size=1 << 20, mappings=6):
    return part(POOL, struct.pack("=II32sQQQQIIQ", 0, kind, name, 0, size, 0, size, mappings, 0, 0))


def tag(uid=1000, devices=b"platform:camera", version=1):
    return struct.pack("=III32s212s", version, uid, 7, b"label", devices)


def live(number, size=4096, index=0, packed=None):
    return struct.pack("=QQQQIIII", number, size, 0, size, index, 1, 1, 0) + (packed or tag())


def released(number, length=24, kind=1):
    return struct.pack("=IIQQ", kind, length, number, 4096)


def answer(*records, count=None):
    return part(LIST, b"".join(records), len(records) if count is None else count)


def events():
    page = [live(number) for number in range(1, 65)]
    yield "nothing", b""
    yield "one", answer(live(1)) + part(EVENTS, released(1))
    yield "two-in-one-read", answer(live(1), live(2)) + part(EVENTS, released(2) + released(1))
    yield "never-listed", answer(live(1)) + part(EVENTS, released(9))
    yield "twice", answer(live(1)) + part(EVENTS, released(1)) + part(EVENTS, released(1))
    yield "unknown-type", answer(live(1)) + part(EVENTS, released(0, kind=77) + released(1))
    yield "longer-record", answer(live(1)) + part(EVENTS, released(1, length=32) + bytes(8))
    yield "full-read", answer(*page[:60]) + part(EVENTS, b"".join(
        released(number) for number in range(1, 171)))
    yield "full-read-ends-in-half-a-record", answer(live(1)) + part(EVENTS, b"".join(
        released(number) for number in range(1, 171)) + released(171)[:16])
    for name, length in {"zero": 0, "short": 8, "odd": 20, "long": 4000, "huge": 2**32 - 8}.items():
        yield f"length-{name}", answer(live(1)) + part(EVENTS, released(1, length=length))
    yield "half-a-header", part(EVENTS, b"\1\0\0\0")
    yield "empty-read", part(EVENTS, b"")
    yield "two-pages", answer(*page) + answer(live(65), live(66))
    yield "same-page-twice", answer(*page) + answer(*page)
    yield "same-id", answer(live(1), live(1))
    yield "id-0", answer(live(0))
    yield "descending", answer(live(3), live(2), live(1))
    yield "claims-more", answer(live(1), count=65535)
    yield "claims-more-than-written", answer(live(1), count=5)
    yield "sizes-overflow", answer(live(1, size=2**63), live(2, size=2**63), live(3, size=4096))
    yield "pool-of-none", answer(live(1, index=2**32 - 1))
    for name, packed in {"version": tag(version=9), "devices-without-end": tag(devices=b"x" * 212),
                         "no-devices": tag(devices=b""), "same-device": tag(devices=b"a:b\na:b"),
                         "nine-devices": tag(devices=b"\n".join([b"a:b"] * 9)),
                         "separator-at-end": tag(devices=b"a:b\n"),
                         "all-ones": b"\xff" * 256}.items():
        yield f"tag-{name}", answer(live(1, packed=packed), live(2)) + part(EVENTS, released(1))
    yield "pool-without-end", pool(b"x" * 32) + answer(live(1, index=3))
    yield "pools-of-one-name", pool(b"camera") + pool(b"camera") + answer(live(1, index=4))
    yield "many-pools", b"".join(pool(b"p%d" % n, kind=n) for n in range(70))


def reply(data, sound=True, n_fds=0, status=0):
    """Behind a header that the library waits for, or raw."""
    head = struct.pack("=BH", n_fds * 2 + sound, len(data))
    return head + (bytes([0 if status else 1]) if sound else b"") + data


def buffer(number, size=8192, mapping=2, pool=b"camera", kind=2):
    return struct.pack("=QQQQIIIIII32s32s128s", number, size, 1 << 30, (1 << 30) + size, kind,
                       mapping, 1, 1000, 7, 0, pool, b"label", b"platform:camera")


def page(*records, following=0, count=None):
    return struct.pack("=QII", following, len(records) if count is None else count, 0) \
        + b"".join(records)


def wire_event(body):
    """With the serial of the NOTIFY, which was the first frame."""
    return reply(wire.frame(wire.NOTIFY, body, serial=1), sound=False)


def replies():
    allocate, explain, pools, devices, buffers, check, _, start, notify = (
        bytes([call]) for call in range(9))
    two = bytes([9])  # ALLOCATE of two
    yield "nothing", allocate
    yield "one", allocate + reply(buffer(1), n_fds=1)
    yield "two", two + reply(buffer(1) + buffer(2), n_fds=2)
    batch_of_two = bytes([15])
    yield "check", check + reply(b"")
    yield "check-with-more", check + reply(bytes(8))
    yield "check-with-descriptors", check + reply(b"", n_fds=2)
    yield "batch", batch_of_two + reply(buffer(1) + buffer(2), n_fds=2)
    yield "batch-too-small", batch_of_two + reply(buffer(1) + buffer(2, size=4096), n_fds=2)
    yield "batch-too-few", batch_of_two + reply(buffer(1), n_fds=1)
    yield "too-few-descriptors", two + reply(buffer(1) + buffer(2), n_fds=1)
    yield "too-many-descriptors", allocate + reply(buffer(1), n_fds=20)
    yield "too-small", allocate + reply(buffer(1, size=4096), n_fds=1)
    yield "unknown-mapping", allocate + reply(buffer(1, mapping=7), n_fds=1)
    yield "unknown-kind", allocate + reply(buffer(1, kind=7), n_fds=1)
    yield "pool-without-end", allocate + reply(buffer(1, pool=b"x" * 32), n_fds=1)
    yield "refused", allocate + reply(b"no quota".ljust(1024, b"\0"), status=1)
    cause = struct.pack("=IIQQQQ32s64s", 1, 0, 9, 8, 7, 6, b"camera", b"")
    for name, record in {"cause": cause, "half-a-cause": cause[:60],
                         "cause-without-end": cause[:40] + b"x" * 96,
                         "cause-of-no-kind": b"\x08" + cause[1:]}.items():
        yield f"refused-with-{name}", allocate + reply(b"full".ljust(1024, b"\0") + record, status=1)
    yield "refused-with-descriptors", allocate + reply(b"no".ljust(1024, b"\0"), status=1, n_fds=3)
    yield "refused-without-end", allocate + reply(b"x" * 1024, status=1)
    yield "raw", allocate + reply(wire.frame(wire.ALLOC, buffer(1), serial=1), sound=False, n_fds=1)
    yield "other-serial", allocate + reply(wire.frame(wire.ALLOC, buffer(1), serial=9), sound=False)
    yield "empty", allocate + reply(b"", sound=False)
    yield "started", start + reply(buffer(1), n_fds=1)
    yield "started-too-few-descriptors", bytes([16]) + reply(buffer(1) + buffer(2), n_fds=1)
    yield "started-refused", start + reply(b"no quota".ljust(1024, b"\0"), status=1)
    yield "started-and-more", start + reply(buffer(1), n_fds=1) * 2
    event = struct.pack("=IiQQQII32s32s128s", 33, 0, 1, 0, 4096, 0, 0, b"camera", b"", b"")
    yield "notify", notify + reply(b"") + wire_event(event)
    yield "notify-other-serial", notify + reply(b"") + reply(event)
    yield "notify-without-end", notify + reply(b"") + wire_event(event[:40] + b"x" * 200)
    yield "notify-refused", notify + reply(b"no".ljust(1024, b"\0"), status=1)
    why = b"because".ljust(160, b"\0")
    step = struct.pack("=32sII160s", b"camera", 1, 1, b"bound")
    for name, n_steps in {"none": 0, "two": 2, "more-than-there-are": 3, "all": 2**32 - 1}.items():
        yield f"explain-{name}", explain + reply(
            struct.pack("=QII", 0, 1, 2) + why * 3 + struct.pack("=II", n_steps, 0) + step * 2)
    pool_record = struct.pack("=32sIIQQQQ", b"camera", 1, 4, 0, 1 << 20, 0, 1 << 20)
    device = struct.pack("=64s64s32sQQQQII", b"/dev/video0", b"platform:camera", b"camera",
                         81 << 32, 2**32 - 1, 0, 2**64 - 1, 4, 0)
    for name, call, record in (("pools", pools, pool_record), ("devices", devices, device),
                               ("buffers", buffers, buffer(1))):
        yield f"{name}-none", call + reply(page())
        yield f"{name}-two-pages", call + reply(page(record, following=5)) + reply(page(record))
        yield f"{name}-same-page-for-ever", call + reply(page(record, following=5)) * 4
        yield f"{name}-more-than-there-are", call + reply(page(record, count=2))
        yield f"{name}-empty-page-and-more", call + reply(page(following=5))


def main():
    for target, seeds in (("session", sessions()), ("config", configurations()),
                          ("events", events()), ("replies", replies())):
        folder = Path(sys.argv[1]) / target
        folder.mkdir(parents=True, exist_ok=True)
        for old in folder.iterdir():
            old.unlink()
        for name, data in seeds:
            (folder / name).write_bytes(data)


if __name__ == "__main__":
    main()
