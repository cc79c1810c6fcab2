# SPDX-License-Identifier: MIT
"""unitop and uniscope stat on a guest that runs: what they show is what the guest is."""

import json
import re
import time

from harness import BUILD, UNITOP, Guest, main, run, test, wait_for

SHOW_SCREEN = BUILD / "tests" / "tui" / "show_screen"
THREADS = ("dispatcher", "worker-1", "worker-2", "idle/0", "idle/1", "probe")


def stat(guest, *options):
    """The last look of `uniscope stat --json`."""
    text = guest.uniscope("stat", "--json", *options, guest.name).stdout
    return json.loads(text.splitlines()[-1])


def busy_shop():
    return Guest("shop", "--cpus", "2")


@test
def stat_agrees_with_itself():
    with busy_shop() as guest:
        time.sleep(1)
        look = stat(guest)
        assert look["schema"] == 1 and look["guest"] == guest.name, look
        assert look["state"] == "running" and look["hello"]["cpu_count"] == 2, look
        assert len(look["cpus"]) == 2, look["cpus"]
        for cpu in look["cpus"]:
            total = cpu["busy"] + cpu["irq"] + cpu["idle"]
            assert abs(total - 1) < 0.1, cpu
        names = {thread["name"] for thread in look["threads"]}
        assert set(THREADS) <= names, names
        ran = sum(thread["run"] for thread in look["threads"])
        assert 1.8 < ran < 2.2, f"threads ran {ran} of 2 CPUs, idle ones included"
        metrics = {metric["name"]: metric for metric in look["metrics"]}
        assert metrics["app.requests"]["per_s"] > 0, metrics["app.requests"]
        assert 0 < metrics["heap.used"]["value"] < 64 << 20, metrics["heap.used"]


@test
def stat_repeats_as_lines_of_json():
    with busy_shop() as guest:
        text = guest.uniscope(
            "stat", "--json", "--count", "3", "--interval", "0.2", guest.name
        ).stdout
        looks = [json.loads(line) for line in text.splitlines()]
        assert len(looks) == 3, text
        uptimes = [look["uptime_ns"] for look in looks]
        assert uptimes == sorted(set(uptimes)), uptimes


@test
def stat_of_no_guest_says_so():
    result = run(BUILD / "host-tools" / "uniscope", "stat", "nobody", check=False)
    assert result.returncode == 3 and "nobody" in result.stderr, result


@test
def unitop_shows_a_guest_as_text():
    with busy_shop() as guest:
        time.sleep(1)
        listing = run(UNITOP, "-b", "-n", "1").stdout
        row = next(line for line in listing.splitlines() if guest.name in line)
        assert "running" in row, listing
        assert re.search(r" \d+\.\d ", row), f"no CPU share: {row}"
        screen = run(UNITOP, "-b", "-n", "1", guest.name).stdout
        for name in THREADS:
            assert f" {name} " in screen, f"{name} is not on\n{screen}"
        assert "vCPU1" in screen and "heap" in screen, screen
        assert re.search(r"worker-\d +blocked .* (cond|mutex|semaphore) ", screen), screen


@test
def unitop_draws_a_guest_on_a_terminal():
    with busy_shop() as guest:
        shown = run(SHOW_SCREEN, "100", "40", guest.name, "\r", UNITOP).stdout
        for name in THREADS:
            assert f" {name} " in shown, f"{name} is not on\n{shown}"
        assert "req/s" in shown and "LOG" in shown, shown


@test
def a_guest_held_by_gdb_is_shown_as_such():
    with busy_shop() as guest:
        shown = run(
            BUILD / "host-tools" / "uniscope", "gdb", guest.name, "--", "-batch",
            "-ex", f"shell sleep 4; COLUMNS=200 {UNITOP} -b -n 1", timeout=90,
        ).stdout
        row = next(line for line in shown.splitlines() if "debugged" in line)
        assert guest.name in row and "stopped by gdb" in row, shown


@test
def a_death_is_seen_with_its_reason():
    with Guest("crash", arguments=["kind=assert", "delay=2"]) as guest:
        shown = run(SHOW_SCREEN, "200", "30", "crashed", "", UNITOP).stdout
        row = next(line for line in shown.splitlines() if guest.name in line)
        assert "assert" in row.lower(), shown


main()
