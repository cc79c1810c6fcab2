# SPDX-License-Identifier: MIT
"""A stock gdb on a busy guest: conditions of breakpoints, and dprintf, which the guest itself sees
to. The shop checks its own books all the time, and dies if they are wrong."""

import re
import time

from gdb_session import Gdb
from harness import Guest, main, test

HITS = 10000


def shop():
    return Guest("shop", "--cpus", "4", arguments=["load=20000"])


def attach(guest):
    return Gdb(guest.image, guest.socket("gdb"))


def run_for(gdb, seconds):
    """Lets the guest run, and says what gdb printed until it was interrupted."""
    gdb.send("continue")
    time.sleep(seconds)
    return gdb.interrupt()


def handled(gdb):
    """Requests that the shop has seen to since its start."""
    return int(gdb.value("'measures.c'::requests"))


def instructions(gdb, function):
    """The addresses of a function's instructions."""
    return re.findall(r"^ +(0x[0-9a-f]+) ", gdb(f"disassemble {function}"), re.M)


@test
def a_false_condition_stops_nothing():
    with shop() as guest, attach(guest) as gdb:
        gdb("break shop_handle if $rdi == 0x1234")
        before = handled(gdb)
        for _ in range(60):
            text = run_for(gdb, 1)
            assert "received signal SIGINT" in text, text
            if handled(gdb) - before >= HITS:
                break
        assert handled(gdb) - before >= HITS
        breakpoints = gdb("info breakpoints")
        assert "(target evals)" in breakpoints, breakpoints
        assert "already hit" not in breakpoints, breakpoints


@test
def a_condition_that_holds_stops_there():
    with shop() as guest, attach(guest) as gdb:
        gdb("break shop_handle if request->id % 1000 == 7")
        for _ in range(3):
            text = gdb("continue")
            assert "hit Breakpoint 1, " in text and "shop_handle" in text, text
            assert int(gdb.value("request->id")) % 1000 == 7
        assert "already hit 3 times" in gdb("info breakpoints")


@test
def one_that_cannot_be_read_is_told_to_the_user():
    with shop() as guest, attach(guest) as gdb:
        gdb("break shop_handle if *(int *) 8 == 1")
        text = gdb("continue")
        assert "Cannot access memory at address 0x8" in text, text


@test
def any_instruction_can_be_passed():
    """Calls, returns, jumps, pushf and popf: each with a breakpoint of its
    own, while four CPUs run them."""
    functions = ("order_commit", "mutex_lock", "mutex_unlock", "queue_pop", "spin_lock")
    with shop() as guest, attach(guest) as gdb:
        for function in functions:
            for address in instructions(gdb, function):
                gdb(f"break *{address} if $rsp == 1")
        breakpoints = gdb("info breakpoints")
        assert breakpoints.count("\n") > 100, breakpoints
        before = handled(gdb)
        # As long as it takes: CPUs that spin keep the host's from the one that holds the lock.
        while handled(gdb) < before + 20:
            text = run_for(gdb, 0.5)
            assert "received signal SIGINT" in text, text
        assert "already hit" not in gdb("info breakpoints")
        gdb("delete")
        before = handled(gdb)
        run_for(gdb, 1)
        assert handled(gdb) > before
        for name, frames in gdb.backtraces():
            assert "??" not in "\n".join(frames), f"{name}: {frames}"


@test
def a_condition_of_a_hardware_breakpoint():
    """A debug register makes QEMU run all code near it slowly: few requests are enough."""
    with shop() as guest, attach(guest) as gdb:
        gdb("hbreak shop_handle if request->id % 10 == 7")
        for _ in range(2):
            text = gdb("continue")
            assert "hit Breakpoint 1, " in text and "shop_handle" in text, text
            assert int(gdb.value("request->id")) % 10 == 7
        assert "already hit 2 times" in gdb("info breakpoints")


@test
def stepping_over_a_breakpoint_with_a_condition():
    with shop() as guest, attach(guest) as gdb:
        gdb("tbreak shop_handle")
        gdb("continue")
        for address in instructions(gdb, "shop_handle")[1:]:
            gdb(f"break *{address} if $rsp == 1")
        start = gdb.thread()
        for command in ("stepi", "stepi", "nexti", "stepi"):
            before = gdb.value("$pc")
            text = gdb(command)
            assert "hit Breakpoint" not in text, text
            assert gdb.thread() == start
            assert gdb.value("$pc") != before


@test
def dprintf_prints_from_the_guest():
    with shop() as guest, attach(guest) as gdb:
        gdb("set dprintf-style agent")
        gdb(r'dprintf shop_handle,"request %d of worker %u\n", request->id, worker')
        text = run_for(gdb, 2)
        printed = re.findall(r"^request (\d+) of worker ([0-3])$", text, re.M)
        assert len(printed) > 20, text
        assert len({int(number) for number, _ in printed}) == len(printed), "one came twice"
        assert len({worker for _, worker in printed}) == 4, text
        gdb("delete")
        before = handled(gdb)
        text = run_for(gdb, 1)
        assert handled(gdb) > before and "request" not in text.split("received")[0], text


@test
def dprintf_with_a_condition():
    with shop() as guest, attach(guest) as gdb:
        gdb("set dprintf-style agent")
        gdb(r'dprintf shop_handle,"request %d\n", request->id')
        gdb("condition 1 request->id % 100 == 7")
        text = run_for(gdb, 3)
        printed = [int(number) for number in re.findall(r"^request (\d+)$", text, re.M)]
        assert printed and all(number % 100 == 7 for number in printed), text


main()
