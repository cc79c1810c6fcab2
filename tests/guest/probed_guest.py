# SPDX-License-Identifier: MIT
"""A guest under a bare QEMU with the test at the host's end of its probe port: frames as they come,
requests, NMIs, and the core file that the frames of a dump make."""

import contextlib
import json
import pathlib
import socket
import struct
import subprocess
import tempfile
import time

from harness import image

HEADER = struct.Struct("<IHHII")
MAGIC = 0x46494E55

HELLO, METRIC_TABLE, METRICS, CPUS, THREADS, LOG, REPLY, TRACEPOINTS = range(1, 9)
PANIC, DUMP_BEGIN, DUMP_DATA, DUMP_END, BYE = range(11, 16)
HELLO_REQUEST, INTERVAL, SNAPSHOT = 64, 65, 66
CRASH, SHUTDOWN, PING = 70, 71, 72

PANIC_HANG, PANIC_REQUEST = 7, 8

MACHINES = {
    "microvm": [
        *("-M", "microvm", "-global", "virtio-mmio.force-legacy=false"),
        *("-device", "virtio-serial-device"),
    ],
    "q35": ["-M", "q35", "-device", "virtio-serial-pci"],
}


class ProbedGuest:
    """Boots build/kernel/APPLICATION.elf; gone when the block ends."""

    def __init__(self, application, arguments="", machine="microvm", cpus=2, memory=64, port=True,
                 cpu="qemu64"):
        self.image = image(application)
        self.arguments, self.machine = arguments, machine
        self.cpus, self.memory, self.has_port = cpus, memory, port
        self.cpu = cpu
        self.frames, self.buffer, self.core, self.times = [], b"", None, {}

    def __enter__(self):
        with contextlib.ExitStack() as stack:
            self.folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory()))
            (self.folder / "console").touch()
            self.port, theirs = (stack.enter_context(end) for end in socket.socketpair())
            self.monitor, monitors = (stack.enter_context(end) for end in socket.socketpair())
            words = [
                *("-chardev", f"socket,id=probe,fd={theirs.fileno()}"),
                *("-device", "virtserialport,chardev=probe,name=org.uniscope.probe.0"),
            ]
            self.process = subprocess.Popen(
                [
                    *("qemu-system-x86_64", "-nodefaults", "-no-user-config", "-display", "none"),
                    *("-no-reboot", "-accel", "tcg", "-cpu", self.cpu, "-m", str(self.memory)),
                    *("-smp", str(self.cpus), "-serial", f"file:{self.folder}/console"),
                    *("-chardev", f"socket,id=qmp,fd={monitors.fileno()}"),
                    *("-mon", "chardev=qmp,mode=control", *MACHINES[self.machine]),
                    *(words if self.has_port else []),
                    *("-kernel", self.image, "-append", self.arguments),
                ],
                pass_fds=[theirs.fileno(), monitors.fileno()],
                stdin=subprocess.DEVNULL,
            )
            stack.callback(self.end)
            theirs.close()
            monitors.close()
            self.qmp("qmp_capabilities")
            self.stack = stack.pop_all()
        return self

    def __exit__(self, kind, *_):
        if kind:
            print("\n".join("# " + line for line in self.console().splitlines()), flush=True)
        self.stack.close()

    def end(self):
        self.process.kill()
        self.process.wait()

    def console(self):
        return (self.folder / "console").read_text(errors="replace")

    def qmp(self, command):
        self.monitor.sendall(json.dumps({"execute": command}).encode() + b"\n")

    def ask(self, kind, payload=b"", sequence=1):
        self.port.sendall(HEADER.pack(MAGIC, kind, 0, len(payload), sequence) + payload)

    def ask_for_crash(self, kind=PANIC_REQUEST, nmi=True):
        self.ask(CRASH, struct.pack("<II", kind, 0))
        if nmi:
            self.qmp("inject-nmi")

    def wait_for(self, kind, timeout=20):
        """Reads until a frame of this kind came, and returns its payload."""
        deadline = time.monotonic() + timeout
        while True:
            while (frame := self.take_frame()) is not None:
                if frame[0] == kind:
                    return frame[1]
            left = deadline - time.monotonic()
            assert left > 0, f"no frame {kind} in {timeout} s; came: {self.kinds()}"
            self.port.settimeout(left)
            with contextlib.suppress(TimeoutError):
                data = self.port.recv(1 << 20)
                assert data, f"the port closed before frame {kind}; came: {self.kinds()}"
                self.buffer += data

    def read_for(self, seconds):
        """Takes the frames of this time."""
        with contextlib.suppress(AssertionError):
            self.wait_for(None, seconds)

    def kinds(self):
        return [kind for kind, _ in self.frames]

    def payloads(self, kind):
        return [payload for other, payload in self.frames if other == kind]

    def take_frame(self):
        if len(self.buffer) < HEADER.size:
            return None
        magic, kind, reserved, length, _ = HEADER.unpack_from(self.buffer)
        assert magic == MAGIC and reserved == 0, f"no frame at {self.buffer[:32]}"
        if len(self.buffer) < HEADER.size + length:
            return None
        payload = self.buffer[HEADER.size : HEADER.size + length]
        self.buffer = self.buffer[HEADER.size + length :]
        self.times.setdefault(kind, time.monotonic())
        self.collect(kind, payload)
        if kind != DUMP_DATA:
            self.frames.append((kind, payload))
        return kind, payload

    def collect(self, kind, payload):
        if kind == DUMP_BEGIN:
            self.core = open(self.folder / "core", "wb")
            self.core.truncate(struct.unpack_from("<Q", payload)[0])
        elif kind == DUMP_DATA:
            self.core.seek(struct.unpack_from("<Q", payload)[0])
            self.core.write(payload[8:])
        elif kind == DUMP_END:
            self.core.close()

    def wait_for_dump(self, timeout=30):
        """The path of the core; asserts that the guest says it is complete."""
        status, _, size = struct.unpack("<iIQ", self.wait_for(DUMP_END, timeout))
        assert status == 0 and size > 0, f"dump ended with {status} after {size} bytes"
        return self.folder / "core"

    @property
    def dump_seconds(self):
        return self.times[DUMP_END] - self.times[PANIC]
