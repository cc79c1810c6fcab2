# SPDX-License-Identifier: MIT
"""Reading the kernel's variables and lists by debug information, in bounds."""

import gdb

# No list of the kernel is longer unless it is broken.
LIST_MAX = 20000

PAGE_SIZE = 4096


class Missing(Exception):
    """Something that a command needs is not there; the text says what."""


def variable(file, name):
    """A variable of a source file, static or not, whatever the selected frame has of that name."""
    try:
        return gdb.parse_and_eval(f"'{file}'::{name}")
    except gdb.error as error:
        raise Missing(
            f"the image has no variable {name} of {file} ({error}); was it stripped, or built "
            "from another kernel than its helpers?"
        )


def struct(name):
    try:
        return gdb.lookup_type(f"struct {name}")
    except gdb.error:
        raise Missing(f"the image has no debug information about struct {name}")


def read(address, length):
    return bytes(gdb.selected_inferior().read_memory(address, length))


def read_array(array, count=None):
    """The elements of an array, fetched as one piece of memory."""
    element = array.type.target()
    if count is None:
        low, high = array.type.range()
        count = high - low + 1
    memory = read(int(array.address), count * element.sizeof)
    return [
        gdb.Value(memory[at : at + element.sizeof], element)
        for at in range(0, len(memory), element.sizeof)
    ]


def offset_of(kind, member):
    for field in kind.fields():
        if field.name == member:
            return field.bitpos // 8
    raise Missing(f"{kind} has no member {member}")


def entries(head, kind, member):
    """The structures of type `kind` on a struct list, whose `member` is the link. A list that does
    not come back to its head ends with an error."""
    offset = offset_of(kind, member)
    end = int(head.address)
    node = int(head["next"])
    previous = end
    for _ in range(LIST_MAX):
        if node == end:
            return
        value = gdb.Value(node - offset).cast(kind.pointer()).dereference()
        value.fetch_lazy()
        link = value[member]
        if int(link["prev"]) != previous:
            raise Missing(f"the list at {end:#x} is broken at {node:#x}")
        yield value
        previous, node = node, int(link["next"])
    raise Missing(f"the list at {end:#x} has more than {LIST_MAX} nodes")


def enumerator(value):
    """The word of an enumerator: "blocked" for THREAD_BLOCKED."""
    text = str(value)
    return text.split("_", 1)[1].lower().replace("_", " ") if "_" in text else text


def last_word(value):
    """ "bytes" for UNI_UNIT_BYTES."""
    return str(value).split("_")[-1].lower()


def text(pointer, limit=256):
    """The string that a char pointer leads to; "?" where it leads nowhere."""
    if int(pointer) == 0:
        return ""
    try:
        return clean(pointer.string("utf-8", "replace", length=-1)[:limit])
    except gdb.error:
        return "?"


def array_text(value):
    """The string in a char array."""
    length = value.type.range()[1] + 1
    characters = bytes(int(value[i]) & 255 for i in range(length))
    return clean(characters.split(b"\0")[0].decode("utf-8", "replace"))


def clean(words):
    """Without what would steer a terminal: the guest may have been taken over."""
    return "".join(c if c.isprintable() else "?" for c in words)


def time_ns():
    """The guest's time at which it stands: when gdb stopped it or when it panicked. Of a guest that
    somebody else froze it is the last moment of which the guest left a trace."""
    stamps = [
        int(variable("kernel/debug_stop.c", "debug_stopped_ns")),
        int(variable("kernel/panic.c", "info")["time_ns"]),
    ]
    stamps += [int(cpu["thread"]["running_since_ns"]) for cpu in cpus() if int(cpu["thread"])]
    return max(stamps)


def cpus():
    """The struct cpu of each processor that is online."""
    return [c for c in read_array(variable("x86_64/cpu.c", "cpus")) if int(c["online"])]


def place(pc):
    """ "order.c:118" of an address in the code, and the function around it: either may be None."""
    symbol = gdb.find_pc_line(pc)
    line = f"{symbol.symtab.filename.split('/')[-1]}:{symbol.line}" if symbol.symtab else None
    return line, function(pc)


def function(pc):
    block = gdb.block_for_pc(pc)
    while block is not None and block.function is None:
        block = block.superblock
    if block is not None:
        return block.function.name
    words = gdb.format_address(pc)
    return words[words.find("<") + 1 : words.find(">")].split("+")[0] if "<" in words else None


def called_from(pc):
    """ "order_parse() order.c:88" for a return address."""
    line, name = place(pc - 1)
    return f"{name or hex(pc)}() {line}" if line else f"{name or hex(pc)}"


def symbol_of(address):
    """ "order_commit", "orders_lock+8", or the number."""
    words = gdb.format_address(address)
    return words[words.find("<") + 1 : words.find(">")] if "<" in words else hex(address)


def enum(name):
    try:
        return gdb.lookup_type(f"enum {name}")
    except gdb.error:
        raise Missing(f"the image has no debug information about enum {name}")
