# SPDX-License-Identifier: MIT
"""gdb's helpers that ride in the image: each command on a live guest and on a core, and `uniscope
gdb` itself."""

import contextlib
import functools
import os
import pathlib
import pty
import re
import select
import subprocess
import tempfile
import time

from harness import BUILD, SOURCE, UNISCOPE, Guest, image, main, run, test, uniscope, wait_for

LEDGER = "kernel/apps/shop/ledger.c"
CRASH = "kernel/apps/crash.c"


def line_of(path, text):
    lines = (SOURCE / path).read_text().splitlines()
    return next(number for number, line in enumerate(lines, 1) if text in line)


def outputs(*words, commands, timeout=100):
    """{command: what it printed} of a gdb that `uniscope WORDS` starts, which runs the commands; what
    came before the first is under ""."""
    arguments = []
    for command in commands:
        arguments += ["-ex", f"echo @@{command}\\n", "-ex", command]
    arguments += ["-ex", "echo @@end\\n"]
    result = run(UNISCOPE, *words, "--", "-nx", "-batch", *arguments, timeout=timeout, check=False)
    text = result.stdout + result.stderr
    assert "Traceback" not in text and "Python Exception" not in text, text
    pieces = re.split(r"^@@(.*)$", result.stdout, flags=re.M)
    found = {"": pieces[0], "all": text}
    for command, output in zip(pieces[1::2], pieces[2::2]):
        found[command] = output.strip("\n")
    missing = [c for c in commands if c not in found]
    assert not missing, f"{missing} did not run:\n{text}"
    return found


def value(text):
    return int(re.search(r"= (\d+)", text).group(1))


def rows(text):
    """The rows of a table, as lists of the cells, without the header."""
    return [re.split(r"  +", line.strip()) for line in text.splitlines()[1:] if line.strip()]


@contextlib.contextmanager
def shop(*arguments, name=None):
    with Guest("shop", "--cpus", "2", name=name, arguments=["load=1000", *arguments]) as guest:
        guest.wait_for_thread("customer")
        guest.wait_for_thread("main", "sleeping")
        yield guest


@functools.lru_cache(maxsize=None)
def deadlock():
    """The dump of a guest whose threads wait for each other; the name of it."""
    result = run("timeout", "60", UNISCOPE, "run", "--name", "stuck", "--cpus", "2", image("crash"),
                 "--", "kind=deadlock", check=False, timeout=70)
    assert result.returncode == 1, result
    return "stuck"


def on_core(*commands):
    return outputs("dumps", "debug", deadlock(), commands=commands)


@test
def every_image_has_the_helpers_and_loads_none_of_it():
    images = sorted((BUILD / "kernel").glob("*.elf"))
    assert images
    for path in images:
        sections = run("readelf", "-SW", path).stdout
        row = re.search(r"\.debug_gdb_scripts\s+PROGBITS\s+0+ (\w+) (\w+) 01 +(\S+)", sections)
        assert row, f"{path}: {sections}"
        assert "A" not in row.group(3), f"{path} loads it: {row.group()}"
        offset, length = int(row.group(1), 16), int(row.group(2), 16)
        data = path.read_bytes()[offset : offset + length]
        assert data.startswith(b"\4uniscope\n"), data[:20]
        # A NUL within would be the start of an entry that gdb calls invalid.
        assert data.index(b"\0") == len(data) - 1, path


def help_of(path):
    """What gdb with no more than this image says of a command of the image's."""
    trust = f"add-auto-load-safe-path {path}"
    return run("gdb", "-nx", "-batch", "-iex", trust, path, "-ex", "help uni threads").stdout


@test
def helpers_load_where_gdb_has_another_python():
    whole = image("hello").read_bytes()
    named = re.findall(rb"(?<=\nCODE_TAG = ')[^']+", whole)
    assert len(named) == 1 and whole.count(b"\nCODES = ") == 1, named
    with tempfile.TemporaryDirectory() as folder:
        other = pathlib.Path(folder) / "other.elf"
        tag = b"\nCODE_TAG = '"
        changed = whole.replace(tag + named[0], tag + b"x" * len(named[0]))
        # What it cannot read is not there.
        other.write_bytes(changed.replace(b"\nCODES = ", b"\nMODES = "))
        assert "uni threads" in help_of(other)
        assert help_of(other) == help_of(image("hello"))


