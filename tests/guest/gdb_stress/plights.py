# SPDX-License-Identifier: MIT
"""gdb comes while the guest is in trouble, or in a delicate place: it attaches, looks, breaks, interrupts
and leaves, and where the trouble was the campaign's own doing the guest goes on afterwards."""

import contextlib
import json
import re

from gdb_session import Gdb
from gdb_stress.customers import Customers
from gdb_stress.image import Image
from gdb_stress.progress import counted
from harness import Guest, uniscope, wait_for
from remote import Remote

BUSY = ("--memory", "64", "--hang-timeout", "0")
FOREVER = b"\xeb\xfe"  # a jump to itself


def attach(guest):
    return Gdb(guest.image, guest.socket("gdb"))


def look_around(guest, place, threads=1):
    """What gdb's user would do first; the breakpoint is at `place`."""
    with attach(guest) as gdb:
        assert len(re.findall(r"^[* ] +\d+ +Thread", gdb("info threads", timeout=90), re.M)) >= threads
        for line in re.findall(r"^[* ] +(\d+) .*running on CPU", gdb("info threads", timeout=90), re.M):
            gdb(f"thread {line}")
            text = gdb("bt")
            assert "#0" in text and "??" not in text, text
        gdb(f"break {place}")
        text = gdb("continue", timeout=90)
        assert "hit Breakpoint 1" in text, text
        gdb("delete")
        gdb("stepi")
        gdb.send("continue")
        text = gdb.interrupt()
        assert "received signal SIGINT" in text, text
        assert "#0" in gdb("bt")
        assert "detached" in gdb("detach")


@contextlib.contextmanager
def stuck(guest, image, place):
    """CPUs that come to the function never leave its first instruction, with what they hold there."""
    address = image.symbols[place]

    def patch(code):
        with Remote(guest.socket("gdb")) as remote:
            remote.ok(b"X%x,%x:" % (address, len(code)) + code)
            remote.ok(b"D")

    at = address - image.text_start
    patch(FOREVER)
    yield address
    patch(image.text[at : at + len(FOREVER)])


def cpus_at(guest, address):
    """How many CPUs are there."""
    with Remote(guest.socket("gdb")) as remote:
        found = 0
        for thread in remote.threads():
            remote.ok(b"Hg%x" % thread)
            where = remote.ask(b"p10")
            found += where == address.to_bytes(8, "little").hex().encode()
        remote.ok(b"D")
    return found


def stuck_at(place, cpus, wanted):
    """A plight: the shop's CPUs, or so many of them, stuck at the start of a function."""

    def plight():
        with Guest("shop", "--cpus", str(cpus), *BUSY) as guest, Customers(guest) as customers:
            image = Image(guest.image)
            customers.wait_for_answers(5)
            with stuck(guest, image, place) as address:
                wait_for(f"CPUs at {place}", lambda: cpus_at(guest, address) >= wanted, timeout=120)
                look_around(guest, f"*{address:#x}")
            customers.wait_for_answers(20)

    return plight


def idle():
    with Guest("crowd", "--cpus", "2", arguments=["threads=2"]) as guest:
        look_around(guest, "irq_dispatch")


def saturated():
    arguments = ["load=100000", "workers=32"]
    with Guest("shop", "--cpus", "4", *BUSY, arguments=arguments) as guest:
        with Customers(guest) as customers:
            look_around(guest, "switch_locked")
            customers.wait_for_answers(20)


def thread_total(guest):
    """As the guest's probe tells it: gdb would keep the guest from starting more."""
    return json.loads(uniscope("stat", guest.name, "--json").stdout)["thread_total"]


def a_thousand_threads():
    with Guest("crowd", "--cpus", "2", "--memory", "128") as guest:
        wait_for("them", lambda: thread_total(guest) > 1000, timeout=300)
        look_around(guest, "irq_dispatch", threads=1000)


def out_of_memory():
    with Guest("crowd", "--cpus", "2", "--memory", "16", arguments=["threads=2"]) as guest:
        with attach(guest) as gdb:
            for size in (1 << 20, 1 << 16, 1 << 11, 16):
                while gdb.value(f"(long)heap_try_alloc({size})") != "0":
                    pass
            gdb("detach")
        look_around(guest, "irq_dispatch")
        with attach(guest) as gdb:
            assert gdb.value("(long)heap_try_alloc(16)") == "0"


PLIGHTS = {
    "idle": idle,
    "saturated": saturated,
    "interrupts off on every CPU": stuck_at("irq_dispatch", 2, 2),
    "interrupts off on the only CPU": stuck_at("irq_dispatch", 1, 1),
    "the heap's lock held": stuck_at("heap_site_add", 4, 1),
    "the scheduler's locks held": stuck_at("switch_locked", 4, 1),
    "in the middle of virtio": stuck_at("outbox_copy", 4, 1),
    "a thousand threads": a_thousand_threads,
    "out of memory": out_of_memory,
}


def campaign(count, _):
    """N rounds of gdb in a guest that is idle, saturated, stuck, out of memory and so on"""
    for name, plight in counted(list(PLIGHTS.items()) * count):
        try:
            plight()
        except AssertionError as problem:
            raise AssertionError(f"{name}: {problem}") from None
    return f"{count} rounds of {len(PLIGHTS)}: " + ", ".join(PLIGHTS)
