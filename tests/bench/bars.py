# SPDX-License-Identifier: MIT
"""What is fast enough: each bar is a ratio of two figures of one run."""

from dataclasses import dataclass

from results import ratio

MIB = 1 << 20
FLAT = (64 << 10, 32 * MIB)
FRAME = 8 * MIB


@dataclass(frozen=True)
class Bar:
    what: str
    bar: str
    ratio: float | None  # None: not measured
    reached: bool


def at_most(what, limit, value):
    return Bar(what, f"at most {limit:g}", value, value is not None and value <= limit)


def at_least(what, limit, value):
    return Bar(what, f"at least {limit:g}", value, value is not None and value >= limit)


def flatness(results, who):
    """The slowest size by the fastest."""
    values = [value for size, value in results.curve("allocate", who) if FLAT[0] <= size <= FLAT[1]]
    return ratio(max(values), min(values)) if values else None


def cold(results, size):
    direct, trip = results.get("allocate", "ioctl", size), results.get("round trip", "socket", 1)
    return ratio(results.get("allocate", "cold", size), direct + trip) if direct and trip else None


def at_scale(results, what, who, few, many):
    return ratio(results.get(what, who, many), results.get(what, who, few))


def bars(results):
    """In the order in which they matter; those of "warm" are missing until there is a stock."""
    get = results.get
    who = "warm" if results.numbers("allocate", "warm") else "cold"
    rss = get("resident", "daemon", 8192)
    yield at_most("warm allocation of 8 MiB / round trip with a descriptor", 1.5,
                  ratio(get("allocate", "warm", FRAME), get("round trip", "socket", 1)))
    yield at_least("system heap / warm allocation, 8 MiB", 10,
                   ratio(get("allocate", "system-heap", FRAME), get("allocate", "warm", FRAME)))
    yield at_most("warm allocation, slowest / fastest of 64 KiB to 32 MiB", 1.1,
                  flatness(results, "warm"))
    for size, text in ((4096, "4 KiB"), (MIB, "1 MiB"), (FRAME, "8 MiB")):
        yield at_most(f"cold allocation of {text} / (module asked directly + round trip)", 1.1,
                      cold(results, size))
    for size, text in ((4096, "4 KiB"), (FRAME, "8 MiB")):
        yield at_most(f"8 buffers of {text} in one request / in 8 requests, {who}", 0.2,
                      ratio(get(f"one request of {size}", who, 8), get(f"requests of {size}", who, 8)))
    pressed = "allocate under pressure"
    yield at_least("CMA heap / brokered CMA, 8 MiB, p99 under pressure", 20,
                   ratio(get(pressed, "cma-heap", FRAME, "p99"),
                         get(pressed, f"{who}-cma", FRAME, "p99")))
    yield at_least("system heap / brokered, mmap of 64 MiB", 10,
                   ratio(get("map", "system-heap", 64 * MIB), get("map", who, 64 * MIB)))
    yield at_most("request while 8,192 buffers live / while 10", 1.1,
                  at_scale(results, "while buffers live", who, 10, 8192))
    yield at_most("request while 1,024 clients are connected / while 1", 1.1,
                  at_scale(results, "while clients are connected", who, 1, 1024))
    yield at_most("daemon's resident memory then, MiB", 16, rss and rss / MIB)