@test
def the_first_line_says_what_was_stopped():
    with shop(name="web-1") as guest:
        found = outputs("gdb", "web-1", commands=["info threads"])
        first = found[""].splitlines()[0]
        count = len(re.findall(r"^[* ] +\d+ ", found["info threads"], re.M))
        wanted = (
            rf"Stopped web-1 \(2 vCPUs, {count} threads\) in [\d.]+ (us|ms); it goes on when you "
            r"leave \(`detach`\) or type `c`\."
        )
        assert re.fullmatch(wanted, first), found[""]
        assert "declined" not in found["all"] and "debuginfod" not in found["all"], found["all"]
        assert orders(guest)


def orders(guest):
    """The guest goes on: its metric rises."""

    def now():
        metrics = uniscope("stat", guest.name, "--json", timeout=20).stdout
        return int(re.search(r'"app\.orders"[^}]*?"value":\s*(\d+)', metrics, re.S).group(1))

    first = now()
    return wait_for("more orders", lambda: now() > first, timeout=20)


@test
def threads_are_told_live():
    with shop() as guest:
        time.sleep(0.5)
        found = outputs("gdb", guest.name, commands=["info threads", "uni threads", "uni threads worker-2"])
        theirs = dict(re.findall(r'Thread 1\.(\d+) "([^"]+)"', found["info threads"]))
        ours = {row[0]: row for row in rows(found["uni threads"])}
        assert {i: row[1] for i, row in ours.items()} == theirs, found["all"]
        by_name = {row[1]: row for row in ours.values()}
        assert by_name["main"][2] == "blocked" and by_name["main"][5].startswith("app_main() main.c:"), ours
        assert re.match(r"sleep, [\d.]+ (ms|s)", by_name["main"][6]), ours
        assert by_name["door"][6].startswith("io org.uniscope.app.0, "), ours
        for row in ours.values():
            assert row[2] in ("running", "ready", "blocked"), row
            used, total = re.fullmatch(r"([\d.]+)/(\d+) KiB", row[4]).groups()
            assert 0 < float(used) <= int(total), row
            assert not re.search(r"switch\.S|sched\.c|wait\.c|mutex\.c|cond\.c", row[5]), row
        assert [row[1] for row in rows(found["uni threads worker-2"])] == ["worker-2"], found["all"]


@test
def a_thread_is_where_an_interrupt_found_it():
    with shop() as guest:
        commands = ["break timer_interrupt", "continue", "uni threads", "delete"]
        found = outputs("gdb", guest.name, commands=commands)
        name = re.search(r'Thread \d+ "([^"]+)" hit', found["continue"]).group(1)
        by_name = {row[1]: row for row in rows(found["uni threads"])}
        place = by_name[name][5]
        assert not re.match(r"(timer_interrupt|irq_dispatch|trap_handle)\(", place), found["all"]


@test
def threads_are_told_on_a_core():
    found = on_core("uni threads")
    by_name = {row[1]: row for row in rows(found["uni threads"])}
    assert by_name["main"][5] == f"crash_deadlock() crash.c:{line_of(CRASH, 'CRASH: deadlock')}", by_name
    assert by_name["worker-1"][6].startswith("mutex gate, held by main, "), by_name
    assert by_name["rival"][6].startswith("mutex right, held by main, "), by_name
    assert by_name["worker-2"][6].startswith("cond news, "), by_name
    assert by_name["worker-3"][6].startswith("semaphore work, "), by_name
    assert by_name["worker-5"][6].startswith("join worker-4, "), by_name
    assert by_name["worker-6"][2] == "running", by_name


def first_ready(row):
    """The threads in the column READY: four at most, then "and 1 more"."""
    return re.sub(r" and \d+ more$", "", row[3]).split(", ") if row[3] != "-" else []


