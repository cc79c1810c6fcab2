# SPDX-License-Identifier: MIT
"""Ports of a guest under a bare QEMU: contents, throughput, hosts that close, stall and come back."""

import contextlib
import os
import pathlib
import re
import socket
import subprocess
import tempfile
import time

from harness import image, main, test, wait_for

MACHINES = {
    "microvm": [
        *("-M", "microvm", "-global", "virtio-mmio.force-legacy=false"),
        *("-device", "virtio-serial-device"),
    ],
    "q35": ["-M", "q35", "-device", "virtio-serial-pci"],
    "q35 without msix": ["-M", "q35", "-device", "virtio-serial-pci,vectors=0"],
    "q35 behind a bridge without msix": [
        *("-M", "q35", "-device", "pcie-root-port,id=root,slot=1"),
        *("-device", "virtio-serial-pci,bus=root,vectors=0"),
    ],
    "microvm without acpi": [
        *("-M", "microvm,acpi=off", "-global", "virtio-mmio.force-legacy=false"),
        *("-device", "virtio-serial-device"),
    ],
}

BLOCK = 65536
PATTERN = bytes((at * 7 + at // 256) & 0xFF for at in range(BLOCK))


class Guest:
    """porttest.elf with its four ports: three over socketpairs, the stream over a socket that the
    host may connect to, leave and connect to again."""

    def __init__(self, machine, cpus):
        self.machine, self.cpus = machine, cpus

    def __enter__(self):
        with contextlib.ExitStack() as stack:
            self.folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory()))
            self.ports, theirs, words = {}, [], []
            for name in ("control", "polled", "taken"):
                ours, other = socket.socketpair()
                ours.settimeout(20)
                self.ports[name] = stack.enter_context(ours)
                theirs.append(stack.enter_context(other))
                words += self.port_words(name, f"fd={other.fileno()}")
            words += self.port_words("stream", f"path={self.folder}/stream,server=on,wait=off")
            self.process = subprocess.Popen(
                [
                    *("qemu-system-x86_64", "-nodefaults", "-no-user-config", "-display", "none"),
                    *("-no-reboot", "-accel", "tcg", "-m", "64", "-smp", str(self.cpus)),
                    *("-serial", f"file:{self.folder}/console", *MACHINES[self.machine]),
                    *(*words, "-kernel", image("porttest")),
                ],
                pass_fds=[other.fileno() for other in theirs],
                stdin=subprocess.DEVNULL,
            )
            stack.callback(self.end)
            for other in theirs:
                other.close()
            self.answers = self.ports["control"].makefile("rb")
            stack.callback(self.answers.close)
            try:
                assert self.answer() == "ready"
            except (AssertionError, OSError) as error:
                raise AssertionError(f"not ready; console:\n{self.console()}") from error
            self.stack = stack.pop_all()
        return self

    def __exit__(self, kind, *_):
        if kind:
            print("\n".join("# " + line for line in self.console().splitlines()), flush=True)
        self.stack.close()

    @staticmethod
    def port_words(name, where):
        return [
            *("-chardev", f"socket,id={name},{where}"),
            *("-device", f"virtserialport,chardev={name},name=test.{name}"),
        ]

    def end(self):
        self.process.kill()
        self.process.wait()

    def console(self):
        return (self.folder / "console").read_text(errors="replace")

    def send(self, line, data=b""):
        self.ports["control"].sendall(line.encode() + b"\n" + data)

    def answer(self):
        return self.answers.readline().decode().rstrip("\n")

    def ask(self, line):
        self.send(line)
        return self.answer()

    def numbers(self, line):
        """The numbers in the answer to a request."""
        answer = self.ask(line)
        return [int(word) for word in re.findall(r"\d+", answer)]

    def connect(self):
        """Opens the host's side of the stream, and waits until the guest knows."""
        stream = socket.socket(socket.AF_UNIX)
        stream.settimeout(20)
        stream.connect(str(self.folder / "stream"))
        wait_for("the guest to see it open", lambda: "open 1" in self.ask("events"))
        return stream


