# SPDX-License-Identifier: MIT
"""run, stop, list, console, gdb: what they do, and what they say when something is wrong.

After each test nothing may run any more (the harness looks) and the runtime folder must be empty.
"""

import contextlib
import json
import os
import pathlib
import shutil
import signal
import struct
import subprocess
import tempfile

from harness import UNISCOPE, Guest, image, main, run, skip, test, uniscope, wait_for


def runtime():
    return pathlib.Path(os.environ["XDG_RUNTIME_DIR"]) / "uniscope"


def fails(status, *words, env=None, timeout=60):
    """Runs a command that must fail with this status and one line on stderr; returns that line."""
    result = run(UNISCOPE, *words, check=False, timeout=timeout,
                 env={**os.environ, **(env or {})})
    text = f"{words}: exit {result.returncode}, stderr: {result.stderr}"
    assert result.returncode == status, text
    assert result.stderr.count("\n") == 1 and result.stderr.startswith("uniscope: "), text
    assert not result.stdout, f"{words}: stdout: {result.stdout}"
    left = list(runtime().iterdir()) if runtime().exists() else []
    assert not left, f"{words} left behind: {left}"
    return result.stderr.strip()


def listed():
    return {guest["name"]: guest for guest in json.loads(uniscope("list", "--json").stdout)}


@contextlib.contextmanager
def folder():
    path = pathlib.Path(tempfile.mkdtemp(prefix="uni-cli-"))
    try:
        yield path
    finally:
        shutil.rmtree(path)


@test
def runs_to_the_end_in_the_foreground():
    result = uniscope("run", image("hello"))
    assert "hello" in result.stdout, result.stdout
    assert not result.stderr, result.stderr
    assert not list(runtime().iterdir())


@test
def a_guest_that_crashes_is_an_exit_1_that_names_the_dump():
    result = run(UNISCOPE, "run", image("crash"), "--", "kind=null-write", check=False)
    assert result.returncode == 1, result
    assert "crashing: null-write" in result.stdout
    assert "uniscope: crash died: page fault" in result.stderr, result.stderr
    assert "uniscope dumps info" in result.stderr, result.stderr
    assert not list(runtime().iterdir())


@test
def detached_guests_are_listed_until_they_are_stopped():
    with Guest("shop", "--cpus", "2") as shop, Guest("shop", "--machine", "q35") as other:
        guests = listed()
        assert guests[shop.name]["state"] == "running", guests
        assert guests[shop.name]["cpus"] == 2
        assert guests[shop.name]["machine"] == "microvm"
        assert guests[other.name]["machine"] == "q35"
        assert len(guests[shop.name]["boot_id"]) == 32
        assert guests[shop.name]["boot_id"] != guests[other.name]["boot_id"]
        assert (shop.runtime.stat().st_mode & 0o777) == 0o700
        for name in ("probe", "gdb", "console", "app"):
            assert (shop.socket(name).stat().st_mode & 0o777) == 0o600
        table = uniscope("list").stdout
        assert shop.name in table and "q35" in table, table
        uniscope("stop", shop.name)
        assert list(listed()) == [other.name]
        assert not shop.runtime.exists()


@test
def console_shows_what_was_printed_before():
    with Guest("shop") as shop:
        assert "shop: open" in uniscope("console", shop.name).stdout


@test
def ctrl_c_stops_a_foreground_guest():
    with subprocess.Popen([UNISCOPE, "run", "--name", "front", image("shop")],
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True) as process:
        wait_for("the guest", lambda: listed().get("front", {}).get("state") == "running")
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=20)
    assert process.returncode == 0, errors
    assert not listed()


