# SPDX-License-Identifier: MIT
"""`uniscope dumps` on guests that really crashed, and on what is left of their dumps."""

import functools
import json
import os
import pathlib
import shutil
import signal

from harness import Guest, image, main, run, test, uniscope, UNISCOPE, wait_for


def crash(name, application, *arguments, elf=None, options=()):
    """Runs a guest until it is dead; its dump is in the store then."""
    result = run("timeout", "30", UNISCOPE, "run", "--name", name, "--cpus", "2", *options,
                 elf or image(application), "--", *arguments, check=False, timeout=60)
    assert result.returncode == 1, f"exit {result.returncode}: {result.stderr}"
    return result


def store():
    return pathlib.Path(os.environ["XDG_STATE_HOME"]) / "uniscope"


def info(name):
    return json.loads(uniscope("dumps", "info", name, "--json").stdout)


def folder(name):
    return pathlib.Path(info(name)["core"]).parent


@functools.lru_cache(maxsize=None)
def edge():
    """The shop with the bug, crashed once for all tests that look at it."""
    crash("edge", "shop", "bug=1", "load=1000")
    return "edge"


@functools.lru_cache(maxsize=None)
def crash_of(kind):
    """The same for one of the kinds of crash."""
    crash(f"c-{kind}", "crash", f"kind={kind}")
    return f"c-{kind}"


def copy_of(name):
    """A second dump with the same contents, to be spoilt; its id."""
    source = folder(name)
    number = max(int(entry.name) for entry in source.parent.iterdir()) + 1
    shutil.copytree(source, source.parent / str(number))
    return source.parent / str(number)


@test
def without_dumps_it_says_so():
    assert "No dumps" in uniscope("dumps").stdout
    assert json.loads(uniscope("dumps", "list", "--json").stdout) == []
    assert not store().exists()


@test
def what_does_not_exist_is_one_line_and_an_exit_status():
    for words, status in (
        (("info", "nobody"), 1),
        (("info", "7"), 1),
        (("debug", "nobody"), 1),
        (("info",), 2),
        (("debug",), 2),
        (("list", "edge"), 2),
        (("shred",), 2),
    ):
        result = uniscope("dumps", *words, check=False)
        assert result.returncode == status, (words, result)
        assert result.stderr.count("\n") == 1 and not result.stdout, (words, result)


@test
def a_null_pointer_is_explained():
    text = uniscope("dumps", "info", edge()).stdout
    lines = text.splitlines()
    assert lines[0].startswith("edge died ")
    assert lines[0].endswith(
        "order_price() read price->cents at address 0x18: price is a null pointer."
    ), lines[0]
    assert "order.c:" in lines[1] and "cents = price->cents" in lines[1]
    assert lines[2].startswith("Thread worker-") and "(crashed, vCPU" in lines[2]
    assert [line.split()[1] for line in lines[3:7]] == ["order_price", "shop_handle", "worker", "thread_main"]
    assert "no function is known" not in text
    assert "  idle/0, idle/1: idle" in lines
    assert "shop: open, 4 workers" in text
    assert ", complete" in text
    assert lines[-1].startswith("Next: uniscope dumps debug ")


@test
def the_list_has_it_with_its_cause():
    name = edge()
    row = json.loads(uniscope("dumps", "--json").stdout)[0]
    line = uniscope("dumps").stdout.splitlines()[1]
    assert row["guest"] == name and row["complete"] and row["seen"] == 1
    assert row["signature"] == "fault order_price shop_handle worker"
    assert row["cause"] in line and "null pointer + 24 in order_price() order.c:" in line


@test
def every_thread_is_there_to_its_start():
    report = info(edge())
    names = [thread["name"] for thread in report["threads"]]
    for name in ("dispatcher", "prices", "auditor", "customer", "door", "main", "idle/0", "idle/1",
                 "worker-1", "worker-2", "worker-3", "worker-4"):
        assert names.count(name) == 1, (name, names)
    assert [thread["crashed"] for thread in report["threads"]].count(True) == 1
    for thread in report["threads"]:
        functions = [frame["function"] for frame in thread["frames"]]
        assert None not in functions, thread
        if not thread["name"].startswith("idle/"):
            assert functions[-1] == "thread_start", thread
    waiting = next(t for t in report["threads"] if t["name"] == "dispatcher")
    assert "queue_pop" in [frame["function"] for frame in waiting["frames"]]


@test
def equal_crashes_have_one_signature():
    first = edge()
    crash("edge-2", "shop", "bug=1", "load=1000", "workers=2")
    rows = {row["guest"]: row for row in json.loads(uniscope("dumps", "--json").stdout)}
    assert rows[first]["signature"] == rows["edge-2"]["signature"]
    assert rows["edge-2"]["seen"] == rows[first]["seen"] == 2
    assert f"Same signature as {rows[first]['id']}. " in uniscope("dumps", "info", "edge-2").stdout


@test
def gdb_opens_it():
    output = uniscope("dumps", "debug", edge(), "--", "-batch", "-ex", "bt", "-ex", "info threads").stdout
    assert "order_price (order=" in output and "thread_start" in output, output
    assert "??" not in output, output


