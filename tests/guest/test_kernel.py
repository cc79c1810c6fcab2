# SPDX-License-Identifier: MIT
"""The kernel under a bare QEMU: it boots on every machine, tests itself, and dies as it should."""

import fcntl
import json
import os
import pathlib
import re
import select
import socket
import subprocess
import tempfile

from gdb_session import Gdb
from harness import image, main, test
from monitored_guest import qemu_with_a_monitor

MACHINES = ("microvm", "q35")
END = b"(the console ended)"
SELFTEST_ARGUMENTS = 'number=0x10 size=4K words="a b" flag'

# What the console says of each kind of crash.
CRASHES = {
    "null-write": r"page fault: writing 0x0, the null page",
    "wild-jump": r"page fault: executing 0x[0-9a-f]+, which is not mapped",
    "stack-overflow": r"stack overflow: thread \"main\" ran into the guard page at 0x[0-9a-f]+",
    "double-fault": r"double fault, error 0x0",
    "assert": r"assertion failed: .+, at .+crash\.c:[0-9]+",
    "oom": r"out of memory: 0x[0-9a-f]+ holds [0-9]+ of [0-9]+ bytes; 0x[0-9a-f]+ asked for [0-9]+ more",
    "deadlock": r"deadlock: main -> rival -> main",
    "panic-irq": r"page fault: .+",
    "panic-locked": r"page fault: .+",
}


def boot(machine, cpus, memory, name, arguments="", typed=None, timeout=60, options=()):
    """Runs a guest to its end; returns its console and the reason QEMU gives for the end. `typed` is
    sent when the guest has said "type"."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        # Read as soon as QEMU comes; no event is sent before.
        ours.sendall(b'{"execute": "qmp_capabilities"}\n')
        with subprocess.Popen(
            [
                *("timeout", str(timeout), "qemu-system-x86_64", "-nodefaults", "-no-user-config"),
                *("-display", "none", "-no-reboot", "-accel", "tcg", "-M", machine),
                *("-smp", str(cpus), "-m", memory, "-device", "pvpanic", "-serial", "stdio"),
                *("-chardev", f"socket,id=qmp,fd={theirs.fileno()}"),
                *("-mon", "chardev=qmp,mode=control"),
                *("-kernel", image(name), "-append", arguments),
                *options,
            ],
            pass_fds=[theirs.fileno()],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        ) as process:
            console = b""
            while typed and not console.endswith((b"type\r\n", END)):
                console += process.stdout.readline() or END
            console += process.communicate(typed and typed.encode())[0]
            assert process.returncode == 0, f"exit {process.returncode}: {console}"
        theirs.close()
        with ours.makefile() as lines:
            messages = [json.loads(line) for line in lines]
    ends = [m["data"]["reason"] for m in messages if m.get("event") == "SHUTDOWN"]
    return console.decode(errors="replace"), ends[0]


def read_all(fd):
    """What comes until nothing does for a while."""
    text = b""
    while select.select([fd], [], [], 1)[0]:
        text += os.read(fd, 65536)
    return text


@test
def boots_with_any_machine_cpus_and_memory():
    for machine in MACHINES:
        for cpus, memory in ((1, "8"), (2, "64"), (4, "3G"), (16, "6G")):
            console, end = boot(machine, cpus, memory, "hello")
            assert f"{cpus} cpu" in console, console
            assert "hello from a unikernel" in console, console
            assert end == "guest-shutdown", end


@test
def boots_without_acpi_on_one_cpu():
    console, _ = boot("microvm,acpi=off", 2, "64", "hello")
    assert "1 cpu," in console and "hello from a unikernel" in console, console


@test
def says_so_when_it_has_nothing_to_measure_time_with():
    console, _ = boot("microvm,pit=off", 1, "64", "hello")
    assert "(assumed)" in console, console
    console, _ = boot("microvm", 1, "64", "hello")
    assert "(pit)" in console, console


@test
def knows_the_rate_of_its_clock():
    # Here both the TSC and the PIT go by the number of instructions: 1 GHz, however busy the host is.
    for machine in MACHINES:
        console, _ = boot(machine, 1, "64", "hello", options=("-icount", "shift=0,sleep=off"))
        assert re.search(r"tsc (1\.000|0\.999) GHz \(pit\)", console), console


@test
def passes_its_own_tests():
    for machine in MACHINES:
        for cpus in (1, 2, 4):
            console, _ = boot(machine, cpus, "64", "selftest", SELFTEST_ARGUMENTS)
            failed = re.findall(r"^not ok .*", console, re.MULTILINE)
            assert not failed, f"{machine}, {cpus} cpus: {failed}"
            assert re.search(rf"[1-9][0-9]+ passed, 0 failed, {cpus} cpus", console), console


@test
def reads_what_is_typed():
    for machine in MACHINES:
        console, _ = boot(machine, 1, "64", "selftest", "echo", typed="one line\n")
        assert "typed: one line\r\n" in console, console


@test
def every_fault_ends_in_the_panic_path():
    for machine in MACHINES:
        for kind, reason in CRASHES.items():
            console, end = boot(machine, 2, "64", "crash", f"kind={kind}")
            assert re.search(rf"^panic: {reason}\r?$", console, re.MULTILINE), console
            assert "backtrace: 0x" in console, console
            assert console.count("panic: ") == 1, console
            assert end == "guest-panic", f"{kind}: {end}"


@test
def counts_what_a_console_that_nobody_reads_did_not_take():
    with tempfile.TemporaryDirectory() as folder:
        console = pathlib.Path(folder) / "console"
        for end in ("in", "out"):
            os.mkfifo(f"{console}.{end}")
        out = os.open(f"{console}.out", os.O_RDWR)
        fcntl.fcntl(out, fcntl.F_SETPIPE_SZ, 4096)
        with qemu_with_a_monitor("drill", 1, f"rounds={1 << 40}", console=f"pipe:{console}") as (uart, _):
            with Gdb(image("drill"), uart) as gdb:
                read_all(out)
                gdb("call (void)console_write((char *)trace_frames, 20000)")
                taken = read_all(out)
                gdb("call (void)console_write((char *)trace_frames, 3)")
                after = read_all(out)
        os.close(out)
    assert 4096 <= len(taken) < 20000 and not taken.strip(b"\0"), taken
    assert after == b"\r\n[%d bytes lost]\r\n\0\0\0" % (20000 - len(taken)), after


main()
