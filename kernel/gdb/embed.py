# SPDX-License-Identifier: MIT
"""Build step: turns the Python files beside it into an assembler file whose section
.debug_gdb_scripts gdb runs when it opens an image (GDB manual, "dotdebug_gdb_scripts section").

    embed.py OUTPUT.S FILE.py...

An entry is the byte 4, then "name\\nscript\\0", and nothing between two entries. There is one: a
loader with the sources of a package, so that the files import each other as files do.
"""

import pathlib
import sys

ENTRY_PYTHON_TEXT = 4
PIECE = 64

LOADER = '''\
import importlib.abc
import importlib.util
import sys


class UniscopeFinder(importlib.abc.MetaPathFinder, importlib.abc.InspectLoader):
    """The package of this image, in memory."""

    def __init__(self, sources):
        self.sources = sources

    def find_spec(self, name, path, target=None):
        if name in self.sources:
            return importlib.util.spec_from_loader(name, self)
        return None

    def get_source(self, name):
        return self.sources[name]

    def is_package(self, name):
        return name == PACKAGE


PACKAGE = "uniscope_gdb"
# The image that was opened last counts, as for its symbols.
for name in [n for n in sys.modules if n.split(".")[0] == PACKAGE]:
    del sys.modules[name]
sys.meta_path[:] = [f for f in sys.meta_path if type(f).__name__ != "UniscopeFinder"]
sys.meta_path.insert(0, UniscopeFinder(SOURCES))
importlib.import_module(PACKAGE)
'''


def script(paths):
    sources = {}
    for path in paths:
        name = "uniscope_gdb" if path.stem == "__init__" else f"uniscope_gdb.{path.stem}"
        sources[name] = path.read_text()
    return f"SOURCES = {sources!r}\n{LOADER}"


def assembler(data):
    yield "/* Made by kernel/gdb/embed.py. */"
    yield '\t.section .debug_gdb_scripts,"MS",@progbits,1'
    for at in range(0, len(data), PIECE):
        piece = data[at : at + PIECE]
        yield '\t.ascii "' + "".join(f"\\{byte:03o}" for byte in piece) + '"'
    yield '\t.section .note.GNU-stack,"",@progbits'


def main():
    output, *files = map(pathlib.Path, sys.argv[1:])
    text = script(files).encode()
    assert b"\0" not in text, "a NUL would end the entry"
    entry = bytes([ENTRY_PYTHON_TEXT]) + b"uniscope\n" + text + b"\0"
    output.write_text("\n".join(assembler(entry)) + "\n")


main()
