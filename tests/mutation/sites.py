# SPDX-License-Identifier: MIT
"""The places of a C file that a mutant can break: what an `if` and a `return` decide, what a line does."""

import re
from dataclasses import dataclass

# Text that is no code: comments, strings, characters, directives with their continued lines.
OPAQUE = re.compile(
    r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'|^[ \t]*#(?:\\\n|[^\n])*', re.S | re.M
)
CONDITION = re.compile(r"\bif \(")
DECISION = re.compile(r"^\t+return ([^;?{}]*(?:[=!<>]=| < | > |&&|\|\|)[^;?{}]*);", re.M)
STATEMENT = re.compile(r"^(\t+)((?:[a-z_]\w*(?:(?:->|\.)\w+|\[\w+\])*(\(| [-+|&^*]?= )|\*\w+ = )[^;{}]*;)$", re.M)
ARITHMETIC = re.compile(r"\) [-+*] \(")  # of truth values, as qsort() wants
KEYWORDS = re.compile(r"(?:if|while|for|switch|return|goto|do|else|case|sizeof|static|_Static_assert)\b")


BEFORE_STATEMENT = re.compile(r"(?:[;{})]|\belse|\b(?:case [^;{}?]*|default):)\s*$")


@dataclass(frozen=True)
class Site:
    number: int
    file: str
    text: str  # what the mutant breaks

    def __str__(self):
        return f"{self.file}: {self.text}"


def blanked(source):
    """The source with everything opaque as spaces, of the same length."""
    return OPAQUE.sub(lambda m: re.sub(r"[^\n]", " ", m.group()), source)


def closing(code, start):
    """The index of the parenthesis that closes the one at `start`."""
    depth = 0
    for i in range(start, len(code)):
        depth += {"(": 1, ")": -1}.get(code[i], 0)
        if depth == 0:
            return i
    raise ValueError("a parenthesis is not closed")


def places(source):
    """(start, end, form, text) of each place, in which form has {} for the site and {} for the code."""
    code = blanked(source)
    for match in CONDITION.finditer(code):
        end = closing(code, match.end() - 1)
        text = source[match.end() : end]
        yield match.end(), end, "UNI_MUTATED({}, ({}))", f"not: if ({text})"
    for match in DECISION.finditer(code):
        if ARITHMETIC.search(match[1]):
            continue
        yield *match.span(1), "UNI_MUTATED({}, ({}))", f"not: return {source[slice(*match.span(1))]}"
    for match in STATEMENT.finditer(code):
        text = source[slice(*match.span(2))]
        before = code[max(0, match.start() - 200) : match.start()]
        # A call is one as a whole, not the attribute of a declaration.
        whole = match[3] != "(" or closing(code, match.start(3)) == match.end(2) - 2
        if whole and BEFORE_STATEMENT.search(before) and not KEYWORDS.match(text):
            yield *match.span(2), "do if (UNI_KEPT({})) {} while (0);", f"without: {text}"


def rewrite(source, file, first):
    """The source with every place asking for its mutant, and their sites, numbered from `first`."""
    sites, pieces, at = [], [], 0
    for start, end, form, text in sorted(places(source)):
        if start < at or "\n#" in source[start:end]:
            continue
        number = first + len(sites)
        sites.append(Site(number, file, " ".join(text.split())))
        pieces += [source[at:start], form.format(number, source[start:end])]
        at = end
    return "".join([*pieces, source[at:]]), sites
