# SPDX-License-Identifier: MIT
"""Random operations of a debugger on a shop under load, on four CPUs: breakpoints and watchpoints come
and go, threads step and run, registers and memory are read and written back. Nothing of it may show:
the text, the shop's books and its answers are what they would have been."""

import random

from gdb_stress.customers import Customers
from gdb_stress.image import Image, differences, held_memory
from gdb_stress.progress import counted
from harness import Guest
from remote import Remote

SHOP = ("--cpus", "4", "--memory", "64")
LOAD = ["load=1000"]

BREAKPOINTS_MAX = 12

# Where hits are certain, and where a stub that takes a lock or calls into the kernel would end.
BUSY = (
    "switch_locked spin_lock spin_unlock mutex_lock mutex_unlock heap_alloc heap_alloc_zeroed heap_free "
    "timer_interrupt irq_handle virtqueue_publish virtqueue_used inbox_read outbox_copy port_write "
    "order_commit queue_push queue_pop sem_post memcpy clock_tsc"
).split()

SWBREAK, HWBREAK, WATCH = b"0", b"1", b"2"

NEVER = b";X3,220027"  # const8 0, end: a condition that does not hold


def little_endian(text):
    return int.from_bytes(bytes.fromhex(text), "little")


class Operations:
    """A debugger without a plan."""

    def __init__(self, remote, image, dice):
        self.remote = remote
        self.image = image
        self.dice = dice
        self.text = remote.read(image.text_start, len(image.text))
        self.set = {}  # (type, address): the packet behind Z
        self.seen = [image.symbols[name] for name in BUSY if name in image.symbols]
        self.counts = {}
        self.hits = 0
        self.done = []
        self.at = remote.stop()
        self.choices = (
            (self.set_breakpoint, 14),
            (self.clear_breakpoint, 10),
            (self.go_on, 16),
            (self.step, 20),
            (self.step_alone, 8),
            (self.step_range, 4),
            (self.switch_thread, 10),
            (self.read, 10),
            (self.write_back, 8),
        )

    def run(self, count):
        functions, weights = zip(*self.choices)
        for _ in counted(range(count)):
            function = self.dice.choices(functions, weights)[0]
            self.counts[function.__name__] = self.counts.get(function.__name__, 0) + 1
            self.done = [*self.done[-20:], function.__name__]
            function()

    def note(self, text):
        self.done[-1] += f" {text}"

    # --- breakpoints ---

    def some_place(self):
        if self.dice.random() < 0.8:
            return self.dice.choice(self.seen)
        return self.dice.choice(self.image.functions)

    def set_breakpoint(self):
        kind = self.dice.choices((SWBREAK, HWBREAK, WATCH), (8, 1, 1))[0]
        place = self.some_place()
        size = b"1"
        if kind == WATCH:
            place, size = self.image.symbols["run_queues"] & ~7, b"8"
        packet = b"%s,%x,%s" % (kind, place, size)
        if kind != WATCH and self.dice.random() < 0.3:
            packet += NEVER
        if len(self.set) >= BREAKPOINTS_MAX and (kind, place) not in self.set:
            return
        self.note(packet)
        answer = self.remote.ask(b"Z" + packet)
        if answer == b"OK":
            self.set[kind, place] = packet
        elif kind == SWBREAK:
            assert self.image.is_stub(place), f"Z{packet}: {answer}"
        else:
            assert answer.startswith(b"E.hw."), f"Z{packet}: {answer}"

    def clear_breakpoint(self):
        if self.set:
            key = self.dice.choice(list(self.set))
            self.note(self.set[key])
            self.remote.ok(b"z" + self.set.pop(key).split(b";")[0])

    # --- running ---

    def resume(self, actions, patience=0.5):
        self.note(actions)
        self.at = self.remote.resume(b"vCont;" + actions, patience)
        self.note(self.at.text)
        assert self.at.signal in (2, 5), f"the guest got into trouble: {self.at.text}"
        if b"swbreak" in self.at.pairs:
            self.hits += 1
            assert (SWBREAK, self.at.pc) in self.set, f"no breakpoint at {self.at.pc:#x}"
        elif b"hwbreak" in self.at.pairs:
            self.hits += 1
            assert (HWBREAK, self.at.pc) in self.set, f"no debug register at {self.at.pc:#x}"
        elif self.dice.random() < 0.2 and self.image.text_start <= self.at.pc < self.image.text_end:
            self.seen.append(self.at.pc)

    def step_off(self):
        """As gdb gets past a breakpoint: lifts it, steps that thread alone, puts it back."""
        thread, pc = self.at.thread, self.at.pc
        packet = self.set.get((SWBREAK, pc))
        if packet:
            self.remote.ok(b"z" + packet.split(b";")[0])
            del self.set[SWBREAK, pc]
            self.resume(b"s:%x" % thread, patience=30)
            self.remote.ok(b"Z" + packet)
            self.set[SWBREAK, pc] = packet

    def go_on(self):
        self.step_off()
        self.resume(b"c", self.dice.choice((0.01, 0.05, 0.2)))

    def step(self):
        self.resume(b"s:%x;c" % self.at.thread)

    def step_alone(self):
        before = self.at.thread
        self.resume(b"s:%x" % before, patience=30)
        assert self.at.thread == before, f"{before} stepped, {self.at.thread} stopped"

    def step_range(self):
        start = self.at.pc
        self.resume(b"r%x,%x:%x;c" % (start, start + self.dice.randrange(64), self.at.thread))

    # --- looking ---

    def switch_thread(self):
        threads = self.remote.threads()
        assert self.at.thread in threads, f"{self.at.thread} is not in {threads}"
        self.remote.ok(b"Hg%x" % self.dice.choice(threads))
        self.stack()

    def stack(self):
        """Where the selected thread's stack is in use, for a few words."""
        sp = self.remote.ask(b"p7")
        assert len(sp) == 16 and sp != b"x" * 16, sp
        return little_endian(sp.decode())

    def read(self):
        start = self.dice.randrange(len(self.text) - 64)
        length = self.dice.choice((1, 8, 64, 4096))
        expected = self.text[start : start + length]
        got = self.remote.read(self.image.text_start + start, len(expected))
        assert got == expected, differences(expected, got, self.image.text_start + start)
        for kind, place in self.set:
            if kind == SWBREAK:
                at = place - self.image.text_start
                assert self.remote.read(place, 1) == self.text[at : at + 1], f"int3 at {place:#x}"
        self.remote.read(self.stack(), 64)

    def write_back(self):
        what = self.dice.choice(("text", "stack", "register", "registers"))
        if what == "text":
            start = self.dice.randrange(len(self.text) - 64)
            data = self.text[start : start + 64]
            self.remote.ok(b"X%x,40:" % (self.image.text_start + start) + data)
        elif what == "stack":
            sp = self.stack()
            data = self.remote.read(sp, 64)
            self.remote.ok(b"M%x,40:" % sp + data.hex().encode())
        elif what == "register":
            for number in (b"1", b"6", b"7", b"c", b"10"):
                self.remote.ok(b"P%s=" % number + self.remote.ask(b"p" + number))
        else:
            # What is not known comes as "xx", and gdb sends zeroes for it.
            self.remote.ok(b"G" + self.remote.ask(b"g").replace(b"x", b"0"))


def check_text(image, before, after):
    assert before == image.text, "before: " + differences(image.text, before, image.text_start)
    assert after == before, differences(before, after, image.text_start)


def campaign(count, seed):
    """N random operations with four busy CPUs, over the bare protocol"""
    with Guest("shop", *SHOP, arguments=LOAD) as guest, Customers(guest) as customers:
        image = Image(guest.image)
        before = held_memory(guest, image.text_start, len(image.text))
        with Remote(guest.socket("gdb")) as remote:
            operations = Operations(remote, image, random.Random(seed))
            try:
                operations.run(count)
            except AssertionError as problem:
                raise AssertionError("\n".join([str(problem), *operations.done])) from None
            remote.ok(b"D")
        check_text(image, before, held_memory(guest, image.text_start, len(image.text)))
        answered = customers.answered
        customers.wait_for_answers(100)
        counts = ", ".join(f"{name} {n}" for name, n in sorted(operations.counts.items()))
        return f"{count} operations, {operations.hits} hits, {answered} orders meanwhile; {counts}"
