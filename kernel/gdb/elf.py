# SPDX-License-Identifier: MIT
"""Sections of the image's file that are not loaded, which gdb cannot read (ELF-64, figure 2 and 8)."""

import struct

from .guest import Missing


def section(path, name):
    """The bytes of a section of a 64-bit little-endian ELF file."""
    with open(path, "rb") as file:
        data = file.read()
    if data[:6] != b"\x7fELF\2\1":
        raise Missing(f"{path} is no 64-bit ELF file")
    (table,) = struct.unpack_from("<Q", data, 40)
    size, count, names_index = struct.unpack_from("<3H", data, 58)
    headers = [struct.unpack_from("<IIQQQQ", data, table + i * size) for i in range(count)]
    names = headers[names_index][4]
    for name_at, _, _, _, offset, length in headers:
        start = names + name_at
        if data[start : data.index(b"\0", start)] == name.encode():
            return data[offset : offset + length]
    raise Missing(f"{path} has no section {name}")
