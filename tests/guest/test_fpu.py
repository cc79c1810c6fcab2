# SPDX-License-Identifier: MIT
"""Registers of the FPU as gdb shows and writes them, of threads that run, wait for their turn or
sleep, and as a dump keeps them; kernel/apps/fpu.c says who has which."""

import re
import time

from gdb_session import Gdb
from harness import Guest, image, main, run, test
from probed_guest import ProbedGuest

THREADS = {"spinner-1": 1, "spinner-2": 2, "turner-3": 3, "turner-4": 4, "sleeper-5": 5}


def attach(guest):
    return Gdb(guest.image, guest.socket("gdb"))


def numbers(gdb):
    """{name: gdb's number} of the threads that keep known values."""
    rows = re.findall(r'^[* ] +(\d+) .*"([a-z]+-\d)"', gdb("info threads"), re.M)
    return {name: int(number) for number, name in rows if name in THREADS}


def wait_until_filled(gdb):
    """Lets the guest run until each thread has loaded its registers."""
    gdb.send("continue")
    time.sleep(0.5)
    gdb.interrupt()


def check(gdb, name, n):
    for i in range(16):
        found = gdb.value(f"$xmm{i}.v2_int64")
        assert found == f"{{{10 * n + i}, {10 * n + i}}}", f"{name}: xmm{i} is {found}"
    assert float(gdb.value("$st0")) == n + 0.5, f"{name}: {gdb.value('$st0')}"
    assert gdb.value("$fctrl") == "895" and "IM" in gdb.value("$mxcsr"), name


@test
def every_thread_has_its_own():
    with Guest("fpu", "--cpus", "2") as guest, attach(guest) as gdb:
        wait_until_filled(gdb)
        for _ in range(4):
            found = numbers(gdb)
            assert found.keys() == THREADS.keys(), found
            for name, number in found.items():
                gdb(f"thread {number}")
                check(gdb, name, THREADS[name])
            gdb.send("continue")
            time.sleep(0.07)
            gdb.interrupt()


@test
def what_is_written_is_what_the_thread_has():
    with Guest("fpu", "--cpus", "2") as guest, attach(guest) as gdb:
        wait_until_filled(gdb)
        found = numbers(gdb)
        for name, number in found.items():
            gdb(f"thread {number}")
            gdb(f"set $xmm9.v2_int64[1] = {1000 + THREADS[name]}")
            gdb(f"set $st0 = {THREADS[name]}.25")
        # Long enough for each to leave its CPU and come back.
        gdb.send("continue")
        time.sleep(0.3)
        gdb.interrupt()
        for name, number in found.items():
            gdb(f"thread {number}")
            n = THREADS[name]
            assert gdb.value("$xmm9.v2_int64") == f"{{{10 * n + 9}, {1000 + n}}}", name
            assert float(gdb.value("$st0")) == n + 0.25, name
            assert gdb.value("$xmm8.v2_int64") == f"{{{10 * n + 8}, {10 * n + 8}}}", name


@test
def gdb_calls_functions_of_floats():
    with Guest("fpu", "--cpus", "2") as guest, attach(guest) as gdb:
        wait_until_filled(gdb)
        number = numbers(gdb)["spinner-2"]
        gdb(f"thread {number}")
        assert gdb.value("fpu_scale(2.5, 4)") == "10"
        assert gdb.value("fpu_third((long double)4.5)") == "1.5"
        check(gdb, "spinner-2", 2)


@test
def a_dump_has_those_of_every_thread():
    with ProbedGuest("fpu", "panic") as guest:
        core = guest.wait_for_dump()
        words = ["gdb", "-q", "-nx", "-batch", "-iex", "set debuginfod enabled off"]
        words += ["-ex", "set width 0", "-ex", "info threads"]
        for command in ("p $xmm7.v2_int64[1]", "p $st0"):
            words += ["-ex", f"thread apply all -q {command}"]
        text = run(*words, image("fpu"), core).stdout
        found = re.findall(r"^\$\d+ = (.*)$", text, re.M)
        assert {str(10 * n + 7) for n in THREADS.values()} <= set(found), text
        assert {f"{n}.5" for n in THREADS.values()} <= set(found), text


main()
