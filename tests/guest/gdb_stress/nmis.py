# SPDX-License-Identifier: MIT
"""Steps that NMIs come into, whose handlers meet breakpoints. The program never sees the trap flag of a
step, and whoever talks to the debugger does not go to sleep over an NMI."""

import random

from gdb_stress.image import Image
from gdb_stress.progress import show
from harness import image
from monitored_guest import qemu_with_a_monitor
from remote import Remote

CPUS = 4
CALLED = ("probe_nmi", "uart_has_input")  # by a handler
TRAP_FLAG = 1 << 8
FLAGS = b"p11"


def flags(remote, thread):
    """None where they are not known."""
    remote.ok(b"Hg%x" % thread)
    answer = remote.ask(FLAGS)
    return None if answer.startswith(b"x") else int.from_bytes(bytes.fromhex(answer.decode()), "little")


def campaign(count, seed):
    """N stops of threads that step while NMIs come"""
    dice = random.Random(seed)
    symbols = Image(image("shop")).symbols
    hits = 0
    with qemu_with_a_monitor("shop", CPUS) as (uart, inject), Remote(uart) as remote:
        idle = remote.threads()[:CPUS]
        for name in CALLED:
            remote.ok(b"Z0,%x,1" % symbols[name])
        for number in range(count):
            show(number, count)
            step = dice.choice((b"s", b"r0,ffffffff")) + b":%x" % dice.choice(idle)
            remote.send(b"vCont;" + step + b";c")
            for _ in range(dice.randrange(4)):
                inject()
            stop = remote.await_stop(0.01)
            hits += b"swbreak" in stop.pairs
            for thread in idle:
                seen = flags(remote, thread)
                assert not (seen or 0) & TRAP_FLAG, f"thread {thread} has flags {seen:#x} at {stop.text}"
        show(count, count)
        assert hits, "no breakpoint was hit"
    return f"{count} stops, {hits} of them in the handler of an NMI"
