# SPDX-License-Identifier: MIT
"""What a tracepoint costs, in nanoseconds, beside reading the TSC.

    ./dev bench ring
"""

import subprocess
import sys

from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from harness import BUILD  # noqa: E402

subprocess.run(["ninja", "-C", BUILD, "--quiet", "tests/bench/ring"], check=True, stdout=sys.stderr)
subprocess.run([BUILD / "tests" / "bench" / "ring"], check=True)
