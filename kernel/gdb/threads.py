# SPDX-License-Identifier: MIT
"""`uni threads`, and what the other commands ask about threads."""

import contextlib
import struct

import gdb

from . import guest, layout
from .command import Command

SHOWN_MAX = 100

# Through these a thread comes to a stop; where it is begins outside of them.
WAITING = {
    "switch.S",
    "switch_end.c",
    "sched.c",
    "sched_wake.c",
    "wait.c",
    "mutex.c",
    "cond.c",
    "semaphore.c",
    "panic.c",
    "trap.c",
}
FRAMES_MAX = 24


class Thread:
    """A thread of the guest, read once."""

    def __init__(self, value):
        self.value = value
        self.address = int(value.address)
        self.id = int(value["id"])
        self.name = guest.array_text(value["name"])
        self.state = guest.enumerator(value["state"])
        self.cpu = int(value["cpu"])
        self.wait = value["wait"]
        self.wait_kind = guest.enumerator(self.wait["kind"]) if self.state == "blocked" else "none"
        self.stack_low = int(value["stack_low"])
        self.stack_high = int(value["stack_high"])

    def mutex(self):
        """The address of the mutex that it waits for, or is about to, 0 for none."""
        if self.wait_kind == "mutex":
            return int(self.wait["object"])
        return int(self.value["blocked_on"])

    def stack_used(self):
        """Bytes of the stack that were ever written, None where the stack cannot be read. A stack
        begins as zeroes."""
        used = self.stack_high - self.stack_low
        for low in range(self.stack_low, self.stack_high, 4096):
            try:
                piece = guest.read(low, min(4096, self.stack_high - low))
            except gdb.MemoryError:
                return None
            rest = piece.lstrip(b"\0")
            used -= len(piece) - len(rest)
            if rest:
                return (used + 7) & ~7
        return used

    def waits_for(self, names, now_ns):
        """ "mutex orders, held by worker-3, 12 ms", "" for one that does not wait."""
        if self.wait_kind == "none":
            return ""
        words = f"{self.wait_kind} {guest.text(self.wait['object_name'])}".rstrip()
        if self.wait_kind == "mutex":
            owner = int(mutex_at(self.mutex())["owner"])
            words += f", held by {names.get(owner, hex(owner))}" if owner else ", free"
        since = max(0, now_ns - int(self.wait["since_ns"]))
        deadline = int(self.wait["deadline_ns"])
        words += f", {layout.duration(since)}"
        if now_ns < deadline < 1 << 63:
            words += f" (for {layout.duration(deadline - now_ns)} more)"
        return words


def mutex_at(address):
    return gdb.Value(address).cast(guest.struct("mutex").pointer()).dereference()


def all_threads():
    head = guest.variable("kernel/thread_list.c", "all")
    return [Thread(value) for value in guest.entries(head, guest.struct("thread"), "all_link")]


def names_by_address(threads):
    return {thread.address: thread.name for thread in threads}


@contextlib.contextmanager
def selection_kept():
    """The user's thread and frame stay selected."""
    thread, frame = gdb.selected_thread(), None
    if thread is not None:
        with contextlib.suppress(gdb.error):
            frame = gdb.selected_frame()
    try:
        yield
    finally:
        if thread is not None and thread.is_valid():
            thread.switch()
            if frame is not None and frame.is_valid():
                frame.select()


def sees_vcpus_only():
    """Whether gdb's threads are vCPUs: QEMU's own stub, which numbers them from 1. The guest has more
    threads than CPUs, an idle one each at the least."""
    connection = gdb.selected_inferior().connection
    threads = gdb.selected_inferior().threads()
    return (
        connection is not None
        and connection.type in ("remote", "extended-remote")
        and len(threads) <= len(guest.cpus())
    )


def gdb_threads():
    """gdb's threads by the guest's ids."""
    found = {thread.ptid[1] or thread.ptid[2]: thread for thread in gdb.selected_inferior().threads()}
    if not sees_vcpus_only():
        return found
    on_cpus = {}
    for cpu in guest.cpus():
        number = int(cpu["id"]) + 1
        if number in found and int(cpu["thread"]):
            on_cpus[int(cpu["thread"]["id"])] = found[number]
    return on_cpus


def frames(gdb_thread):
    """(file, line, function, pc) of its frames, the innermost first, without those of handlers that
    interrupted it. To be called with the selection kept."""
    gdb_thread.switch()
    frame, found = gdb.newest_frame(), []
    while frame is not None and len(found) < FRAMES_MAX:
        if frame.type() == gdb.SIGTRAMP_FRAME:
            found = []
        else:
            place = frame.find_sal()
            file = place.symtab.filename.split("/")[-1] if place.symtab else None
            found.append((file, place.line, frame.name(), frame.pc()))
        frame = frame.older()
    return found


def saved_frames(thread):
    """The same for a thread that gdb does not know: along the frame pointers from where it left its
    CPU."""
    saved = gdb.Value(int(thread.value["saved_rsp"])).cast(guest.struct("switch_frame").pointer())
    pc, frame, found = int(saved["rip"]), int(saved["rbp"]), []
    while pc and len(found) < FRAMES_MAX:
        line, function = guest.place(pc - 1)
        file, _, number = (line or ":").rpartition(":")
        found.append((file or None, number, function, pc))
        if not thread.stack_low <= frame <= thread.stack_high - 16:
            break
        next_frame, pc = struct.unpack("<QQ", guest.read(frame, 16))
        if next_frame <= frame:
            break
        frame = next_frame
    return found


def where(thread, known):
    """ "order_commit() ledger.c:40": the innermost code that does not just wait. `known` is
    gdb_threads(). To be called with the selection kept."""
    try:
        if thread.id in known:
            found = frames(known[thread.id])
        elif thread.state != "running":
            found = saved_frames(thread)
        else:
            found = []
    except gdb.error as error:
        return str(error)
    for file, line, function, _ in found:
        if file and file not in WAITING:
            return f"{function or '?'}() {file}:{line}"
    return f"{found[0][2] or hex(found[0][3])}()" if found else "unknown to gdb"


class Threads(Command):
    """List the guest's threads: uni threads [PART OF A NAME | all]

    The state, the CPU that it runs on or ran on last, the most of its stack that was ever in use,
    where it is (past the functions in which a thread waits), and what it waits for, who has that, and
    for how long."""

    name = "threads"

    def run(self, pattern=""):
        threads = all_threads()
        names = names_by_address(threads)
        now_ns = guest.time_ns()
        chosen = [t for t in threads if pattern in ("", "all") or pattern in t.name]
        shown = chosen if pattern == "all" else chosen[:SHOWN_MAX]
        if not chosen:
            raise guest.Missing(f"no thread has {pattern!r} in its name")
        rows = []
        with selection_kept():
            known = gdb_threads()
            for thread in shown:
                rows.append(self.row(thread, known, names, now_ns))
        layout.table(
            ("ID", "NAME", "STATE", "CPU", "STACK", "WHERE", "WAITS FOR"), rows, right=(0, 3, 4)
        )
        if len(shown) < len(chosen):
            layout.line(f"{len(chosen) - len(shown)} more: `uni threads all`")

    def row(self, thread, known, names, now_ns):
        used = thread.stack_used()
        total = (thread.stack_high - thread.stack_low) / 1024
        return (
            str(thread.id),
            thread.name,
            thread.state,
            str(thread.cpu),
            f"{used / 1024:.1f}/{total:.0f} KiB" if used is not None else "?",
            where(thread, known),
            thread.waits_for(names, now_ns),
        )


COMMAND = Threads
