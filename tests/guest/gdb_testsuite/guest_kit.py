# SPDX-License-Identifier: MIT
"""Builds what a test program is linked with to become a guest: kernel, C library, linker script.

The kernel goes into one object in which each of its names gets a prefix, so that nothing a test
program defines, or asks gdb for, can meet one of them. It and the library have no debug information,
as on a system where only the program itself was compiled for debugging.
"""

import pathlib
import re
import subprocess

HERE = pathlib.Path(__file__).resolve().parent
SOURCE = HERE.parent.parent.parent
PREFIX = "uni."

KERNEL_LIBRARIES = (
    "kernel/libkernel.a",
    "tracing/libtracing_guest.a",
    "gdbstub/libgdbstub_guest.a",
    "guest-probe/libguest-probe-guest.a",
)

# The sources of what stands between the kernel and test programs.
GLUE = ("guest.c", "exec.c", "exec.S")

# Functions of the kernel that guest.c puts its own before.
WRAPPED = ("debug_init", "debug_trap", "page_stack_alloc", "page_stack_free", "thread_next_stopped")

# What the guest and the test programs have to agree on. Interrupts use the stack that they find.
ABI_FLAGS = ["-mno-red-zone", "-fno-pie", "-fno-pic", "-mcmodel=small", "-fcf-protection=none"]

LIBRARY_FLAGS = [
    *ABI_FLAGS,
    "-O2",
    "-std=gnu11",
    "-D_GNU_SOURCE",
    "-fno-builtin",
    "-fno-stack-protector",
    "-fno-omit-frame-pointer",
    "-Wall",
    "-Wextra",
    "-Werror",
    "-Wno-nonnull-compare",
    f"-I{SOURCE}",
]

# Backtraces of threads that wait begin in the kernel.
NO_DEBUG = ["--strip-debug", "--keep-section=.debug_frame"]


def run(*words):
    """Runs a tool; raises with what it said when it fails."""
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(" ".join(str(word) for word in words) + "\n" + done.stderr)
    return done.stdout


def stub_patterns(script):
    """The input sections that kernel.ld keeps free of breakpoints."""
    return re.search(r"kernel_stub_text_start = \.;(.*?)kernel_stub_text_end = \.;", script, re.S)


def write_final_script(script, path):
    """kernel.ld for a program: unwinding and constructors get their sections."""
    patterns = stub_patterns(script)
    script = script.replace(patterns.group(1), f"\n\t\t*({PREFIX}stub_text)\n\t\t")
    script = script.replace("ENTRY(boot_entry)", "ENTRY(guest_on_host)")
    script = script.replace(" *(.eh_frame)", "")
    script = script.replace(
        "\tfault_table :",
        "\t.eh_frame : ALIGN(8) { KEEP(*(.eh_frame)) } :rodata\n"
        "\t.init_array : ALIGN(8) {\n"
        "\t\t__init_array_start = .;\n"
        "\t\tKEEP(*(SORT_BY_INIT_PRIORITY(.init_array.*) .init_array .ctors))\n"
        "\t\t__init_array_end = .;\n"
        "\t\t__fini_array_start = .;\n"
        "\t\tKEEP(*(SORT_BY_INIT_PRIORITY(.fini_array.*) .fini_array .dtors))\n"
        "\t\t__fini_array_end = .;\n"
        "\t} :rodata\n"
        "\tfault_table :",
    )
    path.write_text(script)


def build_kernel(build, out, script):
    """guest.o: the kernel and what test programs reach it by."""
    libraries = [build / name for name in KERNEL_LIBRARIES]
    patterns = stub_patterns(script).group(1)
    partial = out / "partial.ld"
    partial.write_text(f"SECTIONS {{ {PREFIX}stub_text : {{ {patterns} }} }}\n")
    merged = out / "kernel.o"
    wraps = [f"--wrap={name}" for name in WRAPPED]
    run("ld", "-r", "-T", partial, "-o", merged, *wraps, "--whole-archive", *libraries)
    listed = run("nm", "-P", "--defined-only", merged).splitlines()
    names = {line.split()[0] for line in listed}
    renames = out / "renames"
    renames.write_text("".join(f"{name} {PREFIX}{name}\n" for name in sorted(names)))
    glue = []
    for name in GLUE:
        glue.append(out / f"{name}.o")
        run("gcc", *LIBRARY_FLAGS, "-c", HERE / name, "-o", glue[-1])
    both = out / "both.o"
    run("ld", "-r", "-o", both, *wraps, merged, *glue)
    run("objcopy", *NO_DEBUG, "-x", "--redefine-syms", renames, both, out / "guest.o")
    return renames


def build_library(out, renames):
    """libc.a, and in it the threads, which only the programs that use them are linked with."""
    objects = [out / "libc-pthread.o"]
    run("gcc", *LIBRARY_FLAGS, "-c", HERE / "guest_pthread.c", "-o", objects[0])
    run("objcopy", "--redefine-syms", renames, objects[0])
    for source in sorted([*(HERE / "libc").glob("*.c"), *(HERE / "libc").glob("*.S")]):
        objects.append(out / f"libc-{source.stem}.o")
        run("gcc", *LIBRARY_FLAGS, "-c", source, "-o", objects[-1])
    archive = out / "libc.a"
    archive.unlink(missing_ok=True)
    run("ar", "rcs", archive, *objects)


def build_kit(build, out):
    """Builds all of it into the folder `out`, from the libraries of a build folder."""
    out.mkdir(parents=True, exist_ok=True)
    script = (SOURCE / "kernel/kernel.ld").read_text()
    write_final_script(script, out / "guest.ld")
    build_library(out, build_kernel(build, out, script))
    return out


def link_flags(kit):
    """ldflags and libs for the compiler driver."""
    forced = [f"-Wl,-u,{name}" for name in ("malloc", "free", "exit", "abort", "kill", "mmap64", "munmap", "longjmp")]
    flags = [
        "-static",
        "-nostdlib",
        "-no-pie",
        "-Wl,--build-id=sha1",
        "-Wl,-z,max-page-size=4096",
        "-Wl,-z,noexecstack",
        "-Wl,--no-warn-rwx-segments",
        f"-Wl,-T,{kit / 'guest.ld'}",
        *forced,
    ]
    libraries = [
        str(kit / "guest.o"),
        "-Wl,--start-group",
        str(kit / "libc.a"),
        "-lsupc++",
        "-lgcc",
        "-lgcc_eh",
        "-Wl,--end-group",
    ]
    return flags, libraries

