# SPDX-License-Identifier: MIT
"""A guest that dies while gdb has its hands in it: gdb sees why, and its dump nothing of the debugger."""

import json
import re

from gdb_session import Gdb
from harness import Guest, main, run, test, uniscope, wait_for

TF, IF = 1 << 8, 1 << 9
STEPS = 300
UD2 = 0x0B0F


def attach(guest):
    return Gdb(guest.image, guest.socket("gdb"))


def dump_of(guest):
    """The core of a guest that is dead."""

    def find():
        listed = json.loads(uniscope("dumps", "list", "--json").stdout)
        return next((dump for dump in listed if dump["guest"] == guest.name), None)

    return json.loads(uniscope("dumps", "info", str(wait_for("dump", find)["id"]), "--json").stdout)["core"]


def ask_core(guest, core, *commands):
    words = [word for command in ("set width 0", *commands) for word in ("-ex", command)]
    return run("gdb", "-q", "-nx", "-batch", *words, guest.image, core).stdout


def next_address(gdb, function, pattern):
    """Of the instruction behind the first one in the function that looks so."""
    text = gdb(f"disassemble {function}")
    found = re.search(rf"{pattern}.*\n +(0x[0-9a-f]+) ", text)
    assert found, text
    return found.group(1)


@test
def steps_lead_into_the_stop_of_a_panic():
    """The step that makes the debugger's own breakpoint ends there, and nothing of it is in what gdb shows."""
    with Guest("crash", "--cpus", "2", arguments=["kind=assert", "after=0", "gdbwait"]) as guest:
        with attach(guest) as gdb:
            gdb("tbreak panic_kind")
            gdb("continue")
            flags = gdb.flags()
            for _ in range(STEPS):
                text = gdb("stepi")
                if "signal" in text:
                    break
            assert "received signal SIGABRT" in text, text
            text = gdb("bt")
            assert re.match(r"#0 .*\bpanic_kind ", text) and "crash_assert" in text, text
            assert gdb.flags() & TF == 0 and gdb.flags() & IF == flags & IF
            assert gdb.value("(long)'debug_step.c'::steps[0].thread") == "0"
            assert "Remote connection closed" in gdb("continue")


@test
def a_step_over_the_panic_ends_in_its_stop():
    with Guest("crash", "--cpus", "2", arguments=["kind=assert", "after=0", "gdbwait"]) as guest:
        with attach(guest) as gdb:
            gdb("tbreak crash_assert")
            gdb("continue")
            for _ in range(STEPS):
                text = gdb("next")
                if "signal" in text:
                    break
            assert "received signal SIGABRT" in text, text
            assert "Remote connection closed" in gdb("continue")


@test
def the_dump_has_no_breakpoint_in_it():
    with Guest("crash", "--cpus", "2", arguments=["kind=assert", "gdbwait"]) as guest:
        places = [f"x/16xb {function}" for function in ("crash_oom", "sleep_long", "compute")]
        with attach(guest) as gdb:
            code = "".join(map(gdb, places))
            gdb("break crash_oom")
            gdb("break sleep_long if $us_cpu == 9")
            gdb("trace compute")
            gdb("tstart")
            assert "received signal SIGABRT" in gdb("continue")
            assert "Remote connection closed" in gdb("continue")
        text = ask_core(guest, dump_of(guest), *places)
        assert code in text, f"{code} became\n{text}"


@test
def the_dump_shows_no_copy_of_an_instruction():
    """The guest dies on its way from a tracepoint into the copy."""
    with Guest("drill", "--cpus", "1") as guest:
        with attach(guest) as gdb:
            gdb("trace drill_loop")
            gdb("set disconnected-tracing on")
            gdb("tstart")
            behind = next_address(gdb, "debug_pass_breakpoint", r"\bcall .*<debug_arch_set_interrupts>")
            gdb(f"set var *(short *){behind} = {UD2}")
            gdb("detach")
        text = ask_core(guest, dump_of(guest), "bt")
        assert re.match(r".*\bdebug_pass_breakpoint .*<signal handler called>.* drill_loop ", text, re.S), text
        assert "debug_copies" not in text and "??" not in text, text


main()
