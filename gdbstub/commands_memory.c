/* SPDX-License-Identifier: MIT */

/* Memory. Breakpoints are lifted while the guest is stopped, so what is here is the program's own.
 */

#include "gdbstub/stub_internal.h"
#include "tracing/errno.h"

static bool take_range(struct uni_gdb_cursor *args, uint64_t *address, uint64_t *len)
{
	return uni_gdb_take_hex(args, address) && uni_gdb_take(args, ',') &&
	       uni_gdb_take_hex(args, len);
}

static size_t read_bytes(struct uni_gdb *stub, uint64_t address, void *bytes, size_t len)
{
	if (stub->trace.selected.is)
		return uni_gdb_selected_memory(stub, address, bytes, len);
	return stub->ops->memory_read(stub->context, address, bytes, len);
}

/* m addr,length; a reply shorter than asked for is fine, none at all is an error. */
void uni_gdb_cmd_read_memory(struct uni_gdb *stub, struct uni_gdb_cursor *args)
{
	uint64_t address, len;

	if (!take_range(args, &address, &len) || uni_gdb_left(args)) {
		uni_gdb_error(stub, UNI_EINVAL);
		return;
	}
	if (len > sizeof(stub->scratch))
		len = sizeof(stub->scratch);
	stub->reply_is_ahead = uni_gdb_read_ahead_has(stub, address, len);
	if (stub->reply_is_ahead)
		return;
	stub->reply_bytes = read_bytes(stub, address, stub->scratch, len);
	if (len && !stub->reply_bytes)
		uni_gdb_error(stub, UNI_EFAULT);
	uni_gdb_read_ahead_from(stub, address + len, stub->reply_bytes == len ? len : 0);
}

static void write_bytes(struct uni_gdb *stub, uint64_t address, const void *bytes, size_t len)
{
	if (stub->trace.selected.is) {
		uni_gdb_error_text(stub, "a trace frame cannot be written");
		return;
	}
	if (stub->ops->memory_write(stub->context, address, bytes, len) == len)
		uni_gdb_ok(stub);
	else
		uni_gdb_error(stub, UNI_EFAULT);
}

/* M addr,length:XX... */
void uni_gdb_cmd_write_memory(struct uni_gdb *stub, struct uni_gdb_cursor *args)
{
	uint64_t address, len;

	if (take_range(args, &address, &len) && uni_gdb_take(args, ':') &&
	    len <= sizeof(stub->scratch) && uni_gdb_left(args) == 2 * len &&
	    uni_gdb_take_hex_bytes(args, stub->scratch, len))
		write_bytes(stub, address, stub->scratch, len);
	else
		uni_gdb_error(stub, UNI_EINVAL);
}

/* X addr,length:binary; gdb tries it with length 0 to see whether it is known. */
void uni_gdb_cmd_write_binary(struct uni_gdb *stub, struct uni_gdb_cursor *args)
{
	uint64_t address, len;

	if (take_range(args, &address, &len) && uni_gdb_take(args, ':') &&
	    uni_gdb_left(args) == len)
		write_bytes(stub, address, args->at, len);
	else
		uni_gdb_error(stub, UNI_EINVAL);
}

static uint32_t crc_update(uint32_t crc, const uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		crc ^= (uint32_t)bytes[i] << 24;
		for (unsigned bit = 0; bit < 8; bit++)
			crc = crc & 0x80000000u ? crc << 1 ^ 0x04c11db7u : crc << 1;
	}
	return crc;
}

/* qCRC:addr,length: polynomial 0x04c11db7, most significant bit first, from ~0. */
void uni_gdb_cmd_crc(struct uni_gdb *stub, struct uni_gdb_cursor *args)
{
	uint64_t address, len;
	uint32_t crc = UINT32_MAX;

	if (!take_range(args, &address, &len)) {
		uni_gdb_error(stub, UNI_EINVAL);
		return;
	}
	while (len) {
		size_t part = len < sizeof(stub->scratch) ? len : sizeof(stub->scratch);

		if (stub->ops->memory_read(stub->context, address, stub->scratch, part) != part) {
			uni_gdb_error(stub, UNI_EFAULT);
			return;
		}
		crc = crc_update(crc, stub->scratch, part);
		address += part;
		len -= part;
	}
	uni_gdb_put_char(&stub->reply, 'C');
	uni_gdb_put_hex(&stub->reply, crc);
}

static bool matches(const uint8_t *at, const uint8_t *pattern, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (at[i] != pattern[i])
			return false;
	return true;
}

static void put_found(struct uni_gdb *stub, uint64_t address)
{
	uni_gdb_put(&stub->reply, "1,");
	uni_gdb_put_hex(&stub->reply, address);
}

/* qSearch:memory:address;length;pattern. Parts overlap by a pattern less one byte. */
void uni_gdb_cmd_search(struct uni_gdb *stub, struct uni_gdb_cursor *args)
{
	uint64_t address, len;

	if (!uni_gdb_take_hex(args, &address) || !uni_gdb_take(args, ';') ||
	    !uni_gdb_take_hex(args, &len) || !uni_gdb_take(args, ';')) {
		uni_gdb_error(stub, UNI_EINVAL);
		return;
	}
	const uint8_t *pattern = args->at;
	size_t pattern_len = uni_gdb_left(args);

	if (!pattern_len || pattern_len > sizeof(stub->scratch) / 2) {
		uni_gdb_error(stub, UNI_EINVAL);
		return;
	}
	while (len >= pattern_len) {
		size_t part = len < sizeof(stub->scratch) ? len : sizeof(stub->scratch);

		if (stub->ops->memory_read(stub->context, address, stub->scratch, part) != part) {
			uni_gdb_error(stub, UNI_EFAULT);
			return;
		}
		for (size_t i = 0; i + pattern_len <= part; i++) {
			if (matches(stub->scratch + i, pattern, pattern_len)) {
				put_found(stub, address + i);
				return;
			}
		}
		address += part - pattern_len + 1;
		len -= part - pattern_len + 1;
	}
	uni_gdb_put_char(&stub->reply, '0');
}
