# SPDX-License-Identifier: MIT
"""What an application weighs at the least."""

import pathlib
import tempfile

from harness import image, main, run, test

MOST = 200 << 10


@test
def hello_stripped_is_small():
    with tempfile.TemporaryDirectory() as folder:
        stripped = pathlib.Path(folder) / "hello"
        run("strip", "-o", stripped, image("hello"))
        size = stripped.stat().st_size
    assert size <= MOST, f"{size} bytes, {MOST} at most"


main()
