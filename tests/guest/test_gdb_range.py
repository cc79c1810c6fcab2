# SPDX-License-Identifier: MIT
"""`next` over a line that loops long: the thread runs to where it leaves the line. The drill goes round
a loop of seven instructions and checks what comes out; a hundred million rounds of single steps would
take more than an hour."""

import re
import time

from gdb_session import Gdb
from harness import SOURCE, Guest, main, test

SOURCE_FILE = "kernel/apps/drill.c"
ROUNDS = 100_000_000


def line_of(text):
    lines = (SOURCE / SOURCE_FILE).read_text().splitlines()
    return next(number for number, line in enumerate(lines, 1) if text in line)


def drill(rounds, threads=0, cpus=2):
    return Guest("drill", "--cpus", str(cpus), arguments=[f"rounds={rounds}", f"threads={threads}"])


def attach(guest):
    return Gdb(guest.image, guest.socket("gdb"))


def reach_loop(gdb):
    """Stops a thread in front of its loop."""
    gdb(f"tbreak {SOURCE_FILE}:{line_of('for (; left')}")
    text = gdb("continue", timeout=300)
    assert "drill_loop" in text, text


def loop_start(gdb):
    """The address that the loop jumps back to."""
    back = re.findall(r"\bj\w+ +(0x[0-9a-f]+)", gdb("disassemble drill_loop"))
    return min(back, key=lambda address: int(address, 16))


@test
def a_long_loop_is_run():
    with drill(ROUNDS) as guest, attach(guest) as gdb:
        reach_loop(gdb)
        thread = gdb.thread()
        gdb("next", timeout=600)
        assert gdb.thread() == thread
        frame = gdb("frame")
        assert "drill_call" in frame or "return sum" in frame, frame
        gdb("tbreak drill_call")
        gdb("continue", timeout=600)
        assert gdb.value("drill_wrong") == "0"


@test
def while_others_run_the_same_code():
    with drill(3_000_000, threads=5) as guest, attach(guest) as gdb:
        for _ in range(3):
            reach_loop(gdb)
            thread = gdb.thread()
            text = gdb("next", timeout=600)
            assert gdb.thread() == thread and "SIG" not in text, text
            assert gdb("frame").count("drill"), text
            gdb("tbreak drill_call")
            gdb("continue", timeout=600)
        assert gdb.value("drill_wrong") == "0"


@test
def a_breakpoint_in_it_stops():
    with drill(ROUNDS) as guest, attach(guest) as gdb:
        reach_loop(gdb)
        start = loop_start(gdb)
        gdb(f"break *{start} if $rdi == {ROUNDS - 100_000}")
        text = gdb("next", timeout=600)
        assert "hit Breakpoint" in text, text
        assert int(gdb.value("$rdi")) == ROUNDS - 100_000
        gdb("delete")
        gdb(f"break *{start}")
        for left in (1, 2, 3):
            text = gdb("next", timeout=600)
            assert "hit Breakpoint" in text, text
            assert int(gdb.value("$rdi")) == ROUNDS - 100_000 - left


@test
def ctrl_c_stops_in_the_middle():
    with drill(1 << 40, cpus=1) as guest, attach(guest) as gdb:
        gdb(f"tbreak *{loop_start(gdb)}")
        text = gdb("continue", timeout=300)
        assert "drill_loop" in text, text
        driller = gdb.thread()
        first = left = int(gdb.value("$rdi"))
        for _ in range(60):
            gdb.send("next")
            time.sleep(1)
            text = gdb.interrupt()
            assert "SIGINT" in text, text
            text = gdb(f"thread {driller}")
            assert "drill_loop" in text, text
            left = int(gdb.value("$rdi"))
            if first - left > 10_000_000:
                return
        raise AssertionError(f"{first - left} rounds in a minute")


main()