@test
def cpus_are_told():
    with shop() as guest:
        names = [f"print cpus[{i}].thread->name" for i in range(2)]
        switches = [f"print cpus[{i}].switches" for i in range(2)]
        more = ["uni threads", *[f"print/r 'kernel/run_queue.c'::run_queues[{i}].ready_mask" for i in range(2)]]
        hit = ["break order_commit", "continue"]
        found = outputs("gdb", guest.name, commands=[*hit, "uni cpus", *names, *switches, *more, "delete"])
        table = rows(found["uni cpus"])
        assert [row[0] for row in table] == ["0", "1"], found["all"]
        for i, row in enumerate(table):
            assert f'"{row[1]}"' in found[names[i]], found["all"]
            assert int(row[4]) == value(found[switches[i]]), found["all"]
            assert re.search(r"\(\) \S+:\d+$", row[8]), row
        ready = {r[1] for r in rows(found["uni threads"]) if r[2] == "ready" and not r[1].startswith("idle")}
        queued = {name for row in table for name in first_ready(row)}
        assert queued <= ready and (queued == ready or len(queued) >= 4), found["all"]
    # One CPU, and a moment at which somebody waits for it.
    with Guest("shop", "--cpus", "1", arguments=["load=3000"]) as guest:
        mask = "'kernel/run_queue.c'::run_queues[0].ready_mask"
        hit = [f"break order_commit if {mask} != 0", "continue"]
        queue = "print 'kernel/run_queue.c'::run_queues[0]"
        found = outputs("gdb", guest.name, commands=[*hit, "uni cpus", "uni threads", queue, "delete"])
        ready = [r[1] for r in rows(found["uni threads"]) if r[2] == "ready" and r[1] != "idle/0"]
        queued = re.search(r"= (\d+) ready: (.*?) = \{", found[queue])
        order = queued.group(2).split(", ")
        assert ready and sorted(ready) == sorted(order) and len(ready) == int(queued.group(1)), found["all"]
        assert first_ready(rows(found["uni cpus"])[0]) == order[:4], found["all"]
    core = rows(on_core("uni cpus")["uni cpus"])
    assert sorted(row[1] for row in core) == ["main", "worker-6"], core
    assert any(row[2] == "stopped by a panic" for row in core), core


DEADLOCK = "Deadlock: main waits for left, held by rival; rival waits for right, held by main."


def check_deadlock(text):
    gate = re.search(r"^gate +mutex +held by main at (\S+) for [\d.]+ \w+ +1 waits: worker-1$", text, re.M)
    assert gate, text
    assert gate.group(1) == f"crash.c:{line_of(CRASH, 'CRASH: deadlock')}", text
    assert re.search(r"^right +mutex +held by main .* 1 waits: rival$", text, re.M), text
    assert re.search(r"^mutex graph +spinlock +held by CPU \d", text, re.M), text
    lines = [line for line in text.splitlines() if line.startswith("Deadlock")]
    turned = "Deadlock: rival waits for right, held by main; main waits for left, held by rival."
    assert lines in ([DEADLOCK], [turned]), text


@test
def locks_and_their_circle_are_told():
    check_deadlock(on_core("uni locks")["uni locks"])
    with Guest("crash", "--cpus", "2", arguments=["kind=deadlock", "gdbwait"]) as guest:
        found = outputs("gdb", guest.name, commands=["continue", "uni locks"])
        assert "SIGABRT" in found["continue"], found["all"]
        check_deadlock(found["uni locks"])


@test
def a_held_lock_has_its_holder_and_place():
    line = line_of(LEDGER, "total.orders++")
    with shop() as guest:
        commands = [f"break {LEDGER}:{line}", "continue", "uni locks", "print orders_lock", "uni locks all"]
        found = outputs("gdb", guest.name, commands=[*commands, "delete"])
        worker = re.search(r'Thread \d+ "(worker-\d)" hit', found["continue"]).group(1)
        line = re.search(r"ledger\.c:(\d+)$", found["continue"], re.M).group(1)
        wanted = rf"^orders +mutex +held by {worker} at ledger\.c:{line} for [\d.]+ [mun]?s"
        assert re.search(wanted, found["uni locks"], re.M), found["all"]
        assert f'"orders", held by {worker} for ' in found["print orders_lock"], found["all"]
        assert re.search(r"^heap +spinlock +free$", found["uni locks all"], re.M), found["all"]
        assert re.search(r"^intake +mutex +free, \d+ waits so far$", found["uni locks all"], re.M), found["all"]


