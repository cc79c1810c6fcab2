# SPDX-License-Identifier: MIT
"""A CPU passes a breakpoint or a tracepoint by a copy of its instruction that leads back by itself. Nobody
ever sees that it is there: not at a fault, not at a stop, and not by the interrupt flag."""

import re
import time

from gdb_session import Gdb, instruction
from harness import Guest, image, main, test
from monitored_guest import qemu_with_a_monitor

STOPS = 15
NMIS = 1000
IF = 1 << 9


def attach(guest):
    return Gdb(guest.image, guest.socket("gdb"))


def loop_start(gdb):
    """Where the loop of drill_loop() jumps back to."""
    back = re.findall(r"\bj\w+ +(0x[0-9a-f]+)", gdb("disassemble drill_loop"))
    return int(min(back, key=lambda address: int(address, 16)), 16)


def trace(gdb, address):
    """Hits of the tracepoint pass by a trampoline from here on."""
    gdb("set circular-trace-buffer on")
    assert "Tracepoint " in gdb(f"trace *{address}")
    text = gdb("tstart")
    assert not text.strip(), text


def created(gdb):
    return int(re.search(r"Collected (\d+)|of (\d+) created", gdb("tstatus")).group().split()[1])


def stop(gdb):
    """Lets the guest run for a moment; every thread that is on a CPU is then where a program may be."""
    gdb.send("continue")
    time.sleep(0.02)
    text = gdb.interrupt()
    assert "received signal SIGINT" in text, text
    assert "debug_" not in gdb("info threads")


def fault(kind, function):
    with Guest("crash", "--cpus", "1", arguments=[f"kind={kind}", "after=0", "gdbwait"]) as guest:
        with attach(guest) as gdb:
            address = instruction(gdb, function, r"movl +\$0x2a,")
            trace(gdb, address)
            text = gdb("continue")
            assert "received signal SIGSEGV" in text, text
            assert int(gdb.value("(long) $pc")) == address
            assert created(gdb) == 1
            text = gdb("bt")
            assert re.match(rf"#0 .*{function} ", text) and "??" not in text, text
            return gdb.flags() & IF, text


@test
def a_fault_in_a_copy_is_told_at_the_place_of_the_original():
    interrupts, text = fault("null-write", "crash_null_write")
    assert interrupts and "app_main" in text, text
    interrupts, text = fault("panic-irq", "crash_in_interrupt")
    assert not interrupts and "<signal handler called>" in text, text


@test
def stops_with_interrupts_on():
    """Each round is one hit, whatever a stop came into; interrupts come as ever."""
    with Guest("drill", "--cpus", "2", arguments=[f"rounds={1 << 40}"]) as guest, attach(guest) as gdb:
        gdb(f"tbreak *{loop_start(gdb)}")
        gdb("continue")
        main_thread = gdb.thread()
        trace(gdb, loop_start(gdb))
        left, interrupts = int(gdb.value("$rdi")), int(gdb.value("cpus[0].irq_count + cpus[1].irq_count"))
        for _ in range(STOPS):
            stop(gdb)
            gdb(f"thread {main_thread}")
            text = gdb("bt")
            assert re.match(r"#0 .*drill_loop ", text) and "app_main" in text and "??" not in text, text
            assert gdb.flags() & IF
        assert 0 <= left - int(gdb.value("$rdi")) - created(gdb) + 1 <= 1
        assert int(gdb.value("cpus[0].irq_count + cpus[1].irq_count")) > interrupts + STOPS


@test
def stops_with_interrupts_off():
    """The only CPU takes nothing but NMIs, which come while it sees to a hit."""
    arguments = ["kind=spin-irqs-off", "after=0", "gdbwait"]
    options = ("--cpus", "1", "--hang-timeout", "0")
    with Guest("crash", *options, arguments=arguments) as guest, attach(guest) as gdb:
        pause = instruction(gdb, "crash_spin_irqs_off", "pause")
        gdb(f"tbreak *{pause}")
        gdb("continue")
        trace(gdb, pause)
        interrupts = gdb.value("cpus[0].irq_count")
        for _ in range(STOPS):
            stop(gdb)
            text = gdb("bt")
            assert "crash_spin_irqs_off" in text and "app_main" in text and "??" not in text, text
            assert not gdb.flags() & IF
        assert created(gdb) > 100
        assert gdb.value("cpus[0].irq_count") == interrupts


@test
def nmis_that_stop_nothing():
    """One that comes between a hit and its instruction makes no second hit of it."""
    rounds = f"rounds={1 << 40}"
    with qemu_with_a_monitor("drill", 1, rounds) as (uart, inject), Gdb(image("drill"), uart) as gdb:
        trace(gdb, loop_start(gdb))
        gdb(f"tbreak *{loop_start(gdb)}")
        gdb("continue")
        gdb("tstart")
        left = int(gdb.value("$rdi"))
        gdb.send("continue")
        for _ in range(NMIS):
            inject()
            time.sleep(0.001)
        assert "received signal SIGINT" in gdb.interrupt()
        assert gdb.flags() & IF
        assert 0 <= left - int(gdb.value("$rdi")) - created(gdb) + 1 <= 1


main()
