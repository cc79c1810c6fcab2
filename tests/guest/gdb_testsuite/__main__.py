# SPDX-License-Identifier: MIT
"""Runs GDB's own testsuite against the guest's stub: ./dev gdb-testsuite [DIRECTORY|FILE...]."""

import argparse
import os
import pathlib
import sys

from gdb_testsuite import report, runner, suite_source

# Directories that a run without arguments takes.
DIRECTORIES = (
    "gdb.base gdb.mi gdb.python gdb.cp gdb.reverse gdb.trace gdb.threads gdb.opt gdb.linespec"
).split()

# These would cost more than all the others of their directory, and test gdb's own tests.
LEFT_OUT = {"gdb.base/gdb-caching-proc.exp"}


def find_files(suite, words):
    """The .exp files that the words name, in order."""
    names = []
    for word in words:
        path = suite / word
        if path.is_dir():
            found = sorted(path.glob("*.exp"))
        elif path.is_file():
            found = [path]
        else:
            raise SystemExit(f"gdb-testsuite: no {word} in gdb's testsuite")
        names += [file.relative_to(suite).as_posix() for file in found]
    return [name for name in names if name not in LEFT_OUT or name in words]


def main():
    parser = argparse.ArgumentParser(prog="./dev gdb-testsuite", description=__doc__)
    parser.add_argument("what", nargs="*", default=DIRECTORIES, help="gdb.base, gdb.base/break.exp")
    parser.add_argument("--stubs", default="ours", help="of ours,qemu,gdbserver; or all")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--timeout", type=int, default=180, help="seconds a file may take")
    parser.add_argument("--fresh", action="store_true", help="run again what is known already")
    parser.add_argument("--boots-only", action="store_true", help="files that booted a guest before")
    arguments = parser.parse_args()
    stubs = list(runner.BOARDS) if arguments.stubs == "all" else arguments.stubs.split(",")
    build = pathlib.Path(os.environ.get("UNI_BUILD", "build")).resolve()
    folder = build / "gdb-testsuite"
    try:
        suite = suite_source.testsuite_folder()
    except suite_source.Missing as reason:
        raise SystemExit(f"gdb-testsuite: {reason}") from None
    names = find_files(suite, arguments.what)
    if arguments.boots_only:
        ours = runner.Board("ours", suite, build, folder)
        names = [name for name in names if (ours.known(name) or {"boots": 0})["boots"]]
    results = {}
    for stub in stubs:
        board = runner.Board(stub, suite, build, folder)
        progress = report.Progress(stub, len(names))
        results[stub] = runner.run_all(
            board, names, arguments.jobs, arguments.timeout, progress.tell, arguments.fresh
        )
    text = report.render(results)
    print(text)
    (folder / "report.txt").write_text(text + "\n")
    return 1 if any(result["counts"].get("FAIL") for result in results[stubs[0]].values()) else 0


sys.exit(main())