def read_exactly(stream, size):
    data = bytearray(size)
    view, at = memoryview(data), 0
    while at < size:
        got = stream.recv_into(view[at:])
        assert got > 0, f"closed after {at} of {size} bytes"
        at += got
    return data


def check_blocks(stream, count, first=0):
    for number in range(first, first + count):
        block = read_exactly(stream, BLOCK)
        assert int.from_bytes(block[:8], "little") == number, f"block {number}"
        assert block[8:] == PATTERN[8:], f"contents of block {number}"


def echoes_what_it_is_sent(guest):
    for size in (1, 1000, 5000, 300000):
        data = os.urandom(size)
        guest.send(f"echo {size}", data)
        got = bytearray()
        while len(got) < size:
            got += guest.answers.read1(size - len(got))
        assert got == data, f"{size} bytes"


def streams_lent_blocks_in_order(guest):
    with guest.connect() as stream:
        guest.send("stream 64")
        time.sleep(0.2)  # it stalls: only an interrupt for what was sent makes it go on
        check_blocks(stream, 64 << 20 >> 16)
        assert guest.answer().startswith("streamed 1024 of 1024 "), "the guest's count"
        tx_bytes, buffers, kicks, _, errors = guest.numbers("counters")
        assert (tx_bytes, buffers, errors) == (64 << 20, 1024, 0)
        assert kicks <= 512, f"{kicks} kicks"


def streams_fast(guest):
    with guest.connect() as stream:
        buffer, total, start = bytearray(1 << 20), 0, time.monotonic()
        guest.send("stream 512")
        while total < 512 << 20:
            total += stream.recv_into(buffer)
        rate = total / 1e6 / (time.monotonic() - start)
        print(f"# {rate:.0f} MB/s", flush=True)
        guest.answer()


def goes_on_when_the_host_stops_reading(guest):
    with guest.connect() as stream:
        sent, slept_us = guest.numbers("stall")
        assert 1 <= sent < 1000 and slept_us < 1000000, (sent, slept_us)
        check_blocks(stream, sent)
        wait_for("the blocks to come back", lambda: "free 16" in guest.ask("events"))
        assert guest.numbers("counters")[4] == 0


def tells_when_there_is_room_again(guest):
    with guest.connect() as stream:
        # Until QEMU's socket is full too: it may take some of what filled the queue.
        total = 0
        while True:
            count, error = guest.numbers("fill")
            assert error == 11, error
            if count == 0:
                break
            total += count
            time.sleep(0.05)
        assert total >= 64, total
        assert guest.numbers("events")[0] & 2 == 0, "room was told too early"
        assert read_exactly(stream, total * 100) == bytes(range(100)) * total
        wait_for("the room to be told", lambda: guest.numbers("events")[0] & 2)


def refuses_while_the_host_is_closed(guest):
    assert guest.numbers("stream 1")[:2] == [0, 16]
    assert guest.numbers("fill") == [0, 5]


def survives_a_host_that_closes_and_comes_back(guest):
    for _ in range(3):
        stream = guest.connect()
        assert guest.numbers("stall")[0] >= 1
        stream.close()
        wait_for(
            "the guest to see it closed and all blocks back",
            lambda: "open 0" in (seen := guest.ask("events")) and "free 16" in seen,
        )
    with guest.connect() as stream:
        guest.send("stream 8")
        check_blocks(stream, 128)
        assert guest.answer().startswith("streamed 128 of 128 ")
        assert guest.numbers("counters")[4] == 0


def gets_the_block_back_that_a_close_made_qemu_forget(guest):
    stream = guest.connect()
    assert guest.numbers("lone")[1] == 15
    stream.close()
    wait_for("it to come back", lambda: "free 16" in guest.ask("events"))


def survives_a_host_that_comes_back_at_once(guest):
    stream = guest.connect()
    assert guest.numbers("lone")[1] == 15
    stream.close()
    with guest.connect() as stream:
        wait_for("both news", lambda: guest.numbers("events")[0] & 12 == 12)
        guest.send("stream 8")
        check_blocks(stream, 128)
        assert guest.answer().startswith("streamed 128 of 128 ")
        wait_for("all blocks back", lambda: "free 16" in guest.ask("events"))


