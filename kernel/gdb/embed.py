# SPDX-License-Identifier: MIT
"""Build step: turns the Python files beside it into an assembler file whose section
.debug_gdb_scripts gdb runs when it opens an image (GDB manual, "dotdebug_gdb_scripts section").

    embed.py OUTPUT.S FILE.py...

An entry is the byte 4, then "name\\nscript\\0", and nothing between two entries. There is one: a
loader with the sources of a package, so that the files import each other as files do, and with what
the compiler of this Python makes of them, for a gdb with the same one: that is most of the time to load
them.
"""

import base64
import marshal
import pathlib
import sys

ENTRY_PYTHON_TEXT = 4
PIECE = 64

LOADER = '''\
import importlib
import importlib.machinery
import marshal
import sys
from binascii import a2b_base64


class UniscopeFinder:
    """The package of this image, in memory. No child of importlib.abc: to import that takes as long as
    all the rest."""

    def find_spec(self, name, path=None, target=None):
        if name in SOURCES:
            return importlib.machinery.ModuleSpec(name, self, is_package=name == PACKAGE)
        return None

    def create_module(self, spec):
        return None

    def exec_module(self, module):
        exec(self.get_code(module.__name__), module.__dict__)

    def get_code(self, name):
        if sys.implementation.cache_tag == CODE_TAG:
            return marshal.loads(a2b_base64(CODES[name]))
        return compile(SOURCES[name], f"<{name}>", "exec")

    def get_source(self, name):
        return SOURCES[name]


PACKAGE = "uniscope_gdb"
# The image that was opened last counts, as for its symbols.
for name in [n for n in sys.modules if n.split(".")[0] == PACKAGE]:
    del sys.modules[name]
sys.meta_path[:] = [f for f in sys.meta_path if type(f).__name__ != "UniscopeFinder"]
sys.meta_path.insert(0, UniscopeFinder())
importlib.import_module(PACKAGE)
'''

# A form of marshal's that is the same for the same source.
MARSHAL_VERSION = 2


def code_of(name, source):
    code = compile(source, f"<{name}>", "exec")
    return base64.b64encode(marshal.dumps(code, MARSHAL_VERSION)).decode()


def script(paths):
    sources = {}
    for path in paths:
        name = "uniscope_gdb" if path.stem == "__init__" else f"uniscope_gdb.{path.stem}"
        sources[name] = path.read_text()
    codes = {name: code_of(name, source) for name, source in sources.items()}
    return (
        f"SOURCES = {sources!r}\nCODES = {codes!r}\nCODE_TAG = {sys.implementation.cache_tag!r}\n{LOADER}"
    )


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