@test
def the_heap_is_told_by_call_site():
    count = "print 'kernel/heap.c'::stats.live_count"
    with shop("leak=1000000") as guest:
        time.sleep(1.5)
        found = outputs("gdb", guest.name, commands=["uni heap all", "uni heap 1", count])
        text = found["uni heap all"]
        table = rows("\n".join(text.splitlines()[1:]))
        assert sum(int(row[1]) for row in table) == value(found[count]), found["all"]
        # The leak is what holds most.
        assert re.fullmatch(r"shop_parse\(\) order\.c:\d+", table[0][4]), text
        assert table[0][2].endswith(" %"), text
        assert len(rows("\n".join(found["uni heap 1"].splitlines()[1:]))) == 2, found["uni heap 1"]
        assert "more: `uni heap all`" in found["uni heap 1"]
    core = on_core("uni heap", count)
    assert re.search(r"create\(\) thread\.c:\d+$", core["uni heap"], re.M), core["all"]


@test
def the_log_is_told():
    with shop() as guest:
        found = outputs("gdb", guest.name, commands=["uni log", "uni log 1"])
        wanted = r"^\[ +\d+\.\d{6}\] shop: open, 4 workers   \(main, CPU \d\)$"
        assert re.search(wanted, found["uni log"], re.M), found["all"]
        assert len(re.findall(r"^\[ +\d", found["uni log 1"], re.M)) == 1, found["all"]
        assert "older: `uni log all`" in found["uni log 1"], found["all"]
    assert "crashing: deadlock" in on_core("uni log")["uni log"]


EVENT = re.compile(r"^\[ *(\d+\.\d{9})\] CPU (\d)  (\S+)  (.*)$", re.M)


def check_switches(text):
    """On each CPU the thread that goes is the one that came."""
    events = EVENT.findall(text)
    assert len(events) > 50, text
    assert {cpu for _, cpu, _, _ in events} == {"0", "1"}, text
    times = [float(event[0]) for event in events]
    assert times == sorted(times), text
    current = {}
    for _, cpu, name, fields in events:
        assert name == "sched:switch", text
        old, new = re.match(r"prev=(\d+)\b.* next=(\d+)\b", fields).groups()
        assert current.get(cpu, old) == old, f"CPU {cpu}: {old} left, {current[cpu]} was there\n{text}"
        current[cpu] = new


