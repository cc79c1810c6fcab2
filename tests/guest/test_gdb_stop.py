# SPDX-License-Identifier: MIT
"""What a guest does while gdb holds it: next to nothing, and answers all the same."""

import json
import os
import pathlib
import re
import signal
import time

from gdb_session import Gdb
from harness import Guest, image, main, test
from monitored_guest import qemu_with_a_monitor
from remote import Remote

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
            assert share < 0.15, f"{options}: {share:.1%}"


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


@test
def breakpoints_and_steps_in_an_nmi_handler():
    with qemu_with_a_monitor("shop", 2) as (uart, inject), Gdb(image("shop"), uart) as gdb:
        gdb("break panic_nmi")
        assert "Cannot insert breakpoint" in gdb("continue")
        gdb("delete")
        gdb("break probe_nmi")
        for _ in range(3):
            for _ in range(2):
                # Where one is pending on the other CPU it may stop the guest first.
                gdb.send("continue")
                time.sleep(0.2)
                inject()
                text = gdb.read()
                assert "hit Breakpoint 2, probe_nmi" in text, text
                text = gdb("bt")
                assert "<signal handler called>" in text and "??" not in text, text
            inject()
            pc = gdb.value("$pc")
            for _ in range(40):
                gdb("stepi")
                assert gdb.value("$pc") != pc, "a step went nowhere"
                pc = gdb.value("$pc")
        gdb("delete")
        gdb.send("continue")
        for _ in range(10):
            time.sleep(0.05)
            inject()
        assert "received signal SIGINT" in gdb.interrupt()
        before = int(gdb.value("cpus[0].irq_count + cpus[1].irq_count"))
        gdb.send("continue")
        time.sleep(0.3)
        gdb.interrupt()
        assert int(gdb.value("cpus[0].irq_count + cpus[1].irq_count")) > before + 10


@test
def a_guest_that_is_told_to_stop_exits():
    with Guest("shop") as guest, attach(guest) as gdb:
        gdb.send("continue")
        time.sleep(0.3)
        guest.uniscope("stop", guest.name)
        text = gdb.read()
        assert "exited normally" in text, text


@test
def control_c_stops_one_that_runs_while_the_other_cpu_is_held():
    """The CPU that gdb's bytes interrupt is the one that is held."""
    with Guest("drill", "--cpus", "2", arguments=["threads=2"]) as guest, attach(guest) as gdb:
        runs = int(re.search(r"^[* ] +(\d+) .*running on CPU 1", gdb("info threads"), re.M).group(1))
        gdb(f"thread {runs}")
        gdb("set scheduler-locking on")
        for _ in range(3):
            gdb("set debug remote 1")  # to see when it goes on
            gdb.send("continue")
            gdb.wait("packet", 30, lambda: b"vCont;c:" in gdb.text)
            gdb.process.send_signal(signal.SIGINT)
            assert "received signal SIGINT" in gdb.read()
            gdb("set debug remote 0")
            assert gdb.thread() == runs


@test
def a_stop_comes_behind_interrupt_handlers():
    """Where it came into one, gdb would step out of it through text that takes no breakpoint."""
    with Guest("drill", "--cpus", "2", arguments=["threads=4"]) as guest:
        with attach(guest) as gdb:
            depths = [int(gdb.value(f"(long)&cpus[{i}].irq_depth")) for i in range(2)]
            gdb("detach")
        with Remote(guest.socket("gdb")) as remote:
            inside = 0
            for _ in range(1500):
                remote.resume(b"vCont;s:%x;c" % remote.stop().thread, 10)
                inside += any(remote.read(at, 4) != bytes(4) for at in depths)
        # One that takes longer is stopped in the middle.
        assert inside < 15, f"{inside} of 1500"


main()
