# SPDX-License-Identifier: MIT
"""Recordings of a running guest: whole, counted exactly, and read by babeltrace2 as they are."""

import json
import os
import pathlib
import re
import signal
import subprocess
import time

from harness import UNISCOPE, Guest, main, run, test


def folder(name):
    return pathlib.Path(os.environ["HOME"]) / name


def info_of(recording):
    return json.loads((recording / "uniscope" / "info.json").read_text())


def check(recording, summary):
    """babeltrace2 prints each event that is not lost, in order, and complains of nothing."""
    info = info_of(recording)
    assert info["complete"]
    assert info["emitted"] == sum(cpu["emitted"] for cpu in info["cpus"])
    assert info["recorded"] + info["lost"] == info["emitted"]
    said = re.fullmatch(
        r"(\S+)  ([\d.]+) s  ([\d ]+) events  [\d.]+ MB  ([\d ]+) lost  → (.*)",
        summary.splitlines()[0],
    )
    assert said, summary
    assert int(said[3].replace(" ", "")) == info["emitted"] - info["lost"]
    assert int(said[4].replace(" ", "")) == info["lost"]
    result = run("babeltrace2", "--clock-seconds", recording)
    lines = result.stdout.splitlines()
    assert result.stderr == "" or info["lost"] > 0, result.stderr
    assert len(lines) == info["emitted"] - info["lost"], (len(lines), info)
    context = re.compile(r"\S+ \(\S+\) \w+:\w+: \{ cpu_id = \d+ \}, \{ ")
    assert all(context.match(line) for line in lines), "operators see the CPU, and nothing else of ours"
    times = [float(line[1 : line.index("]")]) for line in lines]
    assert times == sorted(times)
    assert abs(times[0] - time.time()) < 60, "times are those of the day"
    return info, lines


def record_for_a_second(cpus):
    with Guest("shop", "--cpus", str(cpus)) as guest:
        recording = folder(f"recording-{cpus}")
        time.sleep(1)
        said = guest.uniscope("record", guest.name, "-e", "*", "-d", "1", "-o", recording)
        info, lines = check(recording, said.stdout)
        assert len(info["cpus"]) == cpus
        assert all(cpu["recorded"] > 0 for cpu in info["cpus"]), info["cpus"]
        assert info["guest"] == guest.name
        for event in ("sched:switch", "irq:enter", "timer:fire", "heap:alloc", "app:request_end"):
            assert any(f" {event}: " in line for line in lines), event
        return info


@test
def records_two_cpus():
    record_for_a_second(2)


@test
def records_four_cpus():
    record_for_a_second(4)


@test
def a_second_recording_counts_from_zero():
    with Guest("shop", "--cpus", "2") as guest:
        for number in range(3):
            recording = folder(f"again-{number}")
            said = guest.uniscope("record", guest.name, "-e", "sched,irq", "-d", "0.3", "-o", recording)
            info, lines = check(recording, said.stdout)
            assert not any(" heap:" in line for line in lines)
            assert all(cpu["packets"] <= cpu["emitted"] for cpu in info["cpus"])


@test
def control_c_ends_a_recording_whole():
    with Guest("shop", "--cpus", "2") as guest:
        recording = folder("interrupted")
        process = subprocess.Popen(
            [UNISCOPE, "record", guest.name, "-e", "sched:*", "-o", recording],
            stdout=subprocess.PIPE,
            text=True,
        )
        time.sleep(1.5)
        process.send_signal(signal.SIGINT)
        summary = process.communicate(timeout=30)[0]
        assert process.returncode == 0
        check(recording, summary)


@test
def a_recording_stops_whole_at_its_size():
    with Guest("shop", "--cpus", "2", arguments=["load=100000"]) as guest:
        recording = folder("bounded")
        said = guest.uniscope(
            "record", guest.name, "-e", "*", "-d", "30", "--size-max", "2", "-o", recording
        )
        info, _ = check(recording, said.stdout)
        assert "--size-max is 2 MiB" in said.stdout
        assert info["duration_ns"] < 25e9
        size = sum(file.stat().st_size for file in recording.glob("stream_*"))
        assert 1 << 20 < size <= 2 << 20, size


