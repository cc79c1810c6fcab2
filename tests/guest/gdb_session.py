# SPDX-License-Identifier: MIT
"""A gdb that tests talk to, command by command, and the guests that it debugs."""

import os
import re
import select
import signal
import subprocess
import time

PROMPT = b"(gdb) "

OPTIONS = ["pagination off", "confirm off", "width 0", "style enabled off"]


class Gdb:
    """gdb on an image. Leaving the block ends it; a guest that it holds goes on then. It repeats what
    the guest has not answered in `timeout` seconds."""

    def __init__(self, image, socket=None, timeout=30, settings=()):
        options = [*OPTIONS, f"remotetimeout {timeout}", *settings]
        self.start(["gdb", "-nx", "-q", *(w for o in options for w in ("-iex", f"set {o}")), str(image)])
        self.greeting = self(f"target remote {socket}") if socket else ""

    def start(self, words, timeout=30):
        """Starts gdb and returns what it printed up to its first prompt."""
        self.text = b""  # printed, and not handed out yet
        self.last = ""
        self.process = subprocess.Popen(
            words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        return self.read(timeout)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()

    def __call__(self, command, timeout=30):
        """Runs a command and returns what it printed."""
        self.send(command)
        return self.read(timeout)

    def send(self, command):
        self.last = command
        self.process.stdin.write(command.encode() + b"\n")
        self.process.stdin.flush()

    def read(self, timeout=30):
        """What gdb prints up to its next prompt."""
        self.wait("prompt", timeout, lambda: self.text.endswith(PROMPT))
        text, self.text = self.text[: -len(PROMPT)], b""
        return text.decode(errors="replace")

    def wait(self, what, timeout, is_there):
        """Takes what gdb prints until is_there()."""
        end = time.monotonic() + timeout
        while not is_there():
            left = max(0, end - time.monotonic())
            if not select.select([self.process.stdout], [], [], left)[0]:
                raise AssertionError(f"gdb gave no {what} in {timeout} s: {self.text.decode()}")
            piece = os.read(self.process.stdout.fileno(), 65536)
            if not piece:
                raise AssertionError(f"gdb ended: {self.text.decode()}")
            self.text += piece

    def interrupt(self):
        """Ctrl-C. One that comes before gdb has let the guest go ends the command instead."""
        while True:
            if self.last == "continue":
                self.wait("word of it", 30, lambda: b"Continuing." in self.text)
            self.process.send_signal(signal.SIGINT)
            text = self.read()
            if not re.search(r"^Quit$", text, re.M):
                return text
            self.send(self.last)

    def kill(self):
        """Ends gdb as kill -9 does, without a word to the guest."""
        self.process.kill()
        self.process.communicate()

    def thread(self):
        return int(self.value("$_thread"))

    def value(self, expression):
        text = self(f"print {expression}")
        found = re.search(r"^\$\d+ = (.*)$", text, re.M)
        assert found, text
        return found.group(1)

    def flags(self):
        """eflags as a number."""
        return int(re.search(r"0x[0-9a-f]+", self("info registers eflags")).group(), 16)

    def backtraces(self):
        """[(thread's name, its frames' lines)] of every thread."""
        text = self("thread apply all bt", timeout=60)
        found = []
        for part in re.split(r"^Thread (?=\d+ \()", text, flags=re.M)[1:]:
            name = re.search(r'"([^"]*)"', part).group(1)
            found.append((name, re.findall(r"^#\d+ .*$", part, re.M)))
        return found


def instruction(gdb, function, pattern):
    """The address of the first one in the function that looks so."""
    text = gdb(f"disassemble {function}")
    found = re.search(rf"(0x[0-9a-f]+) <\+\d+>:\t{pattern}", text)
    assert found, text
    return int(found.group(1), 16)
