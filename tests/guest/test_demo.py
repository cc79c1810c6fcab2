# SPDX-License-Identifier: MIT
"""./dev demo without a terminal: its four parts, and that nothing is left of it."""

import glob
import os
import re

from harness import BUILD, SOURCE, main, run, test


@test
def shows_its_four_parts_and_leaves_nothing():
    before = set(glob.glob("/tmp/uniscope-demo.*"))
    text = run(SOURCE / "tests" / "demo" / "demo", timeout=120, env={**os.environ, "UNI_BUILD": str(BUILD)}).stdout
    parts = re.split(r"^=== .*\n", text, flags=re.MULTILINE)[1:]
    assert len(parts) == 5, text
    guests, one, threads, trace, crash = parts
    assert re.search(r"^ shop +running", guests, re.M) and re.search(r"^ web +running", guests, re.M)
    assert re.search(r"^ worker-1 ", one, re.M), one
    assert threads.count("\nThread ") >= 12 and "thread_start ()" in threads, threads
    assert "??" not in threads, threads
    assert re.search(r"^sched:switch +[1-9]", trace, re.M) and "events lost" in trace, trace
    assert "order_price" in crash and "(crashed, vCPU" in crash, crash
    assert set(glob.glob("/tmp/uniscope-demo.*")) == before


main()
