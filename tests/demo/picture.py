# SPDX-License-Identifier: MIT
"""Draws what a terminal shows as an SVG: the picture of unitop in the README.

    tmux capture-pane -e -p | picture.py > docs/unitop.svg

Reads text with SGR sequences (colours, bold, reverse) and nothing else, which is what capture-pane
gives.
"""

import re
import sys
import unicodedata
from xml.sax.saxutils import escape

SGR = re.compile(r"\x1b\[([0-9;]*)m")
COLOURS = ["#45475a", "#f38ba8", "#a6e3a1", "#f9e2af", "#89b4fa", "#cba6f7", "#94e2d5", "#bac2de"]
BRIGHT = ["#6c7086", "#f5a4bb", "#b9ebb5", "#fbebc8", "#a6c8fb", "#dcc2fa", "#b4ebe1", "#f5f7fd"]
FOREGROUND, BACKGROUND = "#cdd6f4", "#1e1e2e"
CELL_WIDTH, CELL_HEIGHT, MARGIN = 8.4, 18, 12


class Style:
    """The attributes that SGR sequences set."""

    def __init__(self):
        self.reset()

    def reset(self):
        self.foreground, self.background, self.bold, self.reverse = None, None, False, False

    def apply(self, codes):
        codes = [int(code or 0) for code in codes.split(";")]
        while codes:
            code = codes.pop(0)
            if code == 0:
                self.reset()
            elif code in (1, 22):
                self.bold = code == 1
            elif code in (7, 27):
                self.reverse = code == 7
            elif code in (38, 48) and len(codes) >= 2 and codes[0] == 5:
                setattr(self, "foreground" if code == 38 else "background", palette(codes[1]))
                codes = codes[2:]
            elif 30 <= code <= 37:
                self.foreground = COLOURS[code - 30]
            elif 90 <= code <= 97:
                self.foreground = BRIGHT[code - 90]
            elif 40 <= code <= 47:
                self.background = COLOURS[code - 40]
            elif 100 <= code <= 107:
                self.background = BRIGHT[code - 100]
            elif code == 39:
                self.foreground = None
            elif code == 49:
                self.background = None

    def colours(self):
        foreground, background = self.foreground or FOREGROUND, self.background or BACKGROUND
        return (background, foreground) if self.reverse else (foreground, background)


def palette(index):
    """One of xterm's 256 colours."""
    if index < 8:
        return COLOURS[index]
    if index < 16:
        return BRIGHT[index - 8]
    if index >= 232:
        return "#" + f"{8 + 10 * (index - 232):02x}" * 3
    index -= 16
    levels = [0, 95, 135, 175, 215, 255]
    return "#" + "".join(f"{levels[index // base % 6]:02x}" for base in (36, 6, 1))


def runs(line, style):
    """Pieces of equal style: (column, text, foreground, background, bold)."""
    column, position = 0, 0
    while position < len(line):
        match = SGR.match(line, position)
        if match:
            style.apply(match.group(1))
            position = match.end()
            continue
        end = line.find("\x1b", position)
        text = line[position : end if end >= 0 else len(line)]
        if text:
            yield (column, text, *style.colours(), style.bold)
        column += sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)
        position += max(len(text), 1)


def main():
    lines = sys.stdin.read().rstrip("\n").split("\n")
    columns = max(len(SGR.sub("", line)) for line in lines)
    width, height = columns * CELL_WIDTH + 2 * MARGIN, len(lines) * CELL_HEIGHT + 2 * MARGIN
    print(
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" '
        f'font-family="DejaVu Sans Mono, Menlo, Consolas, monospace" font-size="14">'
    )
    print(f'<rect width="100%" height="100%" rx="8" fill="{BACKGROUND}"/>')
    style = Style()
    for row, line in enumerate(lines):
        top = MARGIN + row * CELL_HEIGHT
        for column, text, foreground, background, bold in runs(line, style):
            left, length = MARGIN + column * CELL_WIDTH, len(text) * CELL_WIDTH
            if background != BACKGROUND:
                print(f'<rect x="{left:.1f}" y="{top}" width="{length:.1f}" height="{CELL_HEIGHT}" fill="{background}"/>')
            if text.strip():
                weight = ' font-weight="bold"' if bold else ""
                print(
                    f'<text x="{left:.1f}" y="{top + 13.5}" textLength="{length:.1f}" fill="{foreground}"'
                    f'{weight} xml:space="preserve">{escape(text)}</text>'
                )
    print("</svg>")


main()
