# SPDX-License-Identifier: MIT
"""Files of GDB's own testsuite, from each class that works, against the guest's stub.

The whole of it is ./dev gdb-testsuite.
"""

import os

# As the user has it, before main() gives the test a home of its own.
CACHE = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")

from gdb_testsuite import runner, suite_source  # noqa: E402
from harness import BUILD, main, skip, test  # noqa: E402

# Seconds that a file may take; on an idle machine it is one to three.
TIME_LIMIT_S = 120

# Lines of gdb's log that are shown up to a FAIL.
SHOWN = 12

# Of each class as many as are quick: what a program needs -> file -> the PASSes that it has at least.
FILES = {
    "nothing": {
        "gdb.arch/amd64-break-on-asm-line.exp": 1,
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
        "gdb.base/gdb11531.exp": 3,
        "gdb.base/store.exp": 220,
        "gdb.base/watch-cond.exp": 8,
        "gdb.cp/method.exp": 14,
        "gdb.cp/overload.exp": 20,
        "gdb.linespec/keywords.exp": 32,
        "gdb.mi/gdb2549.exp": 9,
        "gdb.mi/mi-break.exp": 116,
        "gdb.opt/inline-bt.exp": 18,
        "gdb.python/flexible-array-member.exp": 30,
        "gdb.python/py-frame.exp": 20,
        "gdb.trace/backtrace.exp": 66,
        "gdb.trace/report.exp": 102,
        "gdb.trace/tfind.exp": 90,
        "gdb.trace/while-stepping.exp": 18,
    },
    "stdio": {
        "gdb.arch/amd64-byte.exp": 58,
        "gdb.arch/amd64-dword.exp": 46,
        "gdb.arch/amd64-word.exp": 46,
        "gdb.arch/i386-byte.exp": 26,
        "gdb.base/array-repeat.exp": 33,
        "gdb.base/completion.exp": 126,
        "gdb.base/condbreak.exp": 33,
        "gdb.base/define.exp": 44,
        "gdb.base/list.exp": 129,
        "gdb.base/long-inferior-output.exp": 3,
        "gdb.base/maint-info-sections.exp": 20,
        "gdb.base/pc-fp.exp": 7,
        "gdb.base/remote.exp": 36,
        "gdb.base/restore.exp": 157,
        "gdb.base/return.exp": 5,
        "gdb.base/step-bt.exp": 6,
        "gdb.cp/fpointer.exp": 6,
        "gdb.mi/gdb792.exp": 12,
        "gdb.mi/mi-console.exp": 5,
        "gdb.mi/mi-stack.exp": 29,
        "gdb.python/py-unwind.exp": 6,
    },
    "time": {
        "gdb.base/annota-input-while-running.exp": 6,
        "gdb.base/bg-execution-repeat.exp": 10,
        "gdb.base/infcall-input.exp": 2,
        "gdb.base/interrupt-a.exp": 3,
        "gdb.base/interrupt-noterm.exp": 7,
        "gdb.base/paginate-after-ctrl-c-running.exp": 6,
        "gdb.base/paginate-bg-execution.exp": 6,
        "gdb.base/paginate-execution-startup.exp": 1,
        "gdb.base/paginate-inferior-exit.exp": 4,
        "gdb.mi/mi-async-run.exp": 2,
    },
    "threads": {
        "gdb.mi/gdb669.exp": 52,
        "gdb.mi/interrupt-thread-group.exp": 11,
        "gdb.mi/mi-cmd-user-context.exp": 28,
        "gdb.mi/mi-pthreads.exp": 19,
        "gdb.mi/mi-threads-interrupt.exp": 5,
        "gdb.python/py-thrhandle.exp": 24,
        "gdb.threads/bp_in_thread.exp": 3,
        "gdb.threads/hand-call-new-thread.exp": 8,
        "gdb.threads/info-threads-cur-sal.exp": 7,
        "gdb.threads/leader-exit.exp": 5,
        "gdb.threads/local-watch-wrong-thread.exp": 16,
        "gdb.threads/manythreads.exp": 12,
        "gdb.threads/non-ldr-exit.exp": 4,
        "gdb.threads/pthread_cond_wait.exp": 4,
        "gdb.threads/schedlock-thread-exit.exp": 3,
        "gdb.threads/step-over-exec.exp": 48,
        "gdb.threads/stop-with-handle.exp": 3,
        "gdb.threads/switch-threads.exp": 3,
        "gdb.threads/thread-specific.exp": 14,
        "gdb.threads/thread_check.exp": 4,
        "gdb.threads/threxit-hop-specific.exp": 4,
        "gdb.threads/watchthreads.exp": 11,
    },
    "no program of its own": {
        "gdb.arch/amd64-osabi.exp": 12,
        "gdb.arch/arc-tdesc-cpu.exp": 2,
        "gdb.arch/i386-biarch-core.exp": 4,
        "gdb.arch/ppc64-symtab-cordic.exp": 1,
        "gdb.arch/s390-disassembler-options.exp": 1,
        "gdb.base/address_space_qualifier.exp": 4,
        "gdb.base/alias.exp": 58,
        "gdb.base/array-indices.exp": 34,
        "gdb.base/bad-file.exp": 3,
        "gdb.base/bitops.exp": 32,
        "gdb.base/bitshift.exp": 1,
        "gdb.base/define-prefix.exp": 21,
        "gdb.base/dfp-exprs.exp": 262,
        "gdb.base/hw-sw-break-same-address.exp": 9,
        "gdb.cp/array-indices.exp": 34,
        "gdb.cp/array-repeat.exp": 33,
        "gdb.cp/debug-expr.exp": 5,
        "gdb.cp/demangle.exp": 32,
        "gdb.cp/infcall-nodebug-c-d0.exp": 3,
        "gdb.cp/maint.exp": 56,
    },
    "files and other rare things": {
        "gdb.base/a2-run.exp": 2,
        "gdb.base/call-ar-st.exp": 46,
        "gdb.base/call-rt-st.exp": 17,
        "gdb.base/call-strs.exp": 18,
        "gdb.base/catch-gdb-caused-signals.exp": 6,
        "gdb.base/corefile-buildid.exp": 16,
        "gdb.base/dfp-test.exp": 187,
        "gdb.base/ending-run.exp": 16,
        "gdb.base/interrupt.exp": 9,
        "gdb.base/maint.exp": 50,
        "gdb.base/nested-subp2.exp": 7,
        "gdb.base/nested-subp3.exp": 4,
        "gdb.base/unwind-on-each-insn.exp": 64,
        "gdb.base/varargs.exp": 12,
        "gdb.base/wchar.exp": 15,
        "gdb.cp/inherit.exp": 162,
        "gdb.cp/virtfunc.exp": 57,
        "gdb.python/py-prettyprint.exp": 111,
        "gdb.reverse/break-precsave.exp": 19,
        "gdb.reverse/consecutive-reverse.exp": 8,
        "gdb.reverse/finish-reverse-bkpt.exp": 7,
        "gdb.reverse/machinestate-precsave.exp": 85,
        "gdb.reverse/singlejmp-reverse.exp": 7,
        "gdb.reverse/until-precsave.exp": 17,
        "gdb.reverse/watch-reverse.exp": 32,
        "gdb.threads/killed.exp": 3,
    },
}


