# SPDX-License-Identifier: MIT
"""Customers of the shop who count: every order is answered, once, whatever a debugger does."""

import socket
import threading

from harness import wait_for

WAIT_S = 120


class Customers:
    """Keeps `at_once` orders under way over the shop's door until the block ends; then the last answers
    must come, and the counts agree."""

    def __init__(self, guest, at_once=20):
        self.at_once = at_once
        self.sent = self.answered = 0
        self._booked = set()
        self._over = False
        self._problem = None
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(WAIT_S)
        self._socket.connect(str(guest.socket("app")))
        self._lines = self._socket.makefile("r", encoding="ascii", newline="\n")
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, kind, *_):
        self._over = True
        if kind is None:
            self._thread.join(WAIT_S)
            self._check()
        self._socket.close()

    def wait_for_answers(self, count):
        """The shop goes on: as many more orders are answered."""
        end = self.answered + count
        wait_for(f"{count} answers", lambda: self.answered >= end or self._problem, timeout=WAIT_S)

    def _order(self):
        self.sent += 1
        self._socket.sendall(b"%d order %d 1\n" % (self.sent, self.sent % 64))

    def _serve(self):
        try:
            for _ in range(self.at_once):
                self._order()
            while self.answered < self.sent:
                self._take(self._lines.readline().split())
                if not self._over:
                    self._order()
        except (OSError, AssertionError) as problem:
            self._problem = problem

    def _take(self, words):
        assert len(words) == 4 and words[1] == "ok", f"an order was answered {words}"
        booked = int(words[3])
        assert booked not in self._booked, f"order {booked} was booked twice"
        self._booked.add(booked)
        self.answered += 1

    def _check(self):
        assert not self._problem, f"{self.sent} orders, {self.answered} answers: {self._problem}"
        assert not self._thread.is_alive() and self.sent == self.answered, (
            f"{self.sent} orders, {self.answered} answers"
        )
