# SPDX-License-Identifier: MIT
"""Copies of the tree that are built beside it: one that has every mutant, and a mutant chosen in it; one as
it is, for mutants that a hand wrote."""

import contextlib
import os
import pathlib
import subprocess

from harness import SOURCE
from mutation.sites import rewrite

MARK = b"uniscope mutants"  # mutant.h: struct uni_mutant starts with it
OWN = 32  # where in it the bytes of the sites begin
HEADER = pathlib.Path(__file__).with_name("mutant.h")


def tree_files():
    """Names of the files of the tree, tracked or about to be."""
    words = ["git", "-C", SOURCE, "ls-files", "-co", "--exclude-standard"]
    listed = subprocess.run(words, check=True, capture_output=True, text=True)
    return sorted(name for name in listed.stdout.splitlines() if (SOURCE / name).is_file())


class CopiedTree:
    """The tree in `folder`/source, built in `folder`/build."""

    compiler_flags = ""

    def __init__(self, folder):
        self.folder = folder
        self.source = folder / "source"
        self.build = folder / "build"
        for name in tree_files():
            self.put(name, self.transform(name, (SOURCE / name).read_bytes()))
            (self.source / name).chmod((SOURCE / name).stat().st_mode)
        # The lints ask git for the files.
        subprocess.run(["git", "init", "-q", self.source], check=True)
        self.compile()

    def transform(self, name, data):
        return data

    def put(self, name, data):
        """Writes a file, if that changes it: a build does what changed."""
        target = self.source / name
        if not target.is_file() or target.read_bytes() != data:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)

    def compile(self):
        if not (self.build / "build.ninja").is_file():
            environment = {**os.environ, "CFLAGS": self.compiler_flags}
            words = ["meson", "setup", self.build, self.source]
            subprocess.run(words, env=environment, check=True, stdout=subprocess.DEVNULL)
        words = ["ninja", "-C", self.build, "--quiet", "all", "meson-test-prereq"]
        subprocess.run(words, check=True, stdout=subprocess.DEVNULL)

    def environment(self):
        """What a test of it is run with."""
        return {
            "UNI_BUILD": str(self.build),
            "UNI_SOURCE": str(self.source),
            "PYTHONPATH": str(self.source / "tests"),
            "LC_ALL": "C.UTF-8",
        }

    @contextlib.contextmanager
    def edited(self, edit):
        """The tree with a mutant that a hand wrote (edits.py), built as far as it builds: a lint is there to
        see what does not. What is built afterwards is still the mutant's."""
        data = (self.source / edit.file).read_bytes() if (self.source / edit.file).is_file() else b""
        text = data.decode()
        assert edit.old in text, f"{edit.file} has no {edit.old!r} any more: mend tests/mutation/edits.py"
        self.put(edit.file, text.replace(edit.old, edit.new, 1).encode())
        try:
            with contextlib.suppress(subprocess.CalledProcessError):
                self.compile()
            yield
        finally:
            if data:
                self.put(edit.file, data)
            else:
                (self.source / edit.file).unlink()


class MutantTree(CopiedTree):
    """Its C outside of tests/ rewritten; `sites` in the order of their numbers, from 1."""

    compiler_flags = f"-w -include {HEADER}"

    def __init__(self, folder):
        self.sites = []
        super().__init__(folder)

    def transform(self, name, data):
        if not name.endswith(".c") or name.startswith("tests/"):
            return data
        text, sites = rewrite(data.decode(), name, len(self.sites) + 1)
        self.sites += sites
        return text.encode()

    def environment(self, number=0):
        """With this mutant, 0 for none. Guests have it in their images."""
        for image in (self.build / "kernel").glob("*.elf"):
            at = image.read_bytes().find(MARK) + len(MARK)
            if at >= len(MARK):
                with image.open("r+b") as file:
                    file.seek(at)
                    file.write(number.to_bytes(4, "little"))
        path = f"{pathlib.Path(__file__).parent / 'bin'}:{os.environ['PATH']}"
        return {**super().environment(), "UNI_MUTANT": str(number), "PATH": path}

    def reached(self, folder):
        """The sites in what processes (mutant.h) and guests (bin/) of a test left in the folder."""
        found = set()
        for file in folder.iterdir():
            with file.open("rb") as opened:
                data = opened.read(16 << 20)  # images are loaded low
            if file.name != "reached":
                at = data.find(MARK)
                data = data[at + OWN :] if at >= 0 else b""
            found |= {n for n, hit in enumerate(data[: len(self.sites) + 1]) if hit and n}
        return sorted(found)
