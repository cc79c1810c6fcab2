# SPDX-License-Identifier: MIT
"""How long a guest takes from the start of QEMU to its application's first line, and how big it is.

    ./dev bench boot [RUNS]

QEMU is started without uniscope, under TCG, with the machine and the CPU that `uniscope run` chooses
(host-tools/lib/launch_command.c) and nothing but a serial line. Beside it stands the floor: QEMU
started with a machine that has no guest at all and told to quit at once.
"""

import statistics
import subprocess
import sys
import tempfile
import time

from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from harness import image, run  # noqa: E402

QEMU = ["qemu-system-x86_64", "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
        "-accel", "tcg", "-m", "64"]
MACHINES = {
    "microvm": "microvm,x-option-roms=on,rtc=off",
    "q35": "q35,sata=off,smbus=off,smm=off,vmport=off",
}
CPU = "max,arch-capabilities=off"
FIRST_LINE = b"hello"


def boot_ms(machine, cpus):
    """Milliseconds from starting QEMU to the application's first line."""
    began = time.monotonic()
    process = subprocess.Popen(
        [*QEMU, "-M", MACHINES[machine], "-cpu", CPU, "-smp", str(cpus), "-serial", "stdio",
         "-kernel", str(image("hello"))],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    )
    try:
        seen = b""
        while FIRST_LINE not in seen:
            byte = process.stdout.read1(4096)
            if not byte:
                raise SystemExit(f"bench boot: the guest ended before its first line: {seen!r}")
            seen += byte
        return (time.monotonic() - began) * 1000
    finally:
        process.kill()
        process.wait()


def floor_ms():
    """Milliseconds that QEMU takes to start and quit, without a guest."""
    began = time.monotonic()
    subprocess.run([*QEMU, "-M", "none", "-monitor", "stdio"], input=b"quit\n",
                   stdout=subprocess.DEVNULL, check=True)
    return (time.monotonic() - began) * 1000


def row(name, values):
    values = sorted(values)
    print(f"{name:28} {statistics.median(values):8.1f} {values[0]:8.1f} {values[-1]:8.1f}")


def main():
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    print(f"{f'ms, {runs} runs':28} {'median':>8} {'min':>8} {'max':>8}")
    row("QEMU start and quit, no guest", [floor_ms() for _ in range(runs)])
    for machine, cpus in (("microvm", 1), ("microvm", 2), ("q35", 1)):
        row(f"hello, {machine}, {cpus} vCPU", [boot_ms(machine, cpus) for _ in range(runs)])
    with tempfile.TemporaryDirectory() as folder:
        stripped = Path(folder) / "hello.elf"
        run("strip", "-o", stripped, image("hello"))
        print(f"\nhello.elf, stripped: {stripped.stat().st_size / 1024:.1f} KiB (200 at most)")


main()