@test
def the_trace_is_decoded():
    switches = "uni trace 300 sched:switch"
    with shop() as guest, tempfile.TemporaryDirectory() as folder:
        found = outputs("gdb", guest.name, commands=["uni trace"])
        assert "The rings hold no such events" in found["uni trace"], found["all"]
        recorder = subprocess.Popen(
            [UNISCOPE, "record", guest.name, "-e", "sched:*", "--duration", "20", "-o", f"{folder}/r"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )
        try:
            time.sleep(1.5)
            commands = [switches, "uni trace 5", "uni trace 3 heap:*", "uni trace nothing:*"]
            found = outputs("gdb", guest.name, commands=commands)
        finally:
            recorder.kill()
            recorder.wait()
        check_switches(found[switches])
        wanted = r"prev=\d+ \(worker-\d\) .* prev_state=blocked"
        assert re.search(wanted, found[switches]), found["all"]
        assert "(a session runs; " in found["uni trace 5"], found["all"]
        assert len(EVENT.findall(found["uni trace 5"])) == 5, found["all"]
        assert not EVENT.findall(found["uni trace 3 heap:*"]), found["all"]
        assert "no tracepoint is called nothing:*" in found["all"], found["all"]


@test
def the_trace_is_decoded_on_a_core():
    dies = Guest("crash", "--cpus", "2", arguments=["kind=assert", "after=3000"])
    with dies as guest, tempfile.TemporaryDirectory() as folder:
        run(UNISCOPE, "record", guest.name, "-e", "sched:*", "--duration", "20", "-o", f"{folder}/r",
            check=False, timeout=40)
        wait_for("the dump", lambda: guest.name in uniscope("dumps").stdout)
        found = outputs("dumps", "debug", guest.name, commands=["uni trace 20"])
        events = EVENT.findall(found["uni trace 20"])
        assert len(events) == 20 and {e[2].split(":")[0] for e in events} == {"sched"}, found["all"]


@test
def metrics_are_told():
    requests, switches = "print 'measures.c'::requests", "print cpus[0].switches + cpus[1].switches"
    with shop() as guest:
        time.sleep(0.5)
        found = outputs("gdb", guest.name, commands=["uni metrics", "uni metrics app.", requests, switches])
        table = {row[0]: row[1] for row in rows(found["uni metrics"])}
        assert int(table["app.requests"]) == value(found[requests]) > 0, found["all"]
        assert int(table["sched.switches"]) == value(found[switches]) > 0, found["all"]
        assert int(table["sched.threads"]) == 15, table
        assert table["heap.used"].endswith(("KiB", "MiB")), table
        assert all(row[0].startswith("app.") for row in rows(found["uni metrics app."])), found["all"]
    core = {row[0]: row[1] for row in rows(on_core("uni metrics")["uni metrics"])}
    assert core["sched.threads"] == "13" and core["uptime"].endswith((" ms", " s")), core


@test
def interrupts_are_told():
    with shop() as guest:
        counts = [f"print cpus[{i}].irq_count" for i in range(2)]
        found = outputs("gdb", guest.name, commands=["uni irqs", *counts])
        text = found["uni irqs"]
        assert re.search(r"^0x[0-9a-f]+ +GSI \d+, level, active high +virtio_interrupt\(\w+\)", text, re.M), text
        for i, command in enumerate(counts):
            assert re.search(rf"^ +{i} +{value(found[command])} +", text, re.M), found["all"]
    assert "virtio_interrupt(" in on_core("uni irqs")["uni irqs"]


@test
def page_tables_are_walked():
    guard = "uni pagetable cpus[0].idle->stack_low - 8"
    cases = {
        "uni pagetable order_commit": ("Access: read, execute.", "code: order_commit at ledger.c:"),
        "uni pagetable $rsp": ("Access: read, write.", "in the stack of thread "),
        "uni pagetable 0x18": ("Access: not mapped.", "page 0, which null pointers lead to"),
        "uni pagetable &orders_lock": ("Access: read, write.", "data of the image: orders_lock"),
        "uni pagetable app_name": ("Access: read.", "a constant of the image: app_name"),
        "uni pagetable 0xfee00000": ("read, write, uncached.", "not RAM: a device"),
        "uni pagetable 0x5eed00000000": ("Access: not mapped.", "not RAM"),
        "uni pagetable trace_rings[1].data": ("Access: read, write.", "in the trace ring of CPU 1"),
        "uni pagetable 'trace.c'::trace_rings[0].slots - 1": ("Access: read, write.", "RAM of the page allocator"),
        guard: ("Access: not mapped.", "in the guard page under the stack of thread 1 (idle/0)"),
    }
    with shop() as guest:
        found = outputs("gdb", guest.name, commands=list(cases))
        for command, words in cases.items():
            for word in words:
                assert word in found[command], f"{command}: {word}\n{found[command]}"
    core = on_core("uni pagetable crash_deadlock")["uni pagetable crash_deadlock"]
    assert "Access: read, execute." in core and "code: crash_deadlock at crash.c:" in core, core


@test
def memory_goes_to_a_file():
    """Beside the supervisor, over the connection, and from a core: the same bytes, none of them a
    breakpoint's."""
    with shop() as guest, tempfile.TemporaryDirectory() as folder:
        ways = {
            f"uni memory &kernel_text_start 65536 {folder}/held": "held",
            f"dump binary memory {folder}/read &kernel_text_start ((char*)&kernel_text_start)+65536": "read",
            f"uni memory 0xfee00000 16 {folder}/device": "device",
            f"uni memory 0x5eed00000000 8192 {folder}/hole": "hole",
            f"uni memory 0x100000 0x3000000 {folder}/large": "large",
        }
        found = outputs("gdb", guest.name, commands=["break order_commit", "stepi", *ways, "delete"])
        held, read = (pathlib.Path(folder, n).read_bytes() for n in ("held", "read"))
        assert len(held) == 65536 and held == read, found["all"]
        assert pathlib.Path(folder, "large").stat().st_size == 0x3000000
        commands = list(ways)
        assert "through the RAM that the supervisor holds" in found[commands[0]], found["all"]
        assert "by gdb's own reads" in found[commands[2]], found["all"]
        assert "8.0 KiB cannot be read and are zeroes there." in found[commands[3]], found["all"]
        assert pathlib.Path(folder, "hole").read_bytes() == bytes(8192)
    with tempfile.TemporaryDirectory() as folder:
        found = on_core(f"uni memory &kernel_image_start 4096 {folder}/core")
        assert "by gdb's own reads" in found["all"], found["all"]
        data = pathlib.Path(folder, "core").read_bytes()
        assert data == image("crash").read_bytes()[:4096], "the image starts with its ELF header"


@test
def structures_are_printed_in_words():
    commands = {
        "print 'thread_list.c'::all": r"= 13 others = \{next",
        "print 'crash.c'::gate": r'"gate", held by main for [\d.]+ m?s, 1 waits: worker-1',
        "print 'crash.c'::news": r'"news", 1 waits: worker-2',
        "print 'crash.c'::news.queue": r"= 1 waits: worker-2",
        "print *cpus[0].idle": r'= 1 "idle/0", ready',
        "print 'run_queue.c'::run_queues[0]": r"= 0 ready = \{",
        "print 'mutex.c'::graph_lock": r'"mutex graph", held by CPU \d',
        "print/r 'mutex.c'::graph_lock": r"= \{name = ",
        "print *(struct mutex *)0x5eed00000000": "",
    }
    found = on_core(*commands)
    for command, pattern in commands.items():
        assert re.search(pattern, found[command]), f"{command}: {found[command]}"
    assert "Cannot access memory at address 0x5eed00000000" in found["all"], found["all"]


@test
def what_is_missing_is_said_in_one_line():
    """Without a guest, with wrong words, and over memory that makes no sense: never a traceback."""
    words = ["gdb", "-q", "-nx", "-batch", "-iex", f"set auto-load safe-path {BUILD / 'kernel'}", image("shop")]
    text = run(*words, "-ex", "uni threads", check=False).stderr
    assert text.splitlines() == [
        "uni threads: there is no guest; attach with `uniscope gdb NAME` or open a dump with "
        "`uniscope dumps debug ID`"
    ], text
    helps = run(*words, "-ex", "help uni").stdout
    for name in ("threads", "cpus", "locks", "heap", "log", "trace", "metrics", "irqs", "pagetable", "memory"):
        assert re.search(rf"^uni {name} -- \S.*\.?$", helps, re.M), helps
    with shop() as guest:
        wrong = ["uni threads nobody", "uni heap 0", "uni log x", "uni trace 1 2 3", "uni pagetable",
                 "uni pagetable nosuch", "uni memory 1 2", "uni locks everything", "uni cpus 1",
                 "uni pagetable 0x8000000000000000"]
        link = "'thread_list.c'::all.next->next"
        keep, mend = f"set var $kept = {link}", f"set var {link} = $kept"
        wild = f"set var {link} = (struct list *)16"
        # It leads on, past a thread that the one behind it still leads back to.
        short = f"set var {link} = $kept->next"
        over_it = [keep, wild, "uni threads", short, "uni locks", mend, "uni cpus"]
        found = outputs("gdb", guest.name, commands=[*wrong, *over_it])
        errors = [line for line in found["all"].splitlines() if line.startswith("uni ")]
        assert len(errors) == len(wrong) + 2, found["all"]
        assert re.search(r"^uni locks: the list at 0x\w+ is broken at 0x\w+$", found["all"], re.M), found["all"]
        assert found["uni cpus"].startswith("CPU "), found["all"]
        assert orders(guest)


@test
def a_structure_that_changed_is_noticed():
    """The helpers of one kernel on the debug information of another say which member is gone."""
    script = (
        "python import uniscope_gdb.guest as g; "
        "g.offset_of(g.struct('thread'), 'no_such_member')"
    )
    found = run("gdb", "-q", "-nx", "-batch", "-iex", f"set auto-load safe-path {BUILD / 'kernel'}",
                image("shop"), "-ex", script, check=False)
    assert "struct thread has no member no_such_member" in found.stderr, found.stderr


@test
def events_are_decoded_beyond_the_bits_of_their_time():
    """A packet that crosses the TSC's 2^52: the reader knows how often it went round."""
    check_times((5 << 52) - 16, [1, 20], "[1, 20]")


@test
def an_event_that_is_not_written_yet_is_none():
    """What is there instead goes back in time: zeros, or an earlier turn's."""
    check_times((5 << 52) + 100, [1, 20, -100], "[1, 20]")
    check_times((5 << 52) + 100, [1, 20, 19, 21], "[1, 20]")


def check_times(before, written, read):
    script = (
        "python import struct, uniscope_gdb.ring as r; "
        "data = b''.join(struct.pack('<QI4x', (t % (1 << 52)) << 12, t & 15) "
        f"for t in ({before} + at for at in {written})); "
        f"print([e[0] - {before} for e in r.decode(data, {before}, 0, [('a:b', [['u32', 'x']])])])"
    )
    found = run("gdb", "-q", "-nx", "-batch", "-iex", f"set auto-load safe-path {BUILD / 'kernel'}",
                image("shop"), "-ex", script)
    assert found.stdout.strip() == read, (found.stdout, found.stderr)


def read_pty(master, until, timeout=30):
    text, end = "", time.monotonic() + timeout
    while until not in text:
        assert time.monotonic() < end, f"no {until!r} in {timeout} s: {text}"
        if select.select([master], [], [], 0.2)[0]:
            text += os.read(master, 65536).decode(errors="replace")
    return text


@contextlib.contextmanager
def interactive(name, *options):
    """gdb on a terminal, up to its first prompt."""
    master, slave = pty.openpty()
    words = [UNISCOPE, "gdb", *options, name, "--", "-nx"]
    process = subprocess.Popen(words, stdin=slave, stdout=slave, stderr=slave, start_new_session=True)
    os.close(slave)
    try:
        read_pty(master, "(gdb) ")
        yield process, master
    finally:
        process.kill()
        process.wait()
        os.close(master)


@test
def leaving_asks_nothing_and_the_guest_goes_on():
    with shop() as guest:
        for last_words in (b"quit\n", b"\x04"):
            with interactive(guest.name) as (process, master):
                os.write(master, last_words)
                wait_for("gdb to end", lambda: process.poll() is not None, timeout=10)
            assert orders(guest)
        with interactive(guest.name) as (process, master):
            os.write(master, b"kill\n")
            assert "Power the guest off? (y or n)" in read_pty(master, "(y or n)")
            os.write(master, b"n\n")
            read_pty(master, "(gdb) ")
        assert orders(guest)


@test
def qemus_own_stub_serves_a_guest_too():
    with shop() as guest:
        time.sleep(0.5)
        for _ in range(2):
            commands = ["info threads", "uni threads", "break order_commit", "continue", "uni cpus"]
            commands += ["uni memory &orders_lock 64 /dev/null"]
            found = outputs("gdb", "--via", "qemu", guest.name, commands=[*commands, "delete"])
            assert "CPU#0" in found["info threads"] and "CPU#1" in found["info threads"], found["all"]
            by_name = {row[1]: row for row in rows(found["uni threads"])}
            assert len(by_name) == 15 and by_name["main"][5].startswith("app_main() main.c:"), found["all"]
            assert "hit Breakpoint 1, order_commit" in found["continue"], found["all"]
            assert "order_commit() ledger.c:" in found["uni cpus"], found["all"]
            assert "by gdb's own reads" in found[commands[-1]], found["all"]
            assert orders(guest)


main()
