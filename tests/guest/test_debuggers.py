# SPDX-License-Identifier: MIT
"""Other debuggers on the stub: gdb-multiarch, gdb's MI as editors drive it, and lldb see the same
threads, registers and backtraces as gdb."""

import contextlib
import re
import shutil
import socket
import subprocess
import tempfile
import threading
import time

from harness import SOURCE, Guest, image, main, run, skip, test, wait_for

LEDGER = "kernel/apps/shop/ledger.c"

# These wait for good, so that they are the same whenever a debugger stops the guest.
RESTING = ("main", "reaper", "worker-1", "worker-2", "worker-3", "worker-4", "worker-5")


@contextlib.contextmanager
def resting_guest():
    """A guest with threads that wait for all that there is, one that computes, and nothing new."""
    with Guest("crash", "--cpus", "2", arguments=["kind=assert", "after=3600000"]) as guest:
        time.sleep(1)
        yield guest


def need(program):
    if not shutil.which(program):
        skip(f"{program} is not installed")


GDB_SCRIPT = (
    "python\n"
    "for t in sorted(gdb.selected_inferior().threads(), key=lambda t: t.ptid[1]):\n"
    "    t.switch()\n"
    "    f = gdb.newest_frame()\n"
    "    registers = [int(f.read_register(r)) & (1 << 64) - 1 for r in ('rip', 'rsp', 'rbp')]\n"
    "    lines, pcs = [], []\n"
    "    while f is not None:\n"
    "        s = f.find_sal()\n"
    "        lines.append(s.symtab.filename.split('/')[-1] + ':' + str(s.line))\n"
    "        if f.type() != gdb.INLINE_FRAME: pcs.append(f.pc())\n"
    "        f = f.older()\n"
    "    print('@@', t.ptid[1], t.name, registers, lines, pcs)\n"
    "end\n"
)


def numbers_in(text):
    return [int(word) for word in re.findall(r"\d+", text)]


def seen_by_gdb(program, guest):
    """{id: (name, [rip, rsp, rbp], [file:line of each frame], [pc of each that is not inlined])}"""
    with tempfile.NamedTemporaryFile("w", suffix=".gdb") as script:
        script.write(GDB_SCRIPT)
        script.flush()
        text = run(program, "-q", "-nx", "-batch", "-iex", "set auto-load off", guest.image,
                   "-ex", f"target remote {guest.socket('gdb')}", "-x", script.name).stdout
    found = {}
    pattern = r"^@@ (\d+) (\S+) (\[.*?\]) (\[.*?\]) (\[.*?\])$"
    for number, name, registers, lines, pcs in re.findall(pattern, text, re.M):
        found[int(number)] = (name, numbers_in(registers), re.findall(r"'([^']+)'", lines), numbers_in(pcs))
    assert found, text
    return found


class Mi:
    """gdb's machine interface, as an editor drives it."""

    def __init__(self, *options):
        self.process = subprocess.Popen(
            ["gdb", "-q", "-nx", "--interpreter=mi", *options],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )
        self.token = 0
        self.events = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.communicate()

    def __call__(self, command):
        """The result record of a command; it must succeed."""
        self.token += 1
        self.process.stdin.write(f"{self.token}{command}\n")
        self.process.stdin.flush()
        line = self.until(rf"^{self.token}\^")
        assert not line.startswith(f"{self.token}^error"), f"{command}: {line}"
        return line

    def until(self, pattern):
        for line in self.process.stdout:
            self.events.append(line)
            if re.search(pattern, line):
                return line
        raise AssertionError(f"gdb ended before {pattern}: {''.join(self.events)}")

    def stopped(self):
        """The next stop; records that came are not looked at again."""
        return self.until(r"^\*stopped")


def field(record, name):
    return re.findall(rf'[{{,]{name}="([^"]*)"', record)


def seen_by_mi(guest):
    found = {}
    with Mi("-iex", "set auto-load off", guest.image) as mi:
        mi(f"-target-select remote {guest.socket('gdb')}")
        threads = mi("-thread-info")
        names = mi("-data-list-register-names")
        numbers = [re.findall(r'"([^"]*)"', names.split("register-names=")[1]).index(r) for r in ("rip", "rsp", "rbp")]
        for number, target, name in re.findall(r'\{id="(\d+)",target-id="Thread 1\.(\d+)",.*?name="([^"]+)"', threads):
            frames = mi(f"-stack-list-frames --thread {number}")
            places = re.findall(r'file="([^"]+)",.*?line="(\d+)"', frames)
            lines = [f"{file.split('/')[-1]}:{line}" for file, line in places]
            values = mi(f"-data-list-register-values --thread {number} x {' '.join(map(str, numbers))}")
            found[int(target)] = (name, [int(v, 16) for v in field(values, "value")], lines)
        mi("-target-detach")
    return found


