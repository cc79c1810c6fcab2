# SPDX-License-Identifier: MIT
"""The core that a dying guest streams, as gdb and elfutils see it, for every kind of crash."""

import contextlib
import json
import os
import pathlib
import re
import shutil
import struct
import time

from harness import SOURCE, image, main, run, test, uniscope, wait_for
from probed_guest import (
    DUMP_BEGIN,
    HELLO,
    INTERVAL,
    LOG,
    METRICS,
    METRIC_TABLE,
    PANIC,
    PANIC_HANG,
    REPLY,
    THREADS,
    ProbedGuest,
)

HERE = pathlib.Path(__file__).resolve().parent
CRASH_SOURCE = SOURCE / "kernel" / "apps" / "crash.c"

# What a worker's backtrace must show.
WORKERS = {
    "worker-1": "wait_for_mutex",
    "worker-2": "wait_for_news",
    "worker-3": "wait_for_work",
    "worker-4": "sleep_long",
    "worker-5": "wait_for_thread",
    "worker-6": "compute",
}
KERNEL_THREADS = {"main", "probe", "idle/0", "idle/1"}

# Where a stack may begin.
BOTTOMS = {"thread_start", "kernel_boot", "boot_64", "ap_64"}

SIGNALS = {"SIGSEGV": "Segmentation fault", "SIGABRT": "Aborted", "SIGQUIT": "Quit"}


def marked_lines(kind):
    """Lines of crash.c with the comment of this crash."""
    lines = CRASH_SOURCE.read_text().splitlines()
    found = [n for n, line in enumerate(lines, 1) if f"/* CRASH: {kind} */" in line]
    assert found, f"crash.c has no line for {kind}"
    return found


def open_with_gdb(core, elf=None):
    """What gdb prints, and the JSON of list_backtraces.py."""
    text = run(
        *("gdb", "-q", "-nx", "-batch", "-iex", "set debuginfod enabled off"),
        *("-ex", "set width 0", "-ex", "p $_siginfo._sifields._sigfault.si_addr"),
        *("-ex", "x/gx 0x10"),
        *("-x", HERE / "list_backtraces.py", elf or image("crash"), core),
    )
    said, _, listing = text.stdout.partition("backtraces ")
    assert listing, f"gdb listed nothing:\n{text.stdout}\n{text.stderr}"
    return said + text.stderr, json.loads(listing)


def show(frames):
    return "\n".join(f"  {f['function']} {f['file']}:{f['line']}" for f in frames)


def thread_names(core):
    """Names by id, from the dump's note, which is one table of all threads."""
    found = {}
    for kind, contents in uniscope_notes(core):
        if kind == 3:
            count, total, size = struct.unpack_from("<IIH", contents, 16)
            assert count == total and len(contents) == 32 + count * size
            for at in range(32, len(contents), size):
                (thread,) = struct.unpack_from("<I", contents, at)
                found[thread] = contents[at + 72 : at + 104].rstrip(b"\0").decode()
    return found


def notes(core):
    """(owner, type, contents) of the notes, in their order."""
    with open(core, "rb") as file:
        head = file.read(64 + 56)
        (offset,), (size,) = (struct.unpack_from("<Q", head, at) for at in (64 + 8, 64 + 32))
        file.seek(offset)
        data = file.read(size)
    at = 0
    while at < len(data):
        name_len, len_, kind = struct.unpack_from("<III", data, at)
        name_at, at = at + 12, at + 12 + (name_len + 3) // 4 * 4
        yield data[name_at : name_at + name_len - 1].decode(), kind, data[at : at + len_]
        at += (len_ + 3) // 4 * 4


def uniscope_notes(core):
    return [(kind, contents) for owner, kind, contents in notes(core) if owner == "UNISCOPE"]


def check_faulting_thread(listing, kind, above):
    """The current thread is at the marked line; `above` says which frames may lie above it."""
    frames = listing["threads"][str(listing["current"])]["frames"]
    ours = [n for n, frame in enumerate(frames) if (frame["file"] or "").endswith("apps/crash.c")]
    assert ours, f"no frame of crash.c:\n{show(frames)}"
    first = frames[ours[0]]
    assert first["line"] in marked_lines(kind), f"not at a marked line:\n{show(frames)}"
    names = [frame["function"] for frame in frames[: ours[0]]]
    assert re.fullmatch(above, " ".join(str(name) for name in names)), f"above it: {names}"
    return frames