@test
def a_foreground_guest_ends_with_its_command():
    with subprocess.Popen([UNISCOPE, "run", "--name", "front", image("shop")],
                          stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as process:
        wait_for("the guest", lambda: "front" in listed())
        process.kill()
    wait_for("the end of the guest", lambda: not listed())


@test
def a_killed_supervisor_takes_its_guest_along_and_is_cleaned_up():
    with Guest("shop") as shop:
        guest = listed()[shop.name]
        os.kill(guest["supervisor_pid"], signal.SIGKILL)
        wait_for("QEMU to end", lambda: not pathlib.Path(f"/proc/{guest['qemu_pid']}").exists())
        assert shop.runtime.exists()
        assert not listed()
        assert not shop.runtime.exists(), "the stale folder was not removed"


@test
def the_name_of_a_killed_supervisor_can_be_taken():
    with Guest("shop") as shop:
        pid = listed()[shop.name]["supervisor_pid"]
        os.kill(pid, signal.SIGKILL)
        wait_for("the supervisor to end", lambda: not pathlib.Path(f"/proc/{pid}").exists())
        uniscope("run", "--detach", "--name", shop.name, image("shop"))
        assert listed()[shop.name]["state"] == "running"


@test
def a_killed_qemu_is_a_death_with_a_reason():
    with subprocess.Popen([UNISCOPE, "run", "--name", "front", image("shop")],
                          stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                          stderr=subprocess.PIPE, text=True) as process:
        wait_for("the guest", lambda: listed().get("front", {}).get("state") == "running")
        os.kill(listed()["front"]["qemu_pid"], signal.SIGKILL)
        _, errors = process.communicate(timeout=20)
    assert process.returncode == 1
    assert "front died: QEMU was killed by signal 9" in errors, errors
    assert not listed()


@test
def a_guest_that_spins_with_interrupts_off_is_found_hung():
    result = run(UNISCOPE, "run", "--hang-timeout", "2", image("crash"), "--",
                 "kind=spin-irqs-off", check=False)
    assert result.returncode == 1, result
    assert "silent" in result.stderr and "uniscope dumps info" in result.stderr, result.stderr


@test
def the_wrong_image_is_explained():
    with folder() as place:
        missing = place / "no.elf"
        line = fails(1, "run", missing)
        assert f"cannot open the image {missing}: No such file or directory" in line
        text = place / "text.elf"
        text.write_text("#!/bin/sh\n")
        assert "is not an ELF file; give the .elf" in fails(1, "run", text)
        cut = place / "cut.elf"
        cut.write_bytes(image("hello").read_bytes()[:100])
        fails(1, "run", cut)
        assert "no x86-64 guest image" in fails(1, "run", "/bin/true")
        assert "is not a file" in fails(1, "run", place)
        stripped_of_note = place / "plain.elf"
        run("objcopy", "--remove-section=.note*", image("hello"), stripped_of_note)
        assert "no PVH entry note" in fails(1, "run", stripped_of_note)


@test
def an_image_without_debug_information_runs_with_a_warning():
    with folder() as place:
        bare = place / "bare.elf"
        run("strip", "-o", bare, image("hello"))
        result = uniscope("run", bare)
        assert "hello" in result.stdout
        assert "no debug information" in result.stderr and result.stderr.count("\n") == 1


@test
def too_little_memory_is_explained():
    line = fails(1, "run", "--name", "shop", "--memory", "1", image("shop"))
    assert line.startswith("uniscope: cannot start shop: 1 MiB of memory is less than"), line
    assert "try --memory 16" in line, line


@test
def a_name_in_use_is_refused_and_its_guest_lives_on():
    with Guest("shop") as shop:
        result = run(UNISCOPE, "run", "--name", shop.name, image("hello"), check=False)
        assert result.returncode == 1 and result.stderr.count("\n") == 1
        assert "a guest of this name runs; take another --name" in result.stderr, result.stderr
        assert listed()[shop.name]["state"] == "running"


@test
def a_socket_path_that_is_too_long_is_explained():
    with folder() as place:
        deep = place / ("d" * 90)
        deep.mkdir()
        line = fails(1, "run", image("hello"), env={"XDG_RUNTIME_DIR": str(deep)})
        assert "set XDG_RUNTIME_DIR to a shorter path" in line, line
        assert not list((deep / "uniscope").iterdir())


@test
def a_socket_path_that_is_taken_is_explained():
    taken = runtime() / "shop" / "gdb.sock"
    runtime().mkdir(mode=0o700, exist_ok=True)
    taken.mkdir(parents=True)
    result = run(UNISCOPE, "run", "--name", "shop", image("hello"), check=False)
    assert result.returncode == 1 and result.stderr.count("\n") == 1, result
    assert f"{taken}: Address already in use; remove what is there" in result.stderr
    assert taken.is_dir()
    shutil.rmtree(runtime() / "shop")


@test
def a_runtime_folder_that_cannot_be_made_is_explained():
    line = fails(1, "run", image("hello"), env={"XDG_RUNTIME_DIR": "/proc/nowhere"})
    assert "set XDG_RUNTIME_DIR to a folder that you can write" in line, line


@test
def without_qemu_the_package_is_named():
    line = fails(1, "run", image("hello"), env={"PATH": "/nowhere"})
    assert "cannot start hello: qemu-system-x86_64 is not installed" in line, line
    assert "install the package qemu-system-x86" in line, line


@test
def a_guest_that_dies_while_it_boots_fails_run_detach():
    with folder() as place:
        broken = bytearray(image("hello").read_bytes())
        # The entry point of PVH, from its note: owner "Xen", type 18, four or eight bytes.
        note = broken.index(struct.pack("<I", 18) + b"Xen\0") + 8
        entry = struct.unpack_from("<I", broken, note)[0]
        for line in run("readelf", "-lW", image("hello")).stdout.splitlines():
            words = line.split()
            if words and words[0] == "LOAD":
                offset, address, size = (int(words[n], 16) for n in (1, 3, 4))
                if address <= entry < address + size:
                    at = offset + entry - address
                    broken[at:at + 2] = b"\x0f\x0b"  # ud2, with no table of handlers yet
        path = place / "broken.elf"
        path.write_bytes(broken)
        line = fails(1, "run", "--detach", path)
        assert "broken died while it booted" in line and "triple fault" in line, line


@test
def a_full_disk_costs_the_dump_and_nothing_else():
    # A mount namespace of its own: nothing is left mounted, and nobody needs to be root.
    own = ["unshare", "--mount"] + ([] if os.geteuid() == 0 else ["--map-root-user"])
    possible = run(*own, "true", check=False)
    if possible.returncode:
        skip(f"no mount namespace can be had here: {possible.stderr.strip()}")
    script = ('mount -t tmpfs -o size=64k tmpfs "$XDG_STATE_HOME" && '
              '"$0" run "$1" -- kind=assert')
    result = run(*own, "sh", "-c", script, UNISCOPE, image("crash"), check=False)
    assert result.returncode == 1, result
    assert "uniscope: crash died: " in result.stderr, result.stderr
    assert "No space left on device" in result.stderr, result.stderr
    assert result.stderr.count("\n") == 1
    assert not list(runtime().iterdir())


@test
def wrong_command_lines_exit_2():
    assert "--cpus '0' is not a number from 1 to 16" in fails(2, "run", "--cpus", "0", "x.elf")
    assert "--machine 'pc' is none of microvm, q35" in fails(2, "run", "--machine", "pc", "x.elf")
    assert "--accel 'hvf' is none of auto, tcg, kvm" in fails(2, "run", "--accel", "hvf", "x.elf")
    assert "an argument is missing" in fails(2, "run")
    assert "'a/b' cannot be the name" in fails(2, "run", "--name", "a/b", image("hello"))
    assert "did you mean 'list'?" in fails(2, "lsit")
    fails(2, "run", "--frobnicate", "x.elf")
    fails(2, "stop")
    result = run(UNISCOPE, check=False)
    assert result.returncode == 2 and "Usage: uniscope" in result.stderr


@test
def a_guest_that_does_not_run_is_exit_3():
    for command in ("stop", "console", "gdb"):
        assert "no guest 'nobody' runs here" in fails(3, command, "nobody")


@test
def every_command_has_help():
    for name in ("run", "stop", "list", "console", "gdb"):
        text = uniscope(name, "--help").stdout
        assert text.startswith(f"Usage: uniscope {name}"), text
        assert "-h, --help" in text


@test
def output_to_a_full_disk_fails():
    with open("/dev/full", "w", encoding="utf-8") as full:
        result = subprocess.run([UNISCOPE, "list"], stdout=full, stderr=subprocess.PIPE,
                                text=True, check=False)
    assert result.returncode == 1 and "cannot write the output" in result.stderr, result


main()