def testsuite():
    """The testsuite of the user's cache, fetched if it is not there, or a skip."""
    os.environ["XDG_CACHE_HOME"] = CACHE
    try:
        return suite_source.testsuite_folder()
    except suite_source.Missing as reason:
        skip(str(reason))


def before_failures(log):
    """What gdb said up to each thing that is not as it should be."""
    try:
        lines = log.read_text(errors="replace").splitlines()
    except OSError:
        return []
    shown = []
    for number, line in enumerate(lines):
        if line.removeprefix("(gdb) ").startswith(tuple(f"{word}: " for word in runner.BAD)):
            shown += lines[max(0, number - SHOWN) : number + 1]
    return shown


def check(kind):
    """Runs the files of a class, and raises with gdb's log where one is not as it was."""
    files = FILES[kind]
    board = runner.Board("ours", testsuite(), BUILD, BUILD / "gdb-testsuite" / "quick")
    wrong = []

    def look(name, result, _):
        counts = result["counts"]
        if counts.get("PASS", 0) < files[name] or result["bad"] or result["timed_out"]:
            wrong.append(f"{name}: {counts}, not {files[name]} PASS")
            wrong.extend(before_failures(board.folder / "logs" / name / "gdb.log"))

    runner.run_all(board, files, 2, TIME_LIMIT_S, look, fresh=True)
    assert not wrong, "\n".join(wrong)


@test
def gdbs_tests_of_programs_that_need_nothing_pass():
    check("nothing")


@test
def gdbs_tests_of_programs_that_print_pass():
    check("stdio")


@test
def gdbs_tests_of_programs_that_wait_pass():
    check("time")


@test
def gdbs_tests_of_programs_with_threads_pass():
    check("threads")


@test
def gdbs_tests_without_a_program_of_their_own_pass():
    check("no program of its own")


@test
def gdbs_tests_of_rare_things_pass():
    check("files and other rare things")


main()
