# SPDX-License-Identifier: MIT
"""Runs files of GDB's testsuite on a board, some at a time, and keeps what came out."""

import collections
import concurrent.futures
import contextlib
import hashlib
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import threading
import time

from gdb_testsuite import guest_kit

HERE = pathlib.Path(__file__).resolve().parent
BOARDS = {"ours": "uniscope", "qemu": "uniscope-qemu", "gdbserver": "uniscope-gdbserver"}
OUTCOME = re.compile(
    r"^(PASS|FAIL|KPASS|KFAIL|XPASS|XFAIL|UNRESOLVED|UNTESTED|UNSUPPORTED|DUPLICATE|ERROR): (.*)$"
)
BAD = ("FAIL", "KPASS", "XPASS", "UNRESOLVED", "ERROR")


def _braces(words):
    return "{" + " ".join(words) + "}"


def _digest(*paths):
    whole = hashlib.sha256()
    for path in paths:
        whole.update(path.read_bytes())
    return whole.hexdigest()


class Board:
    """One kind of stub: its settings, its folder, its results."""

    def __init__(self, name, suite, build, folder):
        self.name = name
        self.suite = suite
        self.folder = folder / name
        self.results = self.folder / "results"
        self.stopped = threading.Event()
        self.results.mkdir(parents=True, exist_ok=True)
        self.kit = None if name == "gdbserver" else guest_kit.build_kit(build, self.folder / "kit")
        files = sorted((HERE / "boards").glob("*.exp")) + [HERE / "boot", HERE / "runner.py"]
        if self.kit:
            files += [self.kit / "guest.o", self.kit / "libc.a", self.kit / "guest.ld"]
        self.key = _digest(*files)

    def stop(self):
        """Ends what runs; its results are not kept."""
        self.stopped.set()

    def _settings(self, objdir, sockets):
        target = "x86_64-pc-linux-gnu" if self.name == "gdbserver" else "x86_64-unknown-elf"
        lines = [
            "set tool gdb",
            f'set srcdir "{self.suite}"',
            f'set objdir "{objdir}"',
            "set host_triplet x86_64-pc-linux-gnu",
            "set build_triplet x86_64-pc-linux-gnu",
            f"set target_triplet {target}",
            f"set target_alias {target}",
            "set GDB gdb",
            "set GDB_PARALLEL yes",
            'set GDB_DATA_DIRECTORY ""',
            "set enable_libctf 0",
            f'lappend boards_dir "{HERE / "boards"}" "{self.suite / "boards"}"',
        ]
        if self.kit:
            flags, libraries = guest_kit.link_flags(self.kit)
            lines += [
                f"set UNI_KIT_CFLAGS {_braces(guest_kit.ABI_FLAGS)}",
                f"set UNI_KIT_LDFLAGS {_braces(flags)}",
                f"set UNI_KIT_LIBS {_braces(libraries)}",
                f'set UNI_BOOT "{HERE / "boot"}"',
                f'set UNI_SOCKETS "{sockets}"',
            ]
        return "\n".join(lines) + "\n"

    def result_path(self, name):
        """Where the result of a file such as gdb.base/break.exp lies."""
        return self.results / (name + ".json")

    def known(self, name):
        """The result of an earlier run of the same thing, or None."""
        with contextlib.suppress(OSError, ValueError):
            result = json.loads(self.result_path(name).read_text())
            if result["key"] == self.key:
                return result
        return None

    def run(self, name, timeout_s):
        """Runs one file and keeps its result."""
        sockets = pathlib.Path(tempfile.mkdtemp(prefix="uni-gts-", dir="/tmp"))
        out = self.folder / "logs" / name
        shutil.rmtree(out, ignore_errors=True)
        for folder in (out / "outputs", out / "temp", self.folder / "cache"):
            folder.mkdir(parents=True, exist_ok=True)
        # One test takes it for a file that is there.
        (out / "Makefile").touch()
        # What the tests find out about tools once is good for all of them.
        (out / "cache").symlink_to(self.folder / "cache")
        (out / "site.exp").write_text(self._settings(out, sockets))
        started = time.monotonic()
        timed_out = self._run_group(
            ["runtest", "--tool", "gdb", "--target_board", BOARDS[self.name], name],
            {**os.environ, "LC_ALL": "C", "TERM": "dumb"},
            out,
            out / "output",
            timeout_s,
        )
        result = {
            "key": self.key,
            "time_s": round(time.monotonic() - started, 2),
            "timed_out": timed_out,
            "boots": len(list(sockets.glob("*.boot"))),
            **_read_summary(out / "gdb.sum"),
        }
        shutil.rmtree(sockets, ignore_errors=True)
        path = self.result_path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        if not self.stopped.is_set():
            path.write_text(json.dumps(result, indent=1))
        return result

    def _run_group(self, words, environment, folder, output, timeout_s):
        """Runs it in a session of its own, whose processes end with it. True if its time was up."""
        with open(output, "wb") as sink:
            process = subprocess.Popen(
                [str(word) for word in words],
                cwd=folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        ends = time.monotonic() + timeout_s
        try:
            while not self.stopped.is_set() and time.monotonic() < ends:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(0.25)
                    return False
            os.killpg(process.pid, signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(5)
            return True
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _read_summary(path):
    counts, bad = collections.Counter(), []
    with contextlib.suppress(OSError):
        for line in path.read_text(errors="replace").splitlines():
            found = OUTCOME.match(line)
            if found:
                counts[found.group(1)] += 1
                if found.group(1) in BAD:
                    bad.append(line)
    return {"counts": dict(counts), "bad": bad}


def run_all(board, names, jobs, timeout_s, on_result, fresh=False):
    """Runs what is not known yet; on_result(name, result, was_known) for each file. Interrupted, it
    begins no more of them, ends those that run, and returns what there is."""
    results = {}
    pool = concurrent.futures.ThreadPoolExecutor(jobs)
    waiting = {}
    try:
        for name in names:
            known = None if fresh else board.known(name)
            if known:
                results[name] = known
                on_result(name, known, True)
            else:
                waiting[pool.submit(board.run, name, timeout_s)] = name
        for done in concurrent.futures.as_completed(waiting):
            name = waiting[done]
            results[name] = done.result()
            on_result(name, results[name], False)
    except KeyboardInterrupt:
        pass
    finally:
        if len(results) < len(names):
            board.stop()
        pool.shutdown(cancel_futures=True)
    return results
