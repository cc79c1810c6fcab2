# SPDX-License-Identifier: MIT
"""What the runs came to: a table by directory, then each thing that is not as it should be."""

import collections
import sys

COLUMNS = ("PASS", "FAIL", "UNSUPPORTED", "UNTESTED", "KFAIL", "XFAIL", "UNRESOLVED", "ERROR")


class Progress:
    """A line for each file as it ends."""

    def __init__(self, stub, total):
        self.stub = stub
        self.total = total
        self.done = 0

    def tell(self, name, result, was_known):
        """One more is there."""
        self.done += 1
        counts = result["counts"]
        if was_known:
            return
        words = ", ".join(f"{counts[key]} {key}" for key in COLUMNS if counts.get(key))
        late = ", time was up" if result["timed_out"] else ""
        print(
            f"[{self.stub} {self.done}/{self.total}] {name}: {words or 'nothing'}{late}"
            f" ({result['boots']} boots, {result['time_s']} s)",
            file=sys.stderr,
            flush=True,
        )


def _sum(results):
    total = collections.Counter()
    for result in results:
        total.update(result["counts"])
        total["files"] += 1
        total["booted"] += bool(result["boots"])
        total["late"] += bool(result["timed_out"])
        total["time"] += result["time_s"]
    return total


def _row(label, stub, total):
    cells = [f"{total[key]:>9}" for key in ("files", "booted", *COLUMNS[:4], "late")]
    return f"{label:<14}{stub:<10}{''.join(cells)}{total['time']:>9.0f}"


def render(results):
    """results: stub -> file -> result."""
    heads = ("files", "booted", "PASS", "FAIL", "UNSUPP", "UNTESTED", "late", "time s")
    lines = [f"{'':<14}{'stub':<10}" + "".join(f"{head:>9}" for head in heads)]
    names = sorted({name.split("/")[0] for files in results.values() for name in files})
    for directory in [*names, ""]:
        for stub, files in results.items():
            chosen = [files[name] for name in files if name.startswith(directory)]
            lines.append(_row(directory or "all", stub, _sum(chosen)))
    for stub, files in results.items():
        bad = [(name, line) for name in sorted(files) for line in files[name]["bad"]]
        if bad:
            lines += ["", f"Not as it should be, {stub}:"]
            lines += [f"  {line}" for _, line in bad]
    return "\n".join(lines)
