# SPDX-License-Identifier: MIT
"""Clients that allocate and release without a pause, and know exactly what they hold.

Knows the library; not what is done to the daemon meanwhile.
"""

import errno
import random
import threading

import dmabuf

HELD_MAX = 6
SIZES = [4096, 3 * 4096, 64 << 10]
# What a client sees of a daemon that is killed; the next call finds another daemon.
RETRYABLE = {errno.ECONNRESET}


class Client(threading.Thread):
    """One connection and the buffers that came by it."""

    def __init__(self, load, seed, devices):
        super().__init__(daemon=True)
        self.load, self.random, self.devices = load, random.Random(seed), devices
        self.held, self.resets, self.trouble = [], 0, None

    def run(self):
        try:
            with self.connect() as connection:
                while self.load.may_go():
                    try:
                        self.turn(connection)
                    finally:
                        self.load.has_gone()
        except Exception as error:  # the thread that looks after the load raises it again
            self.trouble = error
        self.release(0)

    def connect(self):
        while True:
            try:
                return dmabuf.Connection()
            except dmabuf.Error as error:
                if error.errno not in RETRYABLE:
                    raise
                self.resets += 1

    def turn(self, connection):
        if len(self.held) > self.random.randrange(HELD_MAX):
            self.release(self.random.randrange(len(self.held)))
            return
        try:
            self.held += connection.allocate(self.random.choice(SIZES),
                                             self.random.choice(self.devices),
                                             count=self.random.randint(1, 3))
        except dmabuf.Error as error:
            if error.errno not in RETRYABLE:
                raise
            self.resets += 1

    def release(self, keep):
        while len(self.held) > keep:
            self.held.pop().close()


class Load:
    """So many clients; they go while nobody looks at what they hold."""

    def __init__(self, count, devices):
        self.condition = threading.Condition()
        self.going, self.ended, self.busy = True, False, 0
        self.clients = [Client(self, seed, devices) for seed in range(count)]

    def __enter__(self):
        for client in self.clients:
            client.start()
        return self

    def __exit__(self, *_):
        with self.condition:
            self.ended = True
            self.condition.notify_all()
        for client in self.clients:
            client.join()

    def may_go(self):
        with self.condition:
            self.condition.wait_for(lambda: self.going or self.ended)
            self.busy += not self.ended
            return not self.ended

    def has_gone(self):
        with self.condition:
            self.busy -= 1
            self.condition.notify_all()

    def pause(self):
        """Each client finishes what it is at; then {id: size} of all that they hold."""
        with self.condition:
            self.going = False
            assert self.condition.wait_for(lambda: not self.busy, timeout=120), "a client hangs"
        for client in self.clients:
            if client.trouble:
                raise client.trouble
        return {buffer.id: buffer.size for client in self.clients for buffer in client.held}

    def go_on(self):
        with self.condition:
            self.going = True
            self.condition.notify_all()

    def resets(self):
        return sum(client.resets for client in self.clients)