@test
def a_recorder_that_is_killed_does_not_hold_the_guest():
    with Guest("shop", "--cpus", "2") as guest:
        process = subprocess.Popen(
            [UNISCOPE, "record", guest.name, "-e", "*", "-o", folder("killed")],
            stdout=subprocess.DEVNULL,
        )
        time.sleep(1)
        process.kill()
        process.wait()
        recording = folder("after")
        deadline = time.monotonic() + 15
        while True:
            said = guest.uniscope(
                "record", guest.name, "-e", "sched", "-d", "0.3", "-o", recording, check=False
            )
            if said.returncode == 0 or time.monotonic() > deadline:
                break
            time.sleep(0.2)
        assert said.returncode == 0, said.stderr
        check(recording, said.stdout)


@test
def what_finds_no_room_in_the_guest_is_counted_exactly():
    """The supervisor stands still, so the port fills, then the guest's rings (of a small guest)."""
    with Guest("shop", "--cpus", "2", "--memory", "16", arguments=["load=100000"]) as guest:
        for seconds in (6, 30):
            info = record_past_a_supervisor_that_stands_still(guest, seconds)
            assert info["lost"] == info["discarded"]
            if info["lost"] > 0:
                return
        raise AssertionError("the rings never filled: nothing was tested")


def record_past_a_supervisor_that_stands_still(guest, seconds):
    """What the recording says, which was checked."""
    supervisor = json.loads((guest.runtime / "guest.json").read_text())["supervisor_pid"]
    recording = folder(f"lossy-{seconds}")
    process = subprocess.Popen(
        [UNISCOPE, "record", guest.name, "-e", "*", "-d", str(seconds + 2), "-o", recording],
        stdout=subprocess.PIPE,
        text=True,
    )
    time.sleep(1)
    os.kill(supervisor, signal.SIGSTOP)
    time.sleep(seconds)
    os.kill(supervisor, signal.SIGCONT)
    summary = process.communicate(timeout=60)[0]
    assert process.returncode == 0
    return check(recording, summary)[0]


@test
def reports_what_was_recorded():
    with Guest("shop", "--cpus", "2") as guest:
        recording = folder("reported")
        guest.uniscope("record", guest.name, "-e", "*", "-d", "1", "-o", recording)
        info = info_of(recording)
        summary = guest.uniscope("report", recording).stdout
        assert "worker-1" in summary and "sched:switch" in summary
        assert f"{info['lost']} events lost" in summary
        events = guest.uniscope("report", recording, "events").stdout.splitlines()
        assert len([line for line in events if re.match(r" *\d+\.\d{9}  ", line)]) == info["recorded"]


@test
def errors_are_one_line_that_helps():
    with Guest("shop") as guest:
        wrong = guest.uniscope("record", guest.name, "-e", "shed:*", "-d", "1", check=False)
        assert wrong.returncode == 1 and "sched:switch" in wrong.stderr, wrong.stderr
        assert len(wrong.stderr.splitlines()) == 1
        taken = folder("taken")
        taken.mkdir()
        refused = guest.uniscope(
            "record", guest.name, "-e", "sched", "-d", "1", "-o", taken, check=False
        )
        assert refused.returncode == 1 and "taken" in refused.stderr
        assert list(taken.iterdir()) == []
        listed = guest.uniscope("record", guest.name, "--list").stdout
        assert "sched:switch" in listed
    gone = guest.uniscope("record", guest.name, "-e", "sched", "-d", "1", check=False)
    assert gone.returncode == 3
    nothing = guest.uniscope("report", folder("no-such"), check=False)
    assert nothing.returncode == 1 and len(nothing.stderr.splitlines()) == 1


main()
