# SPDX-License-Identifier: MIT
"""Registers of the FPU as gdb shows and writes them, of threads that run, wait for their turn or
sleep, and as a dump keeps them; kernel/apps/fpu.c says who has which. `uniscope run` starts guests
with AVX; the QEMU of ProbedGuest has a CPU that has not even XSAVE, if not told otherwise."""

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
    end = time.monotonic() + 60
    while int(gdb.value("filled")) < len(THREADS):
        assert time.monotonic() < end, gdb("info threads")
        gdb.send("continue")
        time.sleep(0.1)
        gdb.interrupt()


def ymm(n, i):
    return f"{{{10 * n + i}, {10 * n + i}, {100 * n + i}, {100 * n + i}}}"


def check(gdb, name, n):
    for i in range(16):
        found = gdb.value(f"$ymm{i}.v4_int64")
        assert found == ymm(n, i), f"{name}: ymm{i} is {found}"
    assert gdb.value("$xmm15.v2_int64") == f"{{{10 * n + 15}, {10 * n + 15}}}", name
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
            gdb(f"set $ymm10.v4_int64[3] = {2000 + THREADS[name]}")
            gdb("set $ymm11.v4_int64[2] = 0")
            gdb("set $ymm11.v4_int64[3] = 0")
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
            low = f"{10 * n + 10}, {10 * n + 10}"
            assert gdb.value("$ymm10.v4_int64") == f"{{{low}, {100 * n + 10}, {2000 + n}}}", name
            assert gdb.value("$ymm11.v4_int64") == f"{{{10 * n + 11}, {10 * n + 11}, 0, 0}}", name
            assert gdb.value("$ymm12.v4_int64") == ymm(n, 12), name
            assert gdb.value("$xmm8.v2_int64") == f"{{{10 * n + 8}, {10 * n + 8}}}", name


@test
def gdb_calls_functions_of_floats():
    with Guest("fpu", "--cpus", "2") as guest, attach(guest) as gdb:
        wait_until_filled(gdb)
        number = numbers(gdb)["spinner-2"]
        gdb(f"thread {number}")
        assert gdb.value("fpu_scale(2.5, 4)") == "10"
        assert gdb.value("fpu_third((long double)4.5)") == "1.5"
        # This one uses ymm registers, which get their own values back.
        assert gdb.value("fpu_sum(fpu_quad)") == "4321"
        check(gdb, "spinner-2", 2)


@test
def what_a_processor_would_not_load_is_not_kept():
    with Guest("fpu", "--cpus", "2") as guest, attach(guest) as gdb:
        wait_until_filled(gdb)
        for name in ("spinner-2", "turner-3", "sleeper-5"):
            gdb(f"thread {numbers(gdb)[name]}")
            gdb("set $mxcsr = 0xffffffff")
            gdb("maint flush register-cache")
            found = gdb("info registers mxcsr")
            # Bits 16 to 31 are reserved: Intel SDM vol. 1, 10.2.3.
            assert re.search(r"^mxcsr +0x[0-9a-f]{4} ", found, re.M), found
            assert gdb.value("$ymm4.v4_int64") == ymm(THREADS[name], 4), name


def of_every_thread(core, *expressions):
    """What gdb prints for each of the expressions, of all threads in a dump."""
    words = ["gdb", "-q", "-nx", "-batch", "-iex", "set debuginfod enabled off"]
    words += ["-ex", "set width 0", "-ex", "info threads"]
    for expression in expressions:
        words += ["-ex", f"thread apply all -q p {expression}"]
    result = run(*words, image("fpu"), core)
    assert "size of section" not in result.stderr, result.stderr
    return set(re.findall(r"^\$\d+ = (.*)$", result.stdout, re.M))


@test
def a_dump_has_those_of_every_thread():
    with ProbedGuest("fpu", "panic", cpu="max") as guest:
        found = of_every_thread(guest.wait_for_dump(), "$ymm7.v4_int64", "$st0")
        assert {ymm(n, 7) for n in THREADS.values()} <= found, found
        assert {f"{n}.5" for n in THREADS.values()} <= found, found


@test
def without_xsave_there_is_sse():
    with ProbedGuest("fpu", "panic") as guest:
        found = of_every_thread(guest.wait_for_dump(), "$xmm7.v2_int64[1]", "$st0", "$ymm7")
        assert {str(10 * n + 7) for n in THREADS.values()} <= found, found
        assert {f"{n}.5" for n in THREADS.values()} <= found, found
        assert "void" in found, found


main()
