# SPDX-License-Identifier: MIT
"""The shop serves requests over its port (docs/formats/app.md), keeps its books, and shows numbers."""

import json
import re
import socket

from harness import Guest, main, run, test, uniscope, UNISCOPE, wait_for


class Client:
    """A connection to a shop, line by line."""

    def __init__(self, guest):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(20)
        self.socket.connect(str(guest.socket("app")))
        self.file = self.socket.makefile("r", encoding="ascii", newline="\n")

    def send(self, text):
        self.socket.sendall(text.encode("ascii"))

    def ask(self, words, tag=1):
        """Sends a request and returns the words of its answer behind the tag."""
        self.send(f"{tag} {words}\n")
        answer = self.file.readline().split()
        assert answer and answer[0] == str(tag), answer
        return answer[1:]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.file.close()
        self.socket.close()


def metrics(guest):
    stat = json.loads(uniscope("stat", guest.name, "--json").stdout)
    return {metric["name"]: metric["value"] for metric in stat["metrics"]}


@test
def first_line_says_that_it_is_open():
    result = run("timeout", "8", UNISCOPE, "run", "--name", "first", "--cpus", "2",
                 Guest("shop").image, "--", "workers=3", "bug=1", check=False)
    lines = [line for line in result.stdout.splitlines() if "shop:" in line]
    assert lines and lines[0].endswith("shop: open, 3 workers"), result.stdout


@test
def orders_prices_and_totals_are_answered():
    with Guest("shop", "--cpus", "2", arguments=["load=0", "rebuild=3600000"]) as guest:
        with Client(guest) as client:
            status, price = client.ask("price 3")
            assert status == "ok" and int(price) > 0
            status, cents, orders = client.ask("order 3 7", tag=12345678901)
            assert (status, int(cents), orders) == ("ok", 7 * int(price), "1")
            assert client.ask("order 3 1")[2] == "2"
            assert client.ask("total") == ["ok", "2"]


@test
def nonsense_is_refused_and_hurts_nobody():
    with Guest("shop", arguments=["load=0"]) as guest, Client(guest) as client:
        for words in ("order 64 1", "order 3 0", "order 3 1001", "order", "price 99999999999",
                      "orders 3 1", "hello", "o" * 70):
            assert client.ask(words)[0] == "error", words
        client.send("\n\n \n" + "9" * 300 + "\n" + "x" * 5000 + "\n")
        assert client.ask("total", tag=7) == ["ok", "0"]


@test
def pipelined_requests_are_all_answered_once():
    count = 2000
    with Guest("shop", "--cpus", "2", arguments=["load=0", "workers=8"]) as guest:
        with Client(guest) as client:
            client.send("".join(f"{n} price {n % 64}\n" for n in range(count)))
            tags = sorted(int(client.file.readline().split()[0]) for _ in range(count))
            assert tags == list(range(count))


@test
def a_second_client_is_served_after_the_first_left():
    with Guest("shop", arguments=["load=0"]) as guest:
        for expected in range(1, 4):
            with Client(guest) as client:
                assert client.ask("order 1 1")[2] == str(expected)


@test
def every_order_is_in_the_books_whatever_the_load():
    with Guest("shop", "--cpus", "2", arguments=["load=0", "workers=8", "rebuild=50"]) as guest:
        output = uniscope("load", guest.name, "--rate", "300", "--duration", "2").stdout
        assert "600 requests" in output and "600 answered, 0 refused, 0 lost" in output, output
        with Client(guest) as client:
            assert client.ask("total") == ["ok", "600"]


@test
def load_prints_latencies_in_order():
    with Guest("shop", "--cpus", "2") as guest:
        output = uniscope("load", guest.name, "--rate", "100", "--duration", "1").stdout
        line = output.splitlines()[1]
        found = re.fullmatch(r"latency  p50 (.+)  p90 (.+)  p99 (.+)  max (.+)", line)
        scale = {"ns": 1, "us": 1e3, "ms": 1e6, "s": 1e9}
        values = [float(v.split()[0]) * scale[v.split()[1]] for v in found.groups()]
        assert values == sorted(values) and values[0] > 0, line


@test
def load_says_so_where_there_is_no_shop():
    result = uniscope("load", "nobody", check=False)
    assert result.returncode == 3 and result.stderr.count("\n") == 1, result
    assert uniscope("load", "nobody", "--rate", "0", check=False).returncode == 2
    assert uniscope("load", check=False).returncode == 2


@test
def its_own_load_shows_in_the_metrics():
    with Guest("shop", "--cpus", "2", arguments=["load=100"]) as guest:
        wait_for("two seconds of load", lambda: metrics(guest).get("app.requests", 0) > 150)
        first = metrics(guest)
        assert 0 < first["app.latency_p50_ns"] <= first["app.latency_p99_ns"]
        assert first["app.orders"] < first["app.requests"]
        wait_for("more requests", lambda: metrics(guest)["app.requests"] > first["app.requests"])


@test
def leak_grows_the_heap_at_its_pace():
    with Guest("shop", arguments=["leak=1000000", "load=100"]) as guest:
        wait_for("uptime", lambda: metrics(guest).get("uptime", 0) > 1.5e9)
        before = metrics(guest)
        wait_for("two seconds more", lambda: metrics(guest)["uptime"] > before["uptime"] + 2e9)
        after = metrics(guest)
        seconds = (after["uptime"] - before["uptime"]) / 1e9
        pace = (after["heap.used"] - before["heap.used"]) / seconds
        assert 700_000 < pace < 1_300_000, pace


main()
