# SPDX-License-Identifier: MIT
"""A guest whose NMIs come from the test."""

import contextlib
import pathlib
import socket
import subprocess
import tempfile
import time

from harness import image, wait_for


def read_prompt(line):
    text = b""
    while not text.endswith(b"(qemu) "):
        text += line.recv(4096)


def say(line, word):
    """Comes back when QEMU has done it."""
    line.sendall(f"{word}\n".encode())
    read_prompt(line)


@contextlib.contextmanager
def qemu_with_a_monitor(application, cpus, *arguments, console="null"):
    """Yields the socket of gdb's UART and a function that injects one into every CPU, or says another
    word to QEMU's monitor. `console` is where QEMU has the other UART lead."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        uart, monitor = (pathlib.Path(folder) / name for name in ("uart", "monitor"))
        words = [
            *("qemu-system-x86_64", "-nodefaults", "-no-user-config", "-display", "none"),
            *("-no-reboot", "-M", "q35", "-accel", "tcg", "-m", "64", "-smp", str(cpus)),
            *("-serial", console, "-serial", f"unix:{uart},server=on,wait=off"),
            *("-chardev", f"socket,id=monitor,path={monitor},server=on,wait=off"),
            *("-mon", "chardev=monitor,mode=readline"),
            *("-kernel", str(image(application)), "-append", " ".join(("gdb=ttyS1", *arguments))),
        ]
        process = subprocess.Popen(words)
        try:
            wait_for("the monitor", monitor.exists)
            time.sleep(1)
            with socket.socket(socket.AF_UNIX) as line:
                line.connect(str(monitor))
                read_prompt(line)
                yield uart, lambda word="nmi": say(line, word)
        finally:
            process.kill()
            process.wait()
