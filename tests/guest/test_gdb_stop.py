# SPDX-License-Identifier: MIT
"""What a guest does while gdb holds it: next to nothing, and answers all the same."""

import json
import os
import pathlib
import re
import time

from gdb_session import Gdb
from harness import Guest, main, test

TICKS_PER_S = os.sysconf("SC_CLK_TCK")


def attach(guest):
    return Gdb(guest.image, guest.socket("gdb"))


def cpu_share(guest, seconds):
    """The part of one host CPU that QEMU takes."""
    pid = json.loads((guest.runtime / "guest.json").read_text())["qemu_pid"]

    def spent():
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICKS_PER_S

    before, start = spent(), time.monotonic()
    time.sleep(seconds)
    return (spent() - before) / (time.monotonic() - start)


@test
def at_the_prompt_the_host_has_its_cpus_for_itself():
    for options in (("--cpus", "1"), ("--cpus", "4"), ("--machine", "q35", "--cpus", "2")):
        with Guest("shop", *options) as guest, attach(guest) as gdb:
            gdb("info threads")
            time.sleep(0.3)
            share = cpu_share(guest, 2)
            assert share < 0.05, f"{options}: {share:.1%}"


@test
def held_cpus_halt_while_one_runs():
    arguments = ["kind=spin-irqs-off"]
    with Guest("crash", "--cpus", "4", "--hang-timeout", "0", arguments=arguments) as guest:
        time.sleep(1)
        with attach(guest) as gdb:
            row = re.search(r'^[* ] +(\d+) .*"main" \(running', gdb("info threads"), re.M)
            gdb(f"thread {row.group(1)}")
            gdb("set scheduler-locking on")
            gdb.send("continue")
            share = cpu_share(guest, 2)
            assert share < 1.3, f"{share:.1%}"
            assert "received signal SIGINT" in gdb.interrupt()


@test
def cpus_that_halted_come_back():
    with Guest("shop", "--cpus", "4") as guest, attach(guest) as gdb:
        for _ in range(10):
            time.sleep(0.15)
            before = [int(gdb.value(f"cpus[{i}].irq_count")) for i in range(4)]
            gdb.send("continue")
            time.sleep(0.15)
            assert "received signal SIGINT" in gdb.interrupt()
            after = [int(gdb.value(f"cpus[{i}].irq_count")) for i in range(4)]
            assert sum(after) > sum(before), f"{before} became {after}"
        gdb("break order_commit")
        for _ in range(10):
            time.sleep(0.12)
            assert "hit Breakpoint 1" in gdb("continue")


main()