@contextlib.contextmanager
def over_tcp(path):
    """The socket behind a TCP port of this host, as `ssh -L PORT:SOCKET` makes it: yields the port."""
    server = socket.create_server(("127.0.0.1", 0))

    def copy(source, target):
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                target.sendall(data)
        with contextlib.suppress(OSError):
            target.shutdown(socket.SHUT_RDWR)

    def serve():
        with contextlib.suppress(OSError):
            client, _ = server.accept()
            guest = socket.socket(socket.AF_UNIX)
            guest.connect(str(path))
            back = threading.Thread(target=copy, args=(guest, client), daemon=True)
            back.start()
            copy(client, guest)
            back.join(5)
            client.close()
            guest.close()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield server.getsockname()[1]
    finally:
        server.close()
        thread.join(5)


def lldb(guest, *commands):
    need("lldb-14")
    with tempfile.NamedTemporaryFile("w", suffix=".lldb") as script, over_tcp(guest.socket("gdb")) as port:
        script.write("\n".join([f"gdb-remote 127.0.0.1:{port}", *commands, "process detach", "quit", ""]))
        script.flush()
        return run("lldb-14", "-b", "--no-lldbinit", guest.image, "-s", script.name, check=False).stdout


def seen_by_lldb(guest):
    """{id: ([rip, rsp, rbp], [pc of each frame])}. lldb 14 leaves some inlined functions out."""
    text = lldb(guest, "thread list", *(
        word for i in range(1, 13) for word in (f"thread select {i}", "register read rip rsp rbp", "thread backtrace")
    ))
    ids = {int(i): int(tid, 16) for i, tid in re.findall(r"thread #(\d+): tid = (0x[0-9a-f]+)", text)}
    found = {}
    for part in re.split(r"^\(lldb\) thread select ", text, flags=re.M)[1:]:
        index = int(part.split()[0])
        registers = [int(v, 16) for v in re.findall(r"^ +r\w+ = (0x[0-9a-f]+)", part, re.M)]
        trace = part.split("(lldb) thread backtrace")[1]
        frames = re.findall(r"frame #(\d+): (0x[0-9a-f]+)", trace)
        # A stop that lldb tells of late shows its innermost frame in front, between or behind.
        outer = [int(pc, 16) for number, pc in frames if number != "0"]
        inner = [int(pc, 16) for number, pc in frames if number == "0"]
        assert registers[0] in inner, part
        found[ids[index]] = (registers[:3], registers[:1] + outer)
    assert found, text
    return found


def compare(found, wanted):
    assert set(found) == set(wanted), f"threads {sorted(found)} instead of {sorted(wanted)}"
    assert [seen[0] for seen in found.values()] == [seen[0] for seen in wanted.values()]
    for number in resting(wanted):
        assert found[number][1:3] == wanted[number][1:3], (found[number], wanted[number])


def resting(seen):
    """The ids of the threads that can be compared."""
    found = [number for number, (name, _, lines, _) in seen.items() if name in RESTING and len(lines) > 4]
    assert len(found) == len(RESTING), seen
    return found


@test
def gdb_multiarch_sees_what_gdb_sees():
    need("gdb-multiarch")
    with resting_guest() as guest:
        compare(seen_by_gdb("gdb-multiarch", guest), seen_by_gdb("gdb", guest))


@test
def the_machine_interface_sees_what_gdb_sees():
    with resting_guest() as guest:
        compare(seen_by_mi(guest), seen_by_gdb("gdb", guest))


@test
def lldb_sees_what_gdb_sees():
    with resting_guest() as guest:
        found, wanted = seen_by_lldb(guest), seen_by_gdb("gdb", guest)
        assert set(found) == set(wanted), f"threads {sorted(found)} instead of {sorted(wanted)}"
        for number in resting(wanted):
            _, registers, _, pcs = wanted[number]
            assert found[number][0] == registers, (found[number], wanted[number])
            assert [pc for pc in found[number][1] if pc in pcs] == pcs, (found[number], wanted[number])
            assert found[number][1][-1] == pcs[-1], (found[number], wanted[number])


