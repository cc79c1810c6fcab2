# SPDX-License-Identifier: MIT
"""`uni heap`."""

from . import guest, layout
from .command import Command, count_of

SHOWN = 20


class Heap(Command):
    """Show who holds the guest's heap: uni heap [SITES | all]

    The call sites that hold the most, with the function and the line that asked for the memory; 20 of
    them, or as many as asked for."""

    name = "heap"

    def run(self, wanted=str(SHOWN)):
        stats = guest.variable("kernel/heap.c", "stats")
        live, held = int(stats["live_bytes"]), int(stats["held_bytes"])
        free = int(guest.variable("kernel/page.c", "stats")["free"]) * guest.PAGE_SIZE
        layout.line(
            f"{layout.size(live)} in {layout.count(int(stats['live_count']), 'block')}, of "
            f"{layout.size(held + free)} that the heap has or can get; "
            f"{int(stats['alloc_count'])} allocations, {int(stats['free_count'])} frees, "
            f"{int(stats['failed_count'])} failed"
        )
        count = int(guest.variable("kernel/heap_site.c", "site_count"))
        sites = guest.read_array(guest.variable("kernel/heap_site.c", "sites"), count)
        sites = [site for site in sites if int(site["total_count"])]
        sites.sort(key=lambda site: -int(site["live_bytes"]))
        shown = sites if wanted == "all" else sites[: count_of(wanted)]
        layout.table(
            ("BYTES", "BLOCKS", "SHARE", "EVER", "SITE"),
            [self.row(site, live) for site in shown],
            right=(0, 1, 2, 3),
        )
        if len(shown) < len(sites):
            layout.line(f"{len(sites) - len(shown)} more: `uni heap all`")

    def row(self, site, live):
        share = 100 * int(site["live_bytes"]) / live if live else 0
        address = int(site["address"])
        return (
            layout.size(int(site["live_bytes"])),
            str(int(site["live_count"])),
            f"{share:.0f} %",
            str(int(site["total_count"])),
            guest.called_from(address) if address else "all sites beyond the table's end",
        )


COMMAND = Heap