def check_other_threads(listing, names):
    """Every other thread has a name and a whole backtrace, and the workers wait where they should."""
    by_name = {}
    for thread, stack in listing["threads"].items():
        by_name[names[int(thread)]] = stack
        if int(thread) == listing["current"]:
            continue
        functions = [frame["function"] for frame in stack["frames"]]
        assert None not in functions, f"{names[int(thread)]}:\n{show(stack['frames'])}"
        assert functions[-1] in BOTTOMS, f"{names[int(thread)]} ends early:\n{show(stack['frames'])}"
    for name, function in WORKERS.items():
        functions = [frame["function"] for frame in by_name[name]["frames"]]
        assert function in functions, f"{name}:\n{show(by_name[name]['frames'])}"
    missing = KERNEL_THREADS - set(by_name)
    assert not missing, f"not in the dump: {missing}"


def check_elfutils(core, thread_count):
    listed = re.findall(r"^  CORE +336  PRSTATUS$", run("eu-readelf", "-n", core).stdout, re.M)
    assert len(listed) == thread_count, f"{len(listed)} of {thread_count}"
    stacks = run("eu-stack", "--core", core, "-e", image("crash")).stdout
    assert stacks.count("TID ") == thread_count, stacks
    unnamed = [line for line in stacks.splitlines() if re.fullmatch(r"#\d+ +0x[0-9a-f]+", line)]
    return unnamed


def check_core(core, kind, signal, above="", unnamed=0):
    """Everything that must hold for the dump of a crash."""
    text, listing = open_with_gdb(core)
    names = thread_names(core)
    assert f"signal {signal}, {SIGNALS[signal]}" in text, text
    assert "Cannot access memory at address 0x10" in text, "reads through a null pointer"
    assert set(map(int, listing["threads"])) == set(names), "PRSTATUSes and the thread table differ"
    frames = check_faulting_thread(listing, kind, above)
    check_other_threads(listing, names)
    assert len(check_elfutils(core, len(names))) == unnamed
    return text, frames


def check_dump(guest, kind, signal, **expected):
    core = guest.wait_for_dump()
    text, frames = check_core(core, kind, signal, **expected)
    print(f"# {kind}: {core.stat().st_blocks * 512 >> 10} KiB in {guest.dump_seconds:.3f} s")
    return core, text, frames


def crash(kind, signal, arguments="", **expected):
    guest = expected.pop("guest", {})
    name = expected.pop("mark", kind)
    with ProbedGuest("crash", f"kind={kind} {arguments}", **guest) as running:
        return check_dump(running, name, signal, **expected)


@test
def null_write():
    _, text, frames = crash("null-write", "SIGSEGV")
    assert frames[0]["function"] == "crash_null_write"
    assert "(void *) 0x0" in text, text


@test
def null_write_on_q35_with_4_cpus():
    crash("null-write", "SIGSEGV", guest={"machine": "q35", "cpus": 4})


@test
def wild_jump_shows_who_jumped():
    _, text, frames = crash("wild-jump", "SIGSEGV", above="None", unnamed=1)
    assert frames[1]["function"] == "crash_wild_jump"
    assert "(void *) 0x5eed00000000" in text, text


@test
def stack_overflow():
    _, _, frames = crash("stack-overflow", "SIGSEGV")
    functions = [frame["function"] for frame in frames]
    assert functions.count("recurse") > 20
    assert functions[-4:] == ["app_main", "main_thread", "thread_main", "thread_start"]


@test
def double_fault():
    _, _, frames = crash("double-fault", "SIGSEGV")
    assert frames[-1]["function"] == "thread_start"


@test
def assertion():
    crash("assert", "SIGABRT", above="panic_kind panic_assert")


@test
def out_of_memory():
    crash("oom", "SIGABRT", above=".*panic_kind .*heap_alloc")


@test
def deadlock():
    crash("deadlock", "SIGABRT", above="panic_kind .*mutex_lock")


@test
def fault_in_an_interrupt_shows_what_it_interrupted():
    _, _, frames = crash("panic-irq", "SIGSEGV")
    assert any(frame["trap"] for frame in frames), show(frames)
    assert frames[-1]["function"] in BOTTOMS, show(frames)