def survives_a_close_in_mid_stream(guest):
    stream = guest.connect()
    guest.send("stream 64")
    check_blocks(stream, 100)
    stream.close()
    assert guest.answer().startswith("streamed ")
    wait_for("all blocks back", lambda: "free 16" in guest.ask("events"))
    with guest.connect() as stream:
        guest.send("stream 8")
        check_blocks(stream, 128)
        assert guest.answer().startswith("streamed 128 of 128 ")


def peeks_without_reading(guest):
    guest.ports["polled"].sendall(b"hello world")
    assert guest.ask("peek") == "peeked hello world world"
    guest.send("poll")
    assert read_exactly(guest.ports["polled"], 11) == b"hello world"


def polls_with_interrupts_off(guest):
    port, line = guest.ports["polled"], b"are you there?\n"
    guest.send("poll")
    time.sleep(0.05)
    port.sendall(line)
    assert read_exactly(port, len(line)) == line, "copied frame"
    assert read_exactly(port, len(line)) == line, "frame of the callers memory"
    assert read_exactly(port, BLOCK) == PATTERN
    assert read_exactly(port, len(line)) == line
    assert guest.answer() == f"polled {len(line)} 0 0"


def polls_many_bytes_both_ways(guest):
    port, data, got = guest.ports["polled"], os.urandom(300000), bytearray()
    guest.send(f"pollecho {len(data)}")
    for at in range(0, len(data), 10000):
        port.sendall(data[at : at + 10000])
        got += read_exactly(port, min(10000, len(data) - at))
    assert got == data
    assert guest.answer() == f"poll echoed {len(data)} error 0"


def sees_a_close_while_it_polls(guest):
    guest.send("poll")
    time.sleep(0.05)
    guest.ports["polled"].close()
    assert guest.answer() == "polled -5 -22 -5"


def gives_up_polling_a_host_that_does_not_read(guest):
    error, took_us = guest.numbers("pollstall")
    assert error == 110 and 40000 <= took_us < 1000000, (error, took_us)


def takes_a_port_over_from_stopped_writers(guest):
    guest.send("takeover")
    port, seen = guest.ports["taken"], {}
    while seen.get(b"P", 0) < 1000:
        frame = bytes(read_exactly(port, 200))
        assert frame == frame[:1] * 200, f"a torn frame: {frame}"
        seen[frame[:1]] = seen.get(frame[:1], 0) + 1
    assert seen.pop(b"P") == 1000
    assert guest.answer() == f"taken 0 refused 3 frames {sum(seen.values())}"
    assert seen, "no frames before the takeover"


CHECKS = [
    echoes_what_it_is_sent,
    streams_lent_blocks_in_order,
    goes_on_when_the_host_stops_reading,
    tells_when_there_is_room_again,
    refuses_while_the_host_is_closed,
    survives_a_host_that_closes_and_comes_back,
    gets_the_block_back_that_a_close_made_qemu_forget,
    survives_a_host_that_comes_back_at_once,
    survives_a_close_in_mid_stream,
    peeks_without_reading,
    polls_with_interrupts_off,
    polls_many_bytes_both_ways,
    sees_a_close_while_it_polls,
    gives_up_polling_a_host_that_does_not_read,
    takes_a_port_over_from_stopped_writers,
]


def register(check, machine, cpus):
    def boot_and_check():
        with Guest(machine, cpus) as guest:
            check(guest)

    boot_and_check.__name__ = f"{check.__name__} on {machine} with {cpus}"
    test(boot_and_check)


for on_machine in ("microvm", "q35", "q35 without msix"):
    for on_cpus in (1, 4):
        for each in CHECKS:
            register(each, on_machine, on_cpus)
for on_machine in ("q35 behind a bridge without msix", "microvm without acpi"):
    register(goes_on_when_the_host_stops_reading, on_machine, 2)
register(streams_fast, "microvm", 1)
main()
