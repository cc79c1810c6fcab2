# SPDX-License-Identifier: MIT
"""Every header compiles alone with gcc and clang, and freestanding objects import only mem*."""

import re

from harness import BUILD, SOURCE, main, run, test

MEM = {"memcpy", "memmove", "memset", "memcmp"}
GUEST = ["-ffreestanding", "-mno-red-zone", "-mgeneral-regs-only", "-DUNI_GUEST"]
HOST = ["-D_GNU_SOURCE", '-DUNI_VERSION="0"']


def headers():
    listed = run("git", "-C", SOURCE, "ls-files", "-co", "--exclude-standard", "*.h").stdout
    return [name for name in listed.splitlines() if (SOURCE / name).is_file()]


def compile_alone(compiler):
    failed, count = [], 0
    for name in headers():
        flags = GUEST if name.startswith("kernel/") else HOST
        result = run(
            compiler, "-std=gnu11", "-Wall", "-Wextra", "-Werror", "-Wno-unused-parameter",
            "-Wno-unused-function", *flags, "-I", SOURCE, "-include", SOURCE / name,
            "-fsyntax-only", "-x", "c", "/dev/null", check=False,
        )
        count += 1
        if result.returncode:
            failed.append(f"{name}: {result.stderr.splitlines()[0]}")
    assert not failed, "\n".join(failed)
    assert count > 20, f"only {count} headers seen"


@test
def every_header_compiles_alone_with_gcc():
    compile_alone("gcc")


@test
def every_header_compiles_alone_with_clang():
    compile_alone("clang-14")


@test
def headers_guard_themselves_with_pragma_once():
    wrong = [n for n in headers() if "\n#pragma once\n" not in (SOURCE / n).read_text()]
    assert not wrong, "\n".join(wrong)


@test
def freestanding_objects_import_nothing_but_mem():
    for room in ("tracing", "gdbstub", "guest-probe"):
        archives = [path for path in (BUILD / room).glob("*.a") if path.stem.endswith("guest")]
        assert archives, f"no guest archive of {room} in {BUILD / room}"
        for archive in archives:
            defined, wanted = set(), set()
            for line in run("nm", archive).stdout.splitlines():
                match = re.match(r"^[0-9a-f ]{16} ([A-Za-z]) (\S+)$", line)
                if match:
                    (wanted if match.group(1) in "Uw" else defined).add(match.group(2))
            # Linker symbols bound sections; uni_ symbols come from another room.
            foreign = {
                name
                for name in wanted - defined - MEM
                if not name.startswith(("__start_", "__stop_", "uni_"))
            }
            assert not foreign, f"{archive.name} imports {sorted(foreign)}"


main()
