# SPDX-License-Identifier: MIT
"""Fast tracepoints: a call in the place of an instruction. Nobody ever sees that it is there, and each time
the program comes by is one hit."""

import pathlib
import re
import signal
import tempfile
import time

from gdb_session import Gdb, instruction
from harness import Guest, image, main, test, wait_for
from monitored_guest import qemu_with_a_monitor

STOPS = 10
NMIS = 500
IF = 1 << 9
ENDLESS = f"rounds={1 << 40}"


def attach(guest):
    return Gdb(guest.image, guest.socket("gdb"))


def drill_start(gdb):
    """Where each round of drill_loop() begins."""
    return instruction(gdb, "drill_loop", r"nopl +0x8\(%rax,%rax,1\)")


def drill_state(gdb):
    """(sum, left) of drill_loop() at the beginning of a round."""
    return int(gdb.value("(unsigned long) $rax")), int(gdb.value("$rdi"))


def sum_after(state, left):
    """What the program has to come to."""
    total, before = state
    for at in range(before, left, -1):
        total = (31 * total + at) % (1 << 64)
    return total


def ftrace(gdb, where, *actions):
    text = gdb(f"ftrace {where}")
    assert "Fast tracepoint " in text, text
    if actions:
        for line in ("actions", *actions):
            gdb.send(line)
        gdb("end")


def begin(gdb):
    gdb("set circular-trace-buffer on")
    text = gdb("tstart")
    assert not text.strip(), text


def created(gdb):
    return int(re.search(r"Collected (\d+)|of (\d+) created", gdb("tstatus")).group().split()[1])


def hits(gdb, number):
    gdb("tstatus")
    return int(re.search(r"already hit (\d+) time", gdb(f"info tracepoints {number}")).group(1))


def lost(gdb):
    return int(re.search(r"lost, as there was no room: (\d+)", gdb("monitor trace")).group(1))


def stop(gdb):
    """Lets the guest run for a moment; every thread that is on a CPU is then where a program may be."""
    gdb.send("continue")
    time.sleep(0.05)
    text = gdb.interrupt()
    assert "received signal SIGINT" in text, text
    text = gdb("info threads")
    assert "debug_" not in text and "trap_" not in text, text


@test
def each_round_is_one_hit():
    with Guest("drill", "--cpus", "2", arguments=[ENDLESS]) as guest, attach(guest) as gdb:
        start = drill_start(gdb)
        gdb(f"tbreak *{start}")
        gdb("continue")
        main_thread = gdb.thread()
        ftrace(gdb, f"*{start}", f"collect $regs, *(long *) {start}")
        begin(gdb)
        state, interrupts = drill_state(gdb), int(gdb.value("cpus[0].irq_count + cpus[1].irq_count"))
        for _ in range(STOPS):
            stop(gdb)
            gdb(f"thread {main_thread}")
            text = gdb("bt")
            assert re.match(r"#0 .*drill_loop ", text) and "app_main" in text and "??" not in text, text
            assert gdb.flags() & IF
        assert created(gdb) > STOPS
        assert 0 <= state[1] - int(gdb.value("$rdi")) - created(gdb) + 1 <= 1
        assert int(gdb.value("cpus[0].irq_count + cpus[1].irq_count")) > interrupts + STOPS
        code = gdb(f"x/8xb {start}")
        gdb("tstop")
        gdb("tfind 0")
        state = drill_state(gdb)
        gdb("tfind")
        assert drill_state(gdb) == (sum_after(state, state[1] - 1), state[1] - 1)
        assert int(gdb.value("(long) $pc")) == start and gdb.flags() & IF
        assert gdb(f"x/8xb {start}") == code, "no call is in what was collected"


@test
def stops_before_each_instruction_of_the_call():
    """A second gdb, at QEMU's own stub, halts the guest there; bytes for ours stop it, by their interrupt
    where that may come, or by an NMI."""
    with (
        tempfile.TemporaryDirectory(dir="/tmp") as folder,
        qemu_with_a_monitor("drill", 1, ENDLESS) as (uart, monitor),
        Gdb(image("drill"), uart) as gdb,
    ):
        start = drill_start(gdb)
        gdb(f"tbreak *{start}")
        gdb("continue")
        ftrace(gdb, f"*{start}", "collect $regs")
        begin(gdb)
        state, sp, frame = drill_state(gdb), gdb.value("$rsp"), gdb.value("$rbp")
        text = gdb("disassemble trap_call,trap_call_stack + 1")
        places = re.findall(r"^ +(0x[0-9a-f]+) ", text, re.M)
        assert len(places) == 6, text
        path = pathlib.Path(folder) / "qemu"
        monitor(f"gdbserver unix:{path},server=on,wait=off")
        wait_for("QEMU's stub", path.exists)
        gdb("set debug remote on")
        words = [(place, "nmi") for place in places] + [(place, "info status") for place in places[:2]]
        for place, word in words:
            gdb.send("continue")
            with Gdb(image("drill"), path) as outer:
                outer(f"hbreak *{place}")
                text = outer("continue")
                assert "Breakpoint 1, " in text, text
                outer("delete")
                gdb.process.send_signal(signal.SIGINT)
                gdb.wait("byte for the guest", 30, lambda: b"pass_ctrlc: exit" in gdb.text)
                monitor("info status")  # QEMU has taken the byte then
                monitor(word)
                outer.send("detach")
                text = gdb.read()
            assert "received signal SIGINT" in text, text
            assert int(gdb.value("(long) $pc")) == start, (place, gdb("bt"))
            assert (gdb.value("$rsp"), gdb.value("$rbp")) == (sp, frame)
            assert gdb.flags() & IF
            total, left = drill_state(gdb)
            assert state[1] - left == created(gdb)
            assert total == sum_after(state, left)


