# SPDX-License-Identifier: MIT
"""Sees every test fail on broken code.

    ./dev mutate [--suite SUITE]... [--tries N] [TEST...]

Builds a copy of the tree once with every mutant in it (a condition turned round, a statement left out),
runs each test to see what it reaches, and then with mutants of what it reaches until it fails; those that
few other tests reach come first. Tests of what no statement decides have a mutant that a hand wrote
(edits.py). What was seen is kept in build-mutants/seen.json, and asked for again when the broken code is no
more. Which mutant each test failed on is in found.txt too, which is part of the tree: that one is tried
first, for as long as the code has it, and saves the search.
"""

import argparse
import collections
import json
import os
import pathlib
import random
import sys
import tempfile

from harness import SOURCE
from mutation.copied_tree import CopiedTree, MutantTree
from mutation.edits import EDITS
from mutation.programs import run, tests

FOLDER = SOURCE / "build-mutants"
FOUND = pathlib.Path(__file__).with_name("found.txt")
TWINS = 3  # statements that read the same and are tried
SUITES = ["unit", "tui", "guest", "lint"]


def read_found():
    """{test: the mutant that it failed on}"""
    if not FOUND.is_file():
        return {}
    return dict(line.split("\t") for line in FOUND.read_text(encoding="utf-8").splitlines())


def replace(path, text):
    new = path.with_suffix(".new")
    new.write_text(text, encoding="utf-8")
    os.replace(new, path)


class Campaign:
    def __init__(self, tree, tries):
        self.tree = tree
        self.tries = tries
        self.path = FOLDER / "seen.json"
        self.seen = json.loads(self.path.read_text()) if self.path.is_file() else {}
        self.found = read_found()
        self.numbers = collections.defaultdict(list)  # several statements may read the same
        for site in tree.sites:
            self.numbers[str(site)].append(site.number)
        self.reached = {}  # test -> its sites' numbers
        self.seconds = {}

    def explore(self, test):
        """Runs it unbroken, to learn what it reaches and how long it takes. Why it cannot be judged, or
        None."""
        with tempfile.TemporaryDirectory(dir=FOLDER) as folder:
            environment = {**self.tree.environment(), "UNI_REACHED": f"{folder}/reached"}
            result = run(test, environment, limit=300)
            if not result.passed:
                return result.why
            self.reached[test] = self.tree.reached(pathlib.Path(folder))
        self.seconds[test] = result.seconds
        return None if self.reached[test] else "reaches nothing that a mutant breaks"

    def candidates(self, test, shared):
        """Mutants in its reach, the rarest first; never two beside each other in one file."""
        order = random.Random(str(test))
        files = collections.Counter()
        ranked = []
        for number in sorted(self.reached[test], key=lambda n: (shared[n], order.random())):
            file = self.tree.sites[number - 1].file
            ranked.append(((files[file], shared[number]), number))
            files[file] += 1
        ranked.sort()
        return [number for _, number in ranked][: self.tries]

    def break_with(self, test, numbers):
        """Whether it fails on one of these mutants."""
        for number in numbers:
            result = run(test, self.tree.environment(number), limit=30 + 10 * self.seconds[test])
            if not result.passed:
                self.keep(test, str(self.tree.sites[number - 1]), result.why)
                return True
        return False

    def break_as_before(self, test):
        """Whether it fails on the mutant that it failed on when it was last asked for."""
        return self.break_with(test, self.numbers.get(self.found.get(str(test)), [])[:TWINS])

    def keep(self, test, mutant, why):
        print(f"{test}\n    {mutant}\n    {why}", flush=True)
        self.seen[str(test)] = {"mutant": mutant, "said": why}
        replace(self.path, json.dumps(self.seen, indent=1, sort_keys=True) + "\n")
        if mutant in self.numbers and self.found.get(str(test)) != mutant:
            self.found[str(test)] = mutant
            replace(FOUND, "".join(f"{name}\t{self.found[name]}\n" for name in sorted(self.found)))

    def left(self, chosen):
        """Those that no mutant of today's code was seen to fail."""
        broken = {str(mutant) for mutant in (*self.tree.sites, *EDITS)}
        return [test for test in chosen if self.seen.get(str(test), {}).get("mutant") not in broken]

    def use_edits(self, chosen):
        """Breaks what a hand chose for these; returns those that pass all the same, or fail without it."""
        by_name = {edit.test: edit for edit in EDITS}
        chosen = [test for test in chosen if str(test) in by_name]
        if not chosen:
            return []
        tree, unseen = CopiedTree(FOLDER / "edited"), []
        commands = {str(test): test for test in tests(tree.build, SUITES)}
        for test in (commands[str(test)] for test in chosen):
            edit = by_name[str(test)]
            tree.compile()
            if not run(test, tree.environment(), 300).passed:
                unseen.append(test)
                continue
            with tree.edited(edit):
                result = run(test, tree.environment(), 300)
            if result.passed:
                unseen.append(test)
            else:
                self.keep(test, str(edit), result.why)
        return unseen

    def run(self, chosen):
        unseen, unable = self.use_edits(self.left(chosen)), {}
        by_hand = {edit.test for edit in EDITS}
        left = [test for test in self.left(chosen) if str(test) not in by_hand]
        rest = []
        for number, test in enumerate(left, 1):
            if sys.stderr.isatty():
                print(f"\r{number} of {len(left)}", end="", file=sys.stderr, flush=True)
            why = self.explore(test)
            if why:
                unable[test] = why
            elif not self.break_as_before(test):
                rest.append(test)
        if sys.stderr.isatty():
            print(file=sys.stderr)
        shared = collections.Counter(n for sites in self.reached.values() for n in sites)
        unseen += [t for t in rest if not self.break_with(t, self.candidates(t, shared))]
        for test, why in unable.items():
            print(f"cannot be judged: {test}: {why}")
        for test in unseen:
            print(f"not seen to fail: {test}")
        count = len(chosen) - len(unable) - len(unseen)
        print(f"{len(chosen)} tests: {count} seen to fail, {len(unseen)} not, {len(unable)} cannot be judged")
        return not unseen and not unable


def main():
    parser = argparse.ArgumentParser(prog="./dev mutate", description=__doc__.splitlines()[0])
    parser.add_argument("--suite", action="append", choices=SUITES, help="these only")
    parser.add_argument("--tries", type=int, default=12, help="mutants for a test at most (12)")
    parser.add_argument("test", nargs="*", help="a program, or a part of a test's name")
    words = parser.parse_args()
    tree = MutantTree(FOLDER)
    print(f"{len(tree.sites)} mutants", file=sys.stderr)
    chosen = [
        test
        for test in tests(tree.build, words.suite or SUITES)
        if not words.test or any(w == test.program or w in test.name for w in words.test)
    ]
    sys.exit(0 if Campaign(tree, words.tries).run(chosen) else 1)


if __name__ == "__main__":
    main()
