# SPDX-License-Identifier: MIT
"""Runs inside gdb: prints one JSON line with every thread's frames, and the current thread."""

import json

import gdb  # pylint: disable=import-error

FRAMES_MAX = 64


def frames():
    frame, found = gdb.newest_frame(), []
    while frame is not None and len(found) < FRAMES_MAX:
        place = frame.find_sal()
        found.append(
            {
                "function": frame.name(),
                "file": place.symtab.filename if place.symtab else None,
                "line": place.line,
                "trap": frame.type() == gdb.SIGTRAMP_FRAME,
            }
        )
        reason = frame.unwind_stop_reason()
        frame = frame.older()
    return {"frames": found, "end": gdb.frame_stop_reason_string(reason)}


def threads():
    found = {}
    for thread in gdb.selected_inferior().threads():
        thread.switch()
        found[thread.ptid[1]] = frames()
    return found


current = gdb.selected_thread().ptid[1]
print("backtraces " + json.dumps({"current": current, "threads": threads()}))
