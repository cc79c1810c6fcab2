# SPDX-License-Identifier: MIT
"""gdb's end of the remote protocol, packet by packet: for tests that say what gdb never would, or say
it faster. Whatever the stub answers is held against the rules of framing."""

import re
import socket
import time

FRAME = re.compile(rb"\$([^#$]*)#([0-9a-f]{2})", re.S)
RUN = re.compile(rb"(.)\*(.)", re.S)
ESCAPED = re.compile(rb"\}(.)", re.S)


class Silence(AssertionError):
    """No answer in time."""


def frame(payload):
    """A payload as it goes over the wire, its special characters escaped."""
    escaped = re.sub(rb"[#$}*]", lambda found: b"}" + bytes([found.group()[0] ^ 0x20]), payload)
    return b"$%s#%02x" % (escaped, sum(escaped) % 256)


def _expand(found):
    count = found.group(2)[0] - 28
    assert 4 <= count <= 98, f"a run of {count}: {found.group()}"
    return found.group(1) * count


def decode(payload):
    """A payload as it was meant: runs expanded, escapes undone."""
    expanded = RUN.sub(_expand, payload)
    return ESCAPED.sub(lambda found: bytes([found.group(1)[0] ^ 0x20]), expanded)


class Stop:
    """A stop reply: signal, thread, and the pairs of key and value by key."""

    def __init__(self, text):
        found = re.fullmatch(rb"T([0-9a-f]{2})((?:[^:;]+:[^;]*;)*)", text)
        assert found, f"no stop reply: {text}"
        self.signal = int(found.group(1), 16)
        self.pairs = dict(pair.split(b":", 1) for pair in found.group(2).split(b";")[:-1])
        self.thread = int(self.pairs[b"thread"], 16)
        self.text = text.decode()

    @property
    def pc(self):
        """The expedited rip."""
        return int.from_bytes(bytes.fromhex(self.pairs[b"10"].decode()), "little")


class Remote:
    """A session in no-ack mode; the guest is stopped from the first packet on."""

    def __init__(self, path, timeout=60):
        self.timeout = timeout
        self.console = b""
        self._bytes = b""
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.connect(str(path))
        self._socket.sendall(b"+")
        self.supported = self._ask_acked(b"qSupported:swbreak+;hwbreak+").split(b";")
        assert self._ask_acked(b"QStartNoAckMode") == b"OK"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self._socket.close()

    def _ask_acked(self, payload):
        answer = self.ask(payload)
        self._socket.sendall(b"+")
        return answer

    def send_raw(self, data):
        self._socket.sendall(data)

    def send(self, payload):
        self._socket.sendall(frame(payload))

    def receive(self, timeout=None):
        """The next answer, decoded. What the guest prints meanwhile is added to `console`."""
        end = time.monotonic() + (self.timeout if timeout is None else timeout)
        while True:
            answer = self._take()
            if answer is None:
                self._fill(end)
            elif re.match(rb"O(?!K)", answer):
                self.console += bytes.fromhex(answer[1:].decode())
            else:
                return answer

    def _take(self):
        start = self._bytes.find(b"$")
        noise = self._bytes if start < 0 else self._bytes[:start]
        assert not noise.strip(b"+-"), f"between frames: {noise[:80]}"
        self._bytes = self._bytes[len(noise) :]
        end = self._bytes.find(b"#")
        if end < 0 or len(self._bytes) < end + 3:
            return None
        whole, self._bytes = self._bytes[: end + 3], self._bytes[end + 3 :]
        found = FRAME.fullmatch(whole)
        assert found, f"a bad frame: {whole[:200]}"
        assert sum(found.group(1)) % 256 == int(found.group(2), 16), f"a bad sum: {whole[:200]}"
        return decode(found.group(1))

    def _fill(self, end):
        self._socket.settimeout(max(0.001, end - time.monotonic()))
        try:
            piece = self._socket.recv(1 << 20)
        except TimeoutError:
            raise Silence("no answer in time") from None
        assert piece, "the guest closed the line"
        self._bytes += piece

    def ask(self, payload, timeout=None):
        self.send(payload)
        return self.receive(timeout)

    def synchronize(self):
        """After noise on the line: passes over what the stub made of it, in no-ack mode again."""
        self.send(b"QStartNoAckMode")
        self.send_raw(b"+")
        self.send(b"qC")
        while not self.receive().startswith(b"QC"):
            pass

    def ok(self, payload):
        """Sends what can only be answered with OK."""
        answer = self.ask(payload)
        assert answer == b"OK", f"{payload}: {answer}"

    def stop(self):
        """Why the guest is stopped."""
        return Stop(self.ask(b"?"))

    def resume(self, payload, patience):
        """Resumes and waits for the stop; after `patience` seconds Ctrl-C brings it."""
        self.send(payload)
        return self.await_stop(patience)

    def await_stop(self, patience):
        """The same, where it was resumed before."""
        try:
            return Stop(self.receive(patience))
        except Silence:
            self.send_raw(b"\x03")
            return Stop(self.receive())

    def read(self, address, length):
        data = b""
        while len(data) < length:
            answer = self.ask(b"m%x,%x" % (address + len(data), min(length - len(data), 0x8000)))
            assert len(answer) >= 2 and not answer.startswith(b"E"), f"{address:#x}: {answer}"
            data += bytes.fromhex(answer.decode())
        return data

    def threads(self):
        """The ids of all threads."""
        ids, answer = [], self.ask(b"qfThreadInfo")
        while answer != b"l":
            ids += [int(word, 16) for word in answer[1:].split(b",")]
            answer = self.ask(b"qsThreadInfo")
        return ids