@test
def panic_while_the_console_lock_is_held():
    crash("panic-locked", "SIGSEGV", "lock=console", mark="panic-locked console", above=".*console_write")


@test
def panic_while_the_port_lock_is_held():
    crash("panic-locked", "SIGSEGV", "lock=port", mark="panic-locked port", above="memcpy .*port_write")


@test
def panic_while_the_heap_lock_is_held():
    crash("panic-locked", "SIGSEGV", "lock=heap", mark="panic-locked heap", above=".*heap_alloc")


@test
def panic_while_the_lock_of_the_thread_list_is_held():
    crash("panic-locked", "SIGSEGV", "lock=threads", mark="panic-locked threads")


def crash_under_uniscope(kind, signal, *options, **expected):
    """Runs it as an operator does, and checks the core in the store."""
    name = f"dying-{kind}"
    arguments = ("run", "--name", name, "--cpus", "2", *options, image("crash"), "--", f"kind={kind}")
    ended = uniscope(*arguments, check=False)
    assert ended.returncode == 1, ended
    (core,) = pathlib.Path(os.environ["XDG_STATE_HOME"]).glob("uniscope/dumps/*/core")
    check_core(core, expected.pop("mark", kind), signal, **expected)
    assert "crash.c:" in uniscope("dumps", "info", name).stdout
    shutil.rmtree(core.parent)


@test
def every_kind_under_uniscope():
    crash_under_uniscope("null-write", "SIGSEGV")
    crash_under_uniscope("wild-jump", "SIGSEGV", above="None", unnamed=1)
    crash_under_uniscope("stack-overflow", "SIGSEGV")
    crash_under_uniscope("double-fault", "SIGSEGV")
    crash_under_uniscope("assert", "SIGABRT", above="panic_kind panic_assert")
    crash_under_uniscope("oom", "SIGABRT", above=".*panic_kind .*heap_alloc")
    crash_under_uniscope("deadlock", "SIGABRT", above="panic_kind .*mutex_lock")
    crash_under_uniscope("panic-irq", "SIGSEGV", "--machine", "q35")
    crash_under_uniscope(
        "panic-locked", "SIGSEGV", mark="panic-locked console", above=".*console_write"
    )


@test
def hang_under_uniscope():
    with one_cpu():
        crash_under_uniscope(
            *("spin-irqs-off", "SIGABRT", "--cpus", "1", "--hang-timeout", "1"),
            above="(cpu_relax)?",
        )


@contextlib.contextmanager
def one_cpu():
    """The second CPU's idle thread is not missed meanwhile."""
    KERNEL_THREADS.discard("idle/1")
    try:
        yield
    finally:
        KERNEL_THREADS.add("idle/1")


def hang(cpus):
    with ProbedGuest("crash", "kind=spin-irqs-off", cpus=cpus) as guest:
        wait_for("the crash", lambda: "crashing: " in guest.console())
        time.sleep(0.5)
        guest.ask_for_crash(PANIC_HANG)
        _, _, frames = check_dump(guest, "spin-irqs-off", "SIGABRT", above="(cpu_relax)?")
        assert "crash_spin_irqs_off" in [frame["function"] for frame in frames[:2]]
        (kind,) = struct.unpack_from("<H", guest.payloads(PANIC)[0], 2)
        assert kind == PANIC_HANG


@test
def hang_with_interrupts_off_blames_the_spinner():
    hang(2)


@test
def hang_with_interrupts_off_of_the_only_cpu():
    with one_cpu():
        hang(1)


@test
def heartbeat_ends_when_one_cpu_of_many_hangs():
    with ProbedGuest("crash", "kind=spin-irqs-off after=600", cpus=4) as guest:
        guest.ask(INTERVAL, struct.pack("<II", 50, 0))
        wait_for("the crash", lambda: "crashing: " in guest.console())
        guest.read_for(0.5)
        before = guest.kinds().count(METRICS)
        guest.read_for(1)
        assert before > 0 and guest.kinds().count(METRICS) == before, guest.kinds()


