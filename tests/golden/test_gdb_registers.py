# SPDX-License-Identifier: MIT
"""The registers that gdb makes of each target description, those of AVX-512 among them, which no CPU
of QEMU's TCG has: gdb debugs the stub as a process, tests/golden/serve_machine.c."""

import contextlib
import pathlib
import re
import subprocess
import tempfile
import time

from harness import BUILD, main, run, test

# XCR0 (Intel SDM vol. 1, 13.3)
SSE, AVX, AVX512, ALL = 0x3, 0x7, 0xE7, 0x2E7


@contextlib.contextmanager
def machine(sets):
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "gdb.sock"
        process = subprocess.Popen([BUILD / "tests" / "golden" / "serve_machine", path, f"{sets:x}"])
        try:
            end = time.monotonic() + 30
            while not path.exists():
                assert process.poll() is None and time.monotonic() < end, "serve_machine"
                time.sleep(0.02)
            yield path, process
            assert process.poll() in (None, 0), "serve_machine failed"
        finally:
            process.kill()
            process.wait()


def gdb(path, *commands):
    words = ["gdb", "-q", "-nx", "-batch", "-iex", "set debuginfod enabled off"]
    words += ["-iex", "set remotetimeout 30", "-ex", "set width 0"]
    for command in (f"target remote {path}", *commands):
        words += ["-ex", command]
    result = run(*words)
    text = result.stdout + result.stderr
    assert "rejected" not in text and "truncated" not in text and "too long" not in text, text
    return text


def values(text):
    return [int(value, 16) for value in re.findall(r"^\$\d+ = (0x[0-9a-f]+)$", text, re.M)]


def word(thread, offset):
    return thread << 32 | offset


@test
def gdb_has_what_is_described_and_nothing_else():
    for sets, there, missing in (
        (SSE, ("xmm15",), ("ymm0", "k0", "zmm0", "pkru")),
        (AVX, ("ymm15",), ("ymm16", "k0", "zmm0", "pkru")),
        (AVX512, ("ymm31", "k7", "zmm31", "xmm31"), ("pkru",)),
        (ALL, ("ymm31", "k7", "zmm31", "pkru"), ()),
    ):
        with machine(sets) as (path, _):
            text = gdb(path, *(f"p sizeof(${name})" for name in (*there, *missing)))
            sizes = re.findall(r"^\$\d+ = (\d+)$", text, re.M)
            expected = {"x": "16", "y": "32", "z": "64", "k": "8", "p": "4"}
            assert sizes[: len(there)] == [expected[name[0]] for name in there], text
            # A name that is none is a variable of gdb's without a value, of one byte.
            assert sizes[len(there) :] == ["1"] * len(missing), text


@test
def each_part_comes_from_its_place():
    with machine(ALL) as (path, _):
        text = gdb(
            path,
            *("p/x $xmm3.v2_int64[1]", "p/x $ymm3.v4_int64[2]", "p/x $zmm3.v8_int64[4]"),
            *("p/x $zmm3.v8_int64[7]", "p/x $zmm3.v8_int64[1]", "p/x $k2", "p/x $pkru"),
            *("p/x $xmm20.v2_int64[0]", "p/x $ymm20.v4_int64[3]", "p/x $zmm20.v8_int64[6]"),
            *("thread 2", "p/x $zmm31.v8_int64[7]"),
        )
        assert values(text) == [
            word(1, 160 + 3 * 16 + 8),
            word(1, 576 + 3 * 16),
            word(1, 1152 + 3 * 32),
            word(1, 1152 + 3 * 32 + 24),
            word(1, 160 + 3 * 16 + 8),
            word(1, 1088 + 2 * 8),
            2688,
            word(1, 1664 + 4 * 64),
            word(1, 1664 + 4 * 64 + 24),
            word(1, 1664 + 4 * 64 + 48),
            word(2, 1664 + 15 * 64 + 56),
        ], text


@test
def what_gdb_writes_stays_for_the_next_one():
    with machine(ALL) as (path, _):
        text = gdb(
            path,
            *("set $zmm17.v8_int64[7] = 0x17", "set $ymm2.v4_int64[3] = 0x22", "set $k5 = 0x55"),
            *("set $pkru = 0xc", "stepi", "p/x $zmm17.v8_int64[7]"),
        )
        assert values(text) == [0x17], text
        text = gdb(
            path,
            *("p/x $zmm17.v8_int64[7]", "p/x $zmm17.v8_int64[0]", "p/x $zmm2.v8_int64[3]"),
            *("p/x $k5", "p/x $pkru", "p/x $zmm2.v8_int64[4]"),
        )
        assert values(text) == [
            0x17, word(1, 1664 + 64), 0x22, 0x55, 0xC, word(1, 1152 + 2 * 32),
        ], text  # fmt: skip


@test
def numbers_hold_where_a_set_is_missing():
    with machine(AVX512) as (path, _):  # without pkru, which comes before
        gdb(path, "set $ymm2.v4_int64[3] = 0x22", "set $k5 = 0x55")
        text = gdb(path, "p/x $ymm2.v4_int64[3]", "p/x $k5", "p/x $k4")
        assert values(text) == [0x22, 0x55, word(1, 1088 + 4 * 8)], text


@test
def a_kill_ends_the_process():
    with machine(AVX) as (path, process):
        gdb(path, "kill")
        assert process.wait(timeout=30) == 0


main()