@test
def lldb_breaks_and_continues():
    with Guest("shop", "--cpus", "2") as guest:
        text = lldb(
            guest,
            "breakpoint set --name order_commit",
            "continue",
            "thread backtrace",
            "breakpoint delete --force",
        )
        stop = text.split("(lldb) continue")[1]
        assert re.search(r"stop reason = breakpoint 1\.1", stop), text
        assert re.search(r"frame #0: .*`order_commit\(", stop), text
        assert re.search(r"frame #\d+: .*`worker at ", stop), text
        # The guest goes on behind it.
        assert "hit Breakpoint" in run(
            "gdb", "-q", "-nx", "-batch", "-iex", "set auto-load off", guest.image,
            "-ex", f"target remote {guest.socket('gdb')}", "-ex", "break order_commit", "-ex", "continue",
        ).stdout


def line_of(path, text):
    lines = (SOURCE / path).read_text().splitlines()
    return next(number for number, line in enumerate(lines, 1) if text in line)


@test
def an_editor_drives_gdb():
    """What the C++ extension of VS Code sends with the launch.json of docs/debugging.md: setup,
    attach, a breakpoint by file and line, the stop, threads, stack, variables, a step, a pause."""
    line = line_of(LEDGER, "mutex_lock(&orders_lock);")
    with Guest("shop", "--cpus", "2") as guest, Mi() as mi:
        mi("-gdb-set mi-async on")
        mi('-interpreter-exec console "set remotetimeout 30"')
        mi('-interpreter-exec console "set dcache line-size 1024"')
        mi(f'-interpreter-exec console "add-auto-load-safe-path {guest.image}"')
        mi("-enable-pretty-printing")
        mi(f"-file-exec-and-symbols {guest.image}")
        mi(f"-target-select remote {guest.socket('gdb')}")
        number = field(mi(f"-break-insert -f {LEDGER}:{line}"), "number")[0]
        mi("-exec-continue --all")
        stop = mi.stopped()
        assert 'reason="breakpoint-hit"' in stop and f'bkptno="{number}"' in stop, stop
        assert field(stop, "func") == ["order_commit"] and field(stop, "line") == [str(line)], stop
        thread = field(stop, "thread-id")[0]
        assert "worker-" in mi(f"-thread-info {thread}")
        frames = field(mi(f"-stack-list-frames --thread {thread} 0 1000"), "func")
        assert frames[0] == "order_commit" and frames[-1] == "thread_start", frames
        variables = mi(f"-stack-list-variables --thread {thread} --frame 0 --simple-values")
        assert {"order", "worker"} <= set(field(variables, "name")), variables
        variable = mi(f"-var-create --thread {thread} --frame 0 - * order")
        name = field("," + variable.split("done,")[1], "name")[0]
        children = field(mi(f"-var-list-children --all-values {name} 0 50"), "exp")
        assert "cents" in children, children
        mi(f"-var-delete {name}")
        lock = mi('-data-evaluate-expression "orders_lock"')
        assert '\\"orders\\", free' in lock, lock
        # Else another worker may come to the breakpoint while this one steps.
        mi(f"-break-delete {number}")
        mi(f"-exec-next --thread {thread}")
        stop = mi.stopped()
        assert 'reason="end-stepping-range"' in stop and field(stop, "func") == ["order_commit"], stop
        mi("-exec-continue --all")
        time.sleep(0.3)
        mi("-exec-interrupt --all")
        stop = mi.stopped()
        assert 'signal-name="SIGINT"' in stop or 'signal-name="0"' in stop, stop
        mi("-target-detach")
        wait_for("the guest to go on", lambda: "running" in guest.uniscope("list").stdout, timeout=10)


@test
def a_gdb_of_another_host_comes_through_a_forwarded_port():
    with Guest("shop", "--cpus", "2") as guest, over_tcp(guest.socket("gdb")) as port:
        guest.wait_for_thread("dispatcher")
        text = run("gdb", "-q", "-nx", "-batch", "-iex", "set auto-load off", guest.image,
                   "-ex", f"target remote 127.0.0.1:{port}", "-ex", "info threads", "-ex", "detach").stdout
        assert '"dispatcher"' in text and "detached" in text, text


main()
