# SPDX-License-Identifier: MIT
"""What the commands under `uni` have in common: arguments, errors in one line, bounds."""

import gdb

from .guest import Missing


class Prefix(gdb.Command):
    """Look into a guest of Uniscope: its threads, locks, heap, log, trace, page tables.

    The commands work on a guest that is debugged (`uniscope gdb NAME`) and on the core of one that
    died (`uniscope dumps debug ID`). They read memory, and change nothing."""

    def __init__(self):
        super().__init__("uni", gdb.COMMAND_STATUS, prefix=True)


class Command(gdb.Command):
    """A command `uni NAME`; its documentation is what `help uni NAME` prints."""

    name = None
    completion = gdb.COMPLETE_NONE
    arguments_max = 1
    needs_guest = True
    # The argument is an expression, with its own quotes.
    is_expression = False

    def __init__(self):
        super().__init__(f"uni {self.name}", gdb.COMMAND_STATUS, self.completion)

    def run(self, *arguments):
        """Prints what was asked for."""
        raise NotImplementedError

    def invoke(self, argument, from_tty):
        self.dont_repeat()
        words = [argument] if self.is_expression and argument else gdb.string_to_argv(argument)
        if len(words) > self.arguments_max:
            raise gdb.GdbError(f"uni {self.name}: too many arguments; see `help uni {self.name}`")
        if self.needs_guest and not gdb.selected_inferior().pid:
            raise gdb.GdbError(
                f"uni {self.name}: there is no guest; attach with `uniscope gdb NAME` or open a "
                "dump with `uniscope dumps debug ID`"
            )
        try:
            self.run(*words)
        except (Missing, gdb.MemoryError) as error:
            raise gdb.GdbError(f"uni {self.name}: {error}")
        except (gdb.error, KeyError, ValueError, OverflowError, OSError) as error:
            if gdb.parameter("python print-stack") == "full":
                raise
            raise gdb.GdbError(
                f"uni {self.name}: {error} (`set python print-stack full` tells where)"
            )


def address_of(text):
    """The value of an expression as an address, for arguments."""
    return int(gdb.parse_and_eval(text).cast(gdb.lookup_type("unsigned long")))


def count_of(text):
    """A positive number, for arguments."""
    value = address_of(text)
    if not 0 < value < 1 << 31:
        raise Missing(f"{text} is not a number of things to show")
    return value