@test
def nmis_that_stop_nothing():
    with qemu_with_a_monitor("drill", 1, ENDLESS) as (uart, inject), Gdb(image("drill"), uart) as gdb:
        start = drill_start(gdb)
        gdb(f"tbreak *{start}")
        gdb("continue")
        ftrace(gdb, f"*{start}")
        begin(gdb)
        left = int(gdb.value("$rdi"))
        gdb.send("continue")
        for _ in range(NMIS):
            inject()
            time.sleep(0.001)
        assert "received signal SIGINT" in gdb.interrupt()
        assert gdb.flags() & IF
        assert 0 <= left - int(gdb.value("$rdi")) - created(gdb) + 1 <= 1


def fault(kind, function):
    with Guest("crash", "--cpus", "1", arguments=[f"kind={kind}", "after=0", "gdbwait"]) as guest:
        with attach(guest) as gdb:
            address = instruction(gdb, function, r"movl +\$0x2a,")
            ftrace(gdb, f"*{address}")
            begin(gdb)
            text = gdb("continue")
            assert "received signal SIGSEGV" in text, text
            assert int(gdb.value("(long) $pc")) == address
            assert created(gdb) == 1
            text = gdb("bt")
            assert re.match(rf"#0 .*{function} ", text) and "??" not in text, text
            return gdb.flags() & IF


@test
def the_interrupt_flag_is_the_programs():
    assert fault("null-write", "crash_null_write")
    assert not fault("panic-irq", "crash_in_interrupt")


@test
def beside_a_trapping_one_on_two_cpus():
    """In the lock that everything takes, with interrupts off: as many hits as of what traps there."""
    with Guest("shop", "--cpus", "2", arguments=["load=20000"]) as guest, attach(guest) as gdb:
        fast = instruction(gdb, "mutex_unlock", r"subl +\$0x1,")
        gdb(f"trace *{instruction(gdb, 'mutex_unlock', 'cmp +%rdx,%rax')}")
        ftrace(gdb, f"*{fast} if $us_cpu == 0", "collect $eflags")
        ftrace(gdb, f"*{fast} if $us_cpu == 1", "collect $eflags")
        call = instruction(gdb, "mutex_unlock", "call .*<spin_lock>")
        ftrace(gdb, f"*{call}")
        begin(gdb)
        before = int(gdb.value("'measures.c'::requests"))
        for _ in range(STOPS):
            stop(gdb)
        gdb("tstop")
        counts = [hits(gdb, number) for number in (1, 2, 3, 4)]
        assert min(counts[1:3]) > 0, counts
        # Each CPU may be between the two, or between the call and them.
        assert abs(counts[0] - counts[1] - counts[2]) <= 2, counts
        assert 0 <= counts[3] - counts[0] <= 4, counts
        assert sum(counts) == created(gdb) + lost(gdb), counts
        gdb("tfind tracepoint 2")
        assert not gdb.flags() & IF
        gdb("tfind none")
        assert int(gdb.value("'measures.c'::requests")) > before
        gdb("delete")
        stop(gdb)


@test
def breakpoints_and_steps_at_the_same_address():
    with Guest("drill", "--cpus", "1", arguments=[ENDLESS]) as guest, attach(guest) as gdb:
        start = drill_start(gdb)
        gdb(f"tbreak *{start}")
        gdb("continue")
        gdb("stepi")
        ftrace(gdb, f"*{start}")
        begin(gdb)
        gdb(f"break *{start}")
        for count in range(1, 4):
            assert "Breakpoint 3, " in gdb("continue")
            assert created(gdb) == count
        gdb("delete 3")
        left = int(gdb.value("$rdi"))
        while int(gdb.value("$rdi")) > left - 3:
            assert "SIGTRAP" not in gdb("stepi")
        assert created(gdb) == 3 + 2
        left -= 3
        stop(gdb)
        assert 0 <= created(gdb) - 5 - (left - int(gdb.value("$rdi"))) <= 1


@test
def what_cannot_be_a_fast_one_is_refused():
    with Guest("drill", "--cpus", "1", arguments=[ENDLESS]) as guest, attach(guest) as gdb:
        assert "May not have a fast tracepoint" in gdb(f"ftrace *{drill_start(gdb) + 5}")
        ftrace(gdb, "*" + hex(instruction(gdb, "mutex_unlock", r"nopl +0x0\(%rax,%rax,1\)")))
        assert "a tracepoint of the program's own is switched here" in gdb("tstart")


@test
def tracing_goes_on_without_gdb():
    with Guest("drill", "--cpus", "1", arguments=[ENDLESS]) as guest:
        with attach(guest) as gdb:
            ftrace(gdb, f"*{drill_start(gdb)}")
            gdb("set disconnected-tracing on")
            begin(gdb)
            gdb("detach")
        with attach(guest) as gdb:
            assert "Trace is running on the target" in gdb("tstatus")
            assert "fast tracepoint" in gdb("info tracepoints")
            before = hits(gdb, 1)
            while hits(gdb, 1) == before:
                stop(gdb)
            gdb("set disconnected-tracing off")
            gdb.send("continue")
            gdb.wait("word of it", 30, lambda: b"Continuing." in gdb.text)
        with attach(guest) as gdb:
            assert "stopped because of disconnection" in gdb("tstatus")
            stop(gdb)


main()
