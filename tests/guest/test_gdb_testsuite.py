# SPDX-License-Identifier: MIT
"""Twenty files of GDB's own testsuite, from each class that works, against the guest's stub.

The whole of it is ./dev gdb-testsuite, which also brings the source package that these come from.
"""

import os
import shutil

# As the user has it, before main() gives the test a home of its own.
CACHE = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")

from gdb_testsuite import runner, suite_source  # noqa: E402
from harness import BUILD, main, skip, test  # noqa: E402

# file: the PASSes it had when it was added
FILES = {
    "gdb.base/advance.exp": 8,
    "gdb.base/arithmet.exp": 35,
    "gdb.base/assign.exp": 38,
    "gdb.base/bitfields.exp": 47,
    "gdb.base/call-sc.exp": 162,
    "gdb.base/callexit.exp": 4,
    "gdb.base/display.exp": 52,
    "gdb.base/dump.exp": 190,
    "gdb.base/finish.exp": 28,
    "gdb.base/frameapply.exp": 30,
    "gdb.base/list.exp": 129,
    "gdb.base/return.exp": 5,
    "gdb.base/store.exp": 220,
    "gdb.cp/method.exp": 14,
    "gdb.mi/mi-break.exp": 116,
    "gdb.opt/inline-bt.exp": 18,
    "gdb.python/py-frame.exp": 20,
    "gdb.cp/overload.exp": 20,
    "gdb.threads/bp_in_thread.exp": 3,
    "gdb.linespec/keywords.exp": 32,
}


def testsuite():
    """The testsuite of the user's cache, or a skip."""
    os.environ["XDG_CACHE_HOME"] = CACHE
    if not shutil.which("runtest"):
        skip("dejagnu is not installed: ./dev gdb-testsuite installs it")
    try:
        return suite_source.testsuite_folder(offline=True)
    except suite_source.Missing as reason:
        skip(f"{reason}: ./dev gdb-testsuite fetches it")


@test
def twenty_files_of_gdbs_own_testsuite_pass():
    suite = testsuite()
    board = runner.Board("ours", suite, BUILD, BUILD / "gdb-testsuite" / "quick")
    wrong = []

    def look(name, result, _):
        counts = result["counts"]
        if counts.get("PASS", 0) < FILES[name] or result["bad"] or result["timed_out"]:
            wrong.append(f"{name}: {counts} instead of {FILES[name]} PASS {result['bad']}")

    runner.run_all(board, FILES, 2, 60, look, fresh=True)
    assert not wrong, "\n".join(wrong)


main()
