# SPDX-License-Identifier: MIT
"""The supervisor as its clients see it: frames over probe.sock, the proxies, and the end of a life."""

import contextlib
import os
import pathlib
import re
import signal
import socket
import struct
import time

from harness import Guest, main, run, test, uniscope, wait_for

HEADER = struct.Struct("<IHHII")
MAGIC = 0x46494E55

HELLO, METRIC_TABLE, METRICS, CPUS, THREADS, LOG, REPLY, TRACEPOINTS = range(1, 9)
TRACE_PACKET, TRACE_STATS, PANIC = 9, 10, 11
SNAPSHOT, TRACEPOINTS_SET, TRACE_START, TRACE_STOP, CRASH, SHUTDOWN, PING = range(66, 73)
STATE, CLIENT_LOST, STOP = 128, 129, 130

EBUSY, EINVAL, ENOTSUP = -16, -22, -95
RUNNING, DEBUGGED, CRASHED = 2, 4, 5
STREAM = struct.pack("<II", 1, 0)


class Client:
    """A client of probe.sock that keeps every frame it got as (type, sequence, payload)."""

    def __init__(self, guest):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(str(guest.socket("probe")))
        self.buffer, self.frames, self.sequence = b"", [], 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, kind, payload=b"", sequence=None):
        self.sequence += 1
        sequence = self.sequence if sequence is None else sequence
        self.socket.sendall(HEADER.pack(MAGIC, kind, 0, len(payload), sequence) + payload)
        return sequence

    def receive(self, timeout=10.0):
        """The next frame; None at the end of the connection."""
        self.socket.settimeout(timeout)
        while True:
            if len(self.buffer) >= HEADER.size:
                magic, kind, _, length, sequence = HEADER.unpack_from(self.buffer)
                assert magic == MAGIC
                if len(self.buffer) >= HEADER.size + length:
                    payload = self.buffer[HEADER.size:HEADER.size + length]
                    self.buffer = self.buffer[HEADER.size + length:]
                    self.frames.append((kind, sequence, payload))
                    return self.frames[-1]
            piece = self.socket.recv(1 << 16)
            if not piece:
                return None
            self.buffer += piece

    def until(self, wanted, timeout=10.0):
        """Receives until a frame of this type, and returns its payload."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            frame = self.receive(timeout)
            assert frame, f"the connection ended before a frame of type {wanted}"
            if frame[0] == wanted:
                return frame[2]
        raise AssertionError(f"no frame of type {wanted} in {timeout} s")

    def call(self, kind, payload=b"", sequence=None):
        """(status, text) of the reply to a request."""
        sequence = self.send(kind, payload, sequence)
        while True:
            frame = self.receive()
            assert frame, "the connection ended before the reply"
            if frame[0] == REPLY and frame[1] == sequence:
                status, length = struct.unpack_from("<iI", frame[2])
                return status, frame[2][8:8 + length].decode()


@test
def a_new_client_is_told_everything_at_once():
    with Guest("shop") as shop:
        with Client(shop) as early:
            early.until(METRICS)
        with Client(shop) as late:
            while late.receive()[0] != METRICS:
                pass
            kinds = [kind for kind, _, _ in late.frames]
            assert kinds[:4] == [STATE, HELLO, METRIC_TABLE, TRACEPOINTS], kinds
            state, pid = struct.unpack_from("<II", late.frames[0][2])
            assert state == RUNNING
            os.kill(pid, 0)
            assert late.frames[0][2][40:104].rstrip(b"\0").decode() == shop.name
            late.until(LOG)


@test
def replies_find_the_client_that_asked():
    with Guest("shop") as shop, Client(shop) as one, Client(shop) as two:
        for client in (one, two):
            for _ in range(20):
                client.send(PING, sequence=7)
        for client in (one, two):
            answers = 0
            while answers < 20:
                kind, sequence, payload = client.receive()
                if kind == REPLY:
                    assert sequence == 7 and struct.unpack_from("<i", payload)[0] == 0
                    answers += 1
        one.call(SNAPSHOT)
        assert not [1 for kind, sequence, _ in two.frames if kind == REPLY and sequence != 7]


@test
def one_trace_session_at_a_time():
    with Guest("shop") as shop, Client(shop) as one, Client(shop) as two:
        assert one.call(TRACE_START, STREAM)[0] == 0
        status, text = two.call(TRACE_START, STREAM)
        assert status == EBUSY and "another trace" in text, (status, text)
        assert two.call(TRACE_STOP)[0] == EINVAL
        assert two.call(TRACEPOINTS_SET, struct.pack("<II", 0, 0))[0] == EBUSY
        assert one.call(TRACE_STOP)[0] == 0
        if TRACE_STATS not in [kind for kind, _, _ in one.frames]:
            one.until(TRACE_STATS)
        assert two.call(TRACE_START, STREAM)[0] == 0
        two.send(TRACE_STOP)
        two.until(TRACE_STATS)


@test
def the_session_of_a_client_that_leaves_is_stopped():
    with Guest("shop") as shop, Client(shop) as two:
        with Client(shop) as one:
            assert one.call(TRACE_START, STREAM)[0] == 0
            known = [payload for kind, _, payload in one.frames if kind == TRACEPOINTS]
            events = struct.unpack_from("<I", known[0] if known else one.until(TRACEPOINTS))[0]
            bits = b"\xff" * ((events + 7) // 8)
            assert one.call(TRACEPOINTS_SET, struct.pack("<II", events, 0) + bits)[0] == 0
            one.until(TRACE_PACKET)
        wait_for("the session to end", lambda: two.call(TRACE_START, STREAM)[0] == 0)
        # All tracepoints went off with the session: a new one starts with none.
        state = [payload for kind, _, payload in two.frames if kind == TRACEPOINTS][-1]
        assert not any(state[8:]), state
        two.call(TRACE_STOP)


@test
def a_slow_client_loses_frames_and_is_told_how_many():
    with Guest("shop") as shop, Client(shop) as slow, Client(shop) as fast:
        fast.until(METRICS)
        deadline, size = time.monotonic() + 60, 0
        # Twice what may wait for one client, which reads nothing.
        while size < 40 << 20 and time.monotonic() < deadline:
            assert fast.call(SNAPSHOT)[0] == 0
            size += sum(16 + len(payload) for _, _, payload in fast.frames)
            fast.frames.clear()
        assert size >= 40 << 20, f"only {size} bytes in a minute"
        # Room comes with reading, and the account with the frames after it.
        assert slow.call(PING)[0] == 0, "it is a client like any other afterwards"
        accounts = [payload for kind, _, payload in slow.frames if kind == CLIENT_LOST]
        frames, lost, _ = struct.unpack("<QQQ", accounts[-1])
        got = sum(16 + len(payload) for kind, _, payload in slow.frames)
        assert frames > 0 and abs(got + lost - size) < size // 20, (got, lost, size)


@test
def noise_from_a_client_hurts_nobody():
    with Guest("shop") as shop, Client(shop) as loud, Client(shop) as calm:
        loud.socket.sendall(os.urandom(100_000))
        loud.socket.sendall(HEADER.pack(MAGIC, 999, 0, 0, 1))
        loud.socket.sendall(HEADER.pack(MAGIC, REPLY, 0, 4, 2) + b"text")
        loud.socket.sendall(HEADER.pack(MAGIC, PING, 0, 1 << 30, 3))
        assert loud.call(12345, sequence=77)[0] == ENOTSUP
        assert calm.call(PING)[0] == 0
        assert loud.call(STOP, b"\0", sequence=78)[0] == EINVAL


@test
def stop_is_answered_when_the_guest_is_gone():
    with Guest("shop") as shop, Client(shop) as client:
        client.until(METRICS)
        status, _ = client.call(STOP, struct.pack("<II", 2000, 0))
        assert status == 0
        states = [struct.unpack_from("<I", p)[0] for kind, _, p in client.frames if kind == STATE]
        assert states[-1] == 7, states
        assert client.receive() is None


@test
def a_guest_that_ignores_shutdown_is_ended_after_its_grace_time():
    with Guest("crash", "--hang-timeout", "0", arguments=["kind=spin-irqs-off"]) as guest:
        time.sleep(0.5)
        began = time.monotonic()
        uniscope("stop", "--grace", "1", guest.name)
        assert time.monotonic() - began > 0.9


@test
def clients_see_a_crash_asked_for_and_its_dump():
    with Guest("shop") as shop, Client(shop) as client:
        client.until(METRICS)
        client.send(CRASH, struct.pack("<II", 8, 0))
        while client.receive():
            pass
        states = [struct.unpack_from("<I", p)[0] for kind, _, p in client.frames if kind == STATE]
        assert states[-1] == CRASHED, states
        last = [p for kind, _, p in client.frames if kind == STATE][-1]
        dump = last[104:168].rstrip(b"\0").decode()
        assert dump, "the dump is not named"
        assert shop.name in uniscope("dumps", "info", dump).stdout


@test
def a_guest_that_hears_nothing_crashes_by_nmi_when_asked():
    with Guest("crash", "--hang-timeout", "0", arguments=["kind=spin-irqs-off"]) as guest:
        time.sleep(0.5)
        with Client(guest) as client:
            client.send(CRASH, struct.pack("<II", 8, 0))
            client.until(PANIC)
            while client.receive():
                pass


@test
def the_host_dumps_a_guest_whose_qemu_was_killed():
    with Guest("shop") as shop, Client(shop) as client:
        pid = struct.unpack_from("<II", client.until(STATE))[1]
        client.until(METRICS)
        os.kill(pid, signal.SIGKILL)
        while client.receive():
            pass
        text = uniscope("dumps", "info", shop.name).stdout
        assert "QEMU was killed by signal 9" in text, text
        assert "written by the host, complete" in text, text
        # Its memory is there: a table that the guest fills while it boots.
        store = pathlib.Path(os.environ["XDG_STATE_HOME"]) / "uniscope" / "dumps"
        core = max(store.iterdir(), key=lambda entry: int(entry.name)) / "core"
        result = run("gdb", "-nx", "-batch", "-ex", "p *(long *)&idt != 0", shop.image, core)
        assert "$1 = 1" in result.stdout, result


@test
def what_does_not_even_panic_is_ended_and_dumped():
    with Guest("shop", "--hang-timeout", "1") as shop, Client(shop) as client:
        pid = struct.unpack_from("<II", client.until(STATE))[1]
        client.until(METRICS)
        os.kill(pid, signal.SIGSTOP)
        while client.receive():
            pass
        text = uniscope("dumps", "info", shop.name).stdout
        assert "it hung: no heartbeat came" in text, text
        assert "written by the host, complete" in text, text


@test
def a_triple_fault_is_dumped_by_the_host_with_registers():
    with Guest("shop", "--cpus", "2") as shop, Client(shop) as client:
        client.until(METRICS)
        # Without a table of handlers the next interrupt is the last.
        uniscope("gdb", shop.name, "--", "-nx", "-batch",
                 "-ex", "python gdb.selected_inferior().write_memory("
                        "int(gdb.parse_and_eval('(long)&idt')), bytes(4096))")
        while client.receive():
            pass
        text = uniscope("dumps", "info", shop.name).stdout
        assert "triple fault" in text and "written by the host, complete" in text, text
        # The machine is found where it was: a place, and who called it.
        assert re.search(r"#1 +\w+ at \w+\.[chS]:\d+", text), text


@contextlib.contextmanager
def gdb_port(guest):
    with socket.socket(socket.AF_UNIX) as port:
        port.connect(str(guest.socket("gdb")))
        port.settimeout(10)
        yield port


@test
def gdb_holds_the_guest_and_lets_it_go_by_closing():
    with Guest("shop", "--hang-timeout", "1") as shop, Client(shop) as client:
        client.until(METRICS)
        with gdb_port(shop) as port:
            port.sendall(b"+$?#3f")
            assert port.recv(4096)
            # A held guest is not hung: longer than it takes to give one up (5 s after the
            # hang timeout).
            time.sleep(8)
            with gdb_port(shop) as second:
                assert second.recv(64) == b"", "a second gdb got in"
            states = []
            while not states or states[-1] != DEBUGGED:
                states.append(struct.unpack_from("<I", client.until(STATE))[0])
        for _ in range(3):
            client.until(METRICS)
        assert PANIC not in [kind for kind, _, _ in client.frames], "it was taken for hung"
        wait_for("the state to follow",
                 lambda: struct.unpack_from("<I", client.until(STATE))[0] == RUNNING)


@test
def gdb_gets_into_a_guest_that_spins_with_interrupts_off():
    with Guest("crash", "--hang-timeout", "0", arguments=["kind=spin-irqs-off"]) as guest:
        time.sleep(0.5)
        with gdb_port(guest) as port:
            port.sendall(b"+$?#3f")
            assert port.recv(4096)


@test
def a_dump_cut_by_the_end_of_qemu_is_kept_as_incomplete():
    with Guest("shop", "--memory", "512", arguments=["leak=1073741824"]) as shop:
        with Client(shop) as client:
            pid = struct.unpack_from("<II", client.until(STATE))[1]
            client.until(METRICS)
            client.send(CRASH, struct.pack("<II", 8, 0))
            while client.receive()[0] != PANIC:
                pass
            os.kill(pid, signal.SIGKILL)
            while client.receive():
                pass
        text = uniscope("dumps", "info", shop.name).stdout
        assert "INCOMPLETE: QEMU ended while the guest wrote its dump" in text, text


main()
