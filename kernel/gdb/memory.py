# SPDX-License-Identifier: MIT
"""`uni memory`."""

import json
import os
import pathlib
import time

import gdb

from . import guest, layout
from .command import Command, address_of
from .locations import ram_ranges
from .threads import sees_vcpus_only

PIECE = 1 << 20

# Machines keep a hole for devices below 4 GiB: up to here an address is an offset into the RAM.
IDENTITY_END = 3 << 30


def runtime_folder():
    """The folder of the guest that gdb is connected to, None for another target."""
    connection = gdb.selected_inferior().connection
    details = getattr(connection, "details", None)
    folder = pathlib.Path(details).parent if details and details.startswith("/") else None
    return folder if folder and (folder / "guest.json").exists() else None


def held_ram():
    """The guest's RAM as its supervisor shares it with QEMU, opened for reading; None."""
    folder = runtime_folder()
    if not folder:
        return None
    pid = json.loads((folder / "guest.json").read_text())["qemu_pid"]
    descriptors = pathlib.Path(f"/proc/{pid}/fd")
    words = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    for word in words:
        for option in word.split(b","):
            if option.startswith(b"mem-path=/proc/self/fd/"):
                return open(descriptors / option.rpartition(b"/")[2].decode(), "rb", buffering=0)
    return None


class Memory(Command):
    """Write guest memory to a file: uni memory ADDRESS LENGTH FILE

    At the speed of the host's memory where gdb runs beside the guest's supervisor; over the
    connection, or from the core, elsewhere: it says which. What cannot be read is zeroes and counted."""

    name = "memory"
    arguments_max = 3
    completion = gdb.COMPLETE_FILENAME

    def run(self, *words):
        if len(words) != 3:
            raise guest.Missing("as in `uni memory 0x100000 65536 FILE`")
        address, length = address_of(words[0]), address_of(words[1])
        if not length:
            raise guest.Missing("nothing to write: the length is 0")
        path = pathlib.Path(os.path.expanduser(words[2]))
        begin = time.monotonic()
        with open(path, "wb") as out:
            try:
                ram = self.source(address, length)
            except (OSError, KeyError, ValueError):
                ram = None
            lost = self.copy_held(ram, address, length, out) if ram else self.copy(address, length, out)
        took = max(time.monotonic() - begin, 1e-6)
        how = "through the RAM that the supervisor holds" if ram else "by gdb's own reads"
        layout.line(
            f"{path}: {layout.size(length)} from {address:#x} in {layout.duration(int(took * 1e9))}, "
            f"{layout.size(int(length / took))}/s, {how}"
        )
        if lost:
            layout.line(f"{layout.size(lost)} cannot be read and are zeroes there.")

    def source(self, address, length):
        """The RAM, if all of it lies there. The guest's stub lifts its breakpoints while the guest
        stands; QEMU's, under KVM, leaves them in the code, and hides them from gdb only."""
        if sees_vcpus_only():
            return None
        end = address + length
        inside = any(start <= address and end <= stop for start, stop in ram_ranges())
        return held_ram() if inside and end <= IDENTITY_END else None

    def copy_held(self, ram, address, length, out):
        with ram:
            size = os.fstat(ram.fileno()).st_size
            if address + length > size:
                raise guest.Missing(f"the guest has only {layout.size(size)} of RAM")
            # A full disk is said at once; and blocks that are there are written faster.
            os.posix_fallocate(out.fileno(), 0, length)
            done = 0
            while done < length:
                sent = os.sendfile(out.fileno(), ram.fileno(), address + done, length - done)
                if not sent:
                    raise guest.Missing("the RAM ended early")
                done += sent
        return 0

    def copy(self, address, length, out):
        lost, at, end = 0, address, address + length
        while at < end:
            piece = min(PIECE - at % PIECE, end - at)
            try:
                out.write(guest.read(at, piece))
            except gdb.MemoryError:
                lost += self.copy_pages(at, piece, out)
            at += piece
        return lost

    def copy_pages(self, address, length, out):
        lost, at, end = 0, address, address + length
        while at < end:
            piece = min(guest.PAGE_SIZE - at % guest.PAGE_SIZE, end - at)
            try:
                out.write(guest.read(at, piece))
            except gdb.MemoryError:
                out.write(bytes(piece))
                lost += piece
            at += piece
        return lost


COMMAND = Memory