@test
def causes_are_told_in_words():
    for kind, cause, blamed in (
        ("null-write", "null pointer in crash_null_write() crash.c:", "crash_null_write"),
        ("wild-jump", "jump to nowhere (0x5eed00000000) in crash_wild_jump() crash.c:", "crash_wild_jump"),
        ("stack-overflow", "stack overflow in recurse() crash.c:", "recurse"),
        ("double-fault", "double fault in crash_double_fault() crash.c:", "crash_double_fault"),
        ("assert", "assertion failed: balance >= 0, at crash.c:", "crash_assert"),
        ("oom", "out of memory: crash_oom() holds ", "crash_oom"),
        ("deadlock", "deadlock: ", "crash_deadlock"),
        ("panic-irq", "null pointer in crash_in_interrupt() crash.c:", "crash_in_interrupt"),
    ):
        report = info(crash_of(kind))
        assert cause in report["cause"], (kind, report["cause"])
        assert blamed in report["signature"].split()[1], (kind, report["signature"])
        text = uniscope("dumps", "info", f"c-{kind}").stdout
        assert f"/* CRASH: {kind} */" in text.splitlines()[1], (kind, text)


@test
def a_guest_whose_qemu_was_killed_is_explained():
    with Guest("shop", name="killed") as guest:
        os.kill(json.loads((guest.runtime / "guest.json").read_text())["qemu_pid"], signal.SIGKILL)
        wait_for("the dump", lambda: "killed" in uniscope("dumps").stdout)
    text = uniscope("dumps", "info", "killed").stdout
    assert "QEMU was killed by signal 9" in text.splitlines()[0], text
    assert "No backtraces: the registers of its vCPUs were lost" in text, text
    assert "written by the host, complete" in text, text
    assert info("killed")["kind"] == "silent"


@test
def a_deep_recursion_takes_few_lines():
    text = uniscope("dumps", "info", crash_of("stack-overflow")).stdout
    assert "more of it" in text and len(text.splitlines()) < 50, text


@test
def an_image_that_is_gone_still_has_its_symbols():
    elf = pathlib.Path(os.environ["HOME"]) / "short-lived.elf"
    shutil.copy(image("crash"), elf)
    crash("short-lived", "crash", "kind=null-write", elf=elf)
    shutil.copy(image("hello"), elf)
    assert "crash_null_write" in info("short-lived")["cause"]
    shutil.rmtree(store() / "images")
    report = info("short-lived")
    assert "was built anew since" in report["remark"]
    assert report["cause"] == "null pointer"
    assert [thread["name"] for thread in report["threads"]].count("main") == 1
    elf.unlink()
    assert "No such file" in info("short-lived")["remark"]


@test
def without_debug_information_there_are_symbols():
    elf = pathlib.Path(os.environ["HOME"]) / "stripped.elf"
    run("objcopy", "--strip-debug", image("crash"), elf)
    crash("stripped", "crash", "kind=null-write", elf=elf)
    text = uniscope("dumps", "info", "stripped").stdout
    assert "Note: no debug information: showing symbols only" in text, text
    assert "crash_null_write + " in text and "crash.c" not in text, text


@test
def what_is_left_of_a_dump_is_shown():
    for size in (0, 10, 300, 5000, 100_000):
        spoilt = copy_of(edge())
        os.truncate(spoilt / "core", size)
        text = uniscope("dumps", "info", spoilt.name).stdout
        assert "order_price() read " in text.splitlines()[0], (size, text)
        assert "#0  order_price at order.c:" in text, (size, text)
        assert "Note: " in text, (size, text)
        shutil.rmtree(spoilt)


@test
def a_dump_that_was_cut_off_says_so():
    spoilt = copy_of(edge())
    facts = json.loads((spoilt / "info.json").read_text())
    facts["complete"], facts["why"] = False, "3 of 7 bytes came"
    (spoilt / "info.json").write_text(json.dumps(facts))
    assert "INCOMPLETE: 3 of 7 bytes came" in uniscope("dumps", "info", spoilt.name).stdout
    assert uniscope("dumps").stdout.splitlines()[1].endswith("incomplete")
    (spoilt / "info.json").write_text("{")
    result = uniscope("dumps")
    assert "1 folders of the store" in result.stderr or "hold no readable" in result.stderr
    assert f"{edge()}" in result.stdout
    shutil.rmtree(spoilt)


@test
def a_hostile_dump_is_harmless():
    spoilt = copy_of(edge())
    whole = (spoilt / "core").read_bytes()[:40000]
    for seed in range(40):
        broken = bytearray(whole)
        for i in range(200):
            broken[(seed * 7919 + i * 104729) % len(broken)] = (seed * 31 + i * 17) % 256
        (spoilt / "core").write_bytes(broken)
        result = uniscope("dumps", "info", spoilt.name, check=False)
        assert result.returncode == 0 and "order_price()" in result.stdout, (seed, result)
        assert "\x1b" not in result.stdout
    shutil.rmtree(spoilt)


main()