@test
def crash_on_request_blames_who_runs():
    with ProbedGuest("crash", "kind=null-write after=60000") as guest:
        while b"worker-6" not in guest.wait_for(THREADS):
            pass
        guest.ask_for_crash(nmi=False)
        core = guest.wait_for_dump()
        assert struct.unpack("<iI", guest.payloads(REPLY)[0]) == (0, 0)
        text, listing = open_with_gdb(core)
        assert "signal SIGQUIT, Quit" in text, text
        assert thread_names(core)[listing["current"]] == "worker-6"


@test
def notes_hold_what_the_frames_said():
    with ProbedGuest("crash", "kind=null-write") as guest:
        hello = guest.wait_for(HELLO)
        core = guest.wait_for_dump()
        found = dict(uniscope_notes(core))
        assert [kind for kind, _ in uniscope_notes(core)] == [1, 2, 3, 4, 5, 6, 7, 8]
        assert found[1] == guest.payloads(PANIC)[0]
        assert found[2][8:72] == hello[8:72], "boot id and build-id"
        assert hello[104:109] == b"crash"
        assert found[5][32:] == guest.payloads(METRIC_TABLE)[0][32:]
        (crashed,) = struct.unpack_from("<I", found[1], 8)
        flagged = {
            thread
            for at in range(32, len(found[3]), 136)
            for thread, flags in [struct.unpack_from("<I3xB", found[3], at)]
            if flags & 4
        }
        assert flagged == {crashed}
        assert b"crashing: null-write" in found[7]
        rings = list(struct.iter_unpack("<IIQQQ", found[8][32:]))
        assert [cpu for cpu, *_ in rings] == [0, 1]
        for _, packet_size, address, size, _ in rings:
            assert size % packet_size == 0 and packet_size >= 4096
            assert 0x100000 < address < (guest.memory << 20) - size
        assert guest.kinds().index(PANIC) < guest.kinds().index(DUMP_BEGIN)
        (used,) = [
            value
            for at in range(32, len(found[6]), 16)
            for number, value in [struct.unpack_from("<I4xQ", found[6], at)]
            if number == 1
        ]
        assert found[5][40:49] == b"heap.used" and used > 1000


@test
def panic_frame_alone_is_a_report():
    with ProbedGuest("crash", "kind=wild-jump") as guest:
        panic = guest.wait_for(PANIC)
        size, kind = struct.unpack_from("<HH", panic)
        address, pc = struct.unpack_from("<QQ", panic, 24)
        count, reason_len = struct.unpack_from("<II", panic, 64)
        frames = struct.unpack_from(f"<{count}Q", panic, 72)
        assert (size, kind, address, pc) == (328, 1, 0x5EED00000000, 0x5EED00000000)
        assert panic[size : size + reason_len].startswith(b"page fault: executing 0x5eed00000000")
        named = run("addr2line", "-f", "-e", image("crash"), *map(hex, frames[1:])).stdout
        assert named.splitlines()[0] == "crash_wild_jump", named
        assert "app_main" in named and "thread_start" in named


@test
def gdb_finds_the_image_by_the_build_id_in_the_core():
    with ProbedGuest("crash", "kind=null-write") as guest:
        hello = guest.wait_for(HELLO)
        core = guest.wait_for_dump()
        build_id = hello[24 : 24 + struct.unpack_from("<I", hello, 56)[0]].hex()
        folder = guest.folder / ".build-id" / build_id[:2]
        folder.mkdir(parents=True)
        shutil.copy(image("crash"), folder / f"{build_id[2:]}.debug")
        (folder / build_id[2:]).symlink_to(f"{build_id[2:]}.debug")
        text = run(
            *("gdb", "-q", "-nx", "-batch", "-iex", f"set debug-file-directory {guest.folder}"),
            *("-iex", "set debuginfod enabled off", "-ex", "bt", "-c", core),
        ).stdout
        assert "crash_null_write ()" in text, text


@test
def guest_without_a_port_says_so_and_ends():
    with ProbedGuest("crash", "kind=null-write", port=False) as guest:
        guest.process.wait(20)
        assert "no dump: there is no port org.uniscope.probe.0" in guest.console()


@test
def guest_whose_host_does_not_read_gives_up():
    with ProbedGuest("crash", "kind=oom") as guest:
        guest.wait_for(LOG)
        guest.process.wait(60)
        assert "no dump: org.uniscope.probe.0 took" in guest.console()


main()
