/* SPDX-License-Identifier: MIT */

/* gdb reads much memory, block by block: the next one is ready when it asks, and true. */

#include "tests/unit/rsp_machine.h"

#define BLOCK 0x1000u
#define START (MACHINE_RAM_BASE + 0x2000u)

static void attach(void)
{
	rsp_attach();
	for (size_t i = 0; i < MACHINE_RAM_SIZE; i++)
		m.ram[i] = (uint8_t)(i * 7 + i / 250);
}

TestSuite(read_ahead, .init = attach);

static const char *memory_at(uint64_t address, size_t len)
{
	static char digits[2 * UNI_GDB_PACKET_SIZE];

	for (size_t i = 0; i < len; i++)
		snprintf(digits + 2 * i, 3, "%02x", m.ram[address - MACHINE_RAM_BASE + i]);
	return digits;
}

static const char *read_block(uint64_t address, size_t len)
{
	char packet[64];

	snprintf(packet, sizeof(packet), "m%llx,%zx", (unsigned long long)address, len);
	return rsp_ask(packet);
}

static void expect_block(uint64_t address)
{
	cr_expect_str_eq(read_block(address, BLOCK), memory_at(address, BLOCK), "at %llx",
			 (unsigned long long)address);
}

static bool is_ready(uint64_t address)
{
	return m.stub.read_ahead.frame_len && m.stub.read_ahead.address == address;
}

Test(read_ahead, block_by_block)
{
	for (unsigned i = 0; i < 6; i++) {
		expect_block(START + i * BLOCK);
		cr_expect(is_ready(START + (i + 1) * BLOCK));
	}
	/* The last one is shorter. */
	cr_expect_str_eq(read_block(START + 6 * BLOCK, 100), memory_at(START + 6 * BLOCK, 100));
	cr_expect_not(is_ready(START + 6 * BLOCK + 100), "gdb looks at something now");
	expect_block(START);
	expect_block(START + 3 * BLOCK);
	expect_block(START + 4 * BLOCK);
}

Test(read_ahead, runs_are_encoded)
{
	memset(m.ram, 0, sizeof(m.ram));
	m.stub.options.run_length = true;
	read_block(START, BLOCK);
	cr_expect(is_ready(START + BLOCK));
	cr_expect_leq(strlen(read_block(START + BLOCK, BLOCK)), 2 * BLOCK / 98 * 3 + 3);
}

Test(read_ahead, what_was_written_since_is_read)
{
	expect_block(START);
	cr_expect(is_ready(START + BLOCK));
	rsp_expect("M103000,2:5555", "OK");
	cr_expect_not(is_ready(START + BLOCK));
	expect_block(START + BLOCK);
	cr_expect_eq(m.ram[0x3000], 0x55);
}

Test(read_ahead, and_what_the_guest_wrote)
{
	expect_block(START);
	rsp_go("vCont;c");
	memset(m.ram, 0x33, sizeof(m.ram));
	rsp_stop(UNI_GDB_EVENT_ATTENTION, 1, 0);
	machine_send(&m, "\x03", 1);
	cr_expect_eq(uni_gdb_poll(&m.stub), UNI_GDB_STAY);
	rsp_received();
	expect_block(START + BLOCK);
}

Test(read_ahead, nor_does_the_next_gdb_read_what_was)
{
	expect_block(START);
	m.gone = true;
	cr_expect_eq(uni_gdb_poll(&m.stub), UNI_GDB_RESUME);
	memset(m.ram, 0x33, sizeof(m.ram));
	m.gone = false;
	rsp_stop(UNI_GDB_EVENT_ATTENTION, 1, 0);
	expect_block(START + BLOCK);
}

Test(read_ahead, stops_where_memory_does)
{
	expect_block(MACHINE_HOLE_BASE - BLOCK);
	cr_expect_not(is_ready(MACHINE_HOLE_BASE));
	cr_expect_str_eq(read_block(MACHINE_HOLE_BASE, BLOCK), "E0e");
	cr_expect_not(is_ready(MACHINE_HOLE_BASE + BLOCK));
	/* Half of the next block is there. */
	expect_block(MACHINE_HOLE_BASE - BLOCK - BLOCK / 2);
	cr_expect_not(is_ready(MACHINE_HOLE_BASE - BLOCK / 2));
	read_block(MACHINE_HOLE_BASE - BLOCK / 2, BLOCK);
	cr_expect_not(is_ready(MACHINE_HOLE_BASE), "it was short");
	read_block(UINT64_MAX - BLOCK + 1, BLOCK);
	cr_expect_not(is_ready(0));
}

Test(read_ahead, registers_of_devices_are_left_alone)
{
	expect_block(MACHINE_DEVICE_BASE - BLOCK);
	cr_expect_eq(m.device_reads, 0);
	expect_block(MACHINE_DEVICE_BASE);
	cr_expect_eq(m.device_reads, 1, "unless gdb asks for them");
}

/* gdb may want that reply once more. */
Test(read_ahead, not_with_acknowledgements)
{
	machine_init(&m);
	rsp_stop(UNI_GDB_EVENT_ATTENTION, 1, 0);
	rsp_ask("?");
	read_block(START, BLOCK);
	cr_expect_not(is_ready(START + BLOCK));
}

/* Threads run. */
Test(read_ahead, not_in_non_stop)
{
	rsp_send("QNonStop:1");
	uni_gdb_poll(&m.stub);
	cr_expect_str_eq(rsp_received(), "OK");
	rsp_send("m102000,1000");
	uni_gdb_poll(&m.stub);
	cr_expect_str_eq(rsp_received(), memory_at(START, BLOCK));
	/* A part of the next packet keeps the stub here. */
	machine_send(&m, "$m", 2);
	cr_expect_eq(uni_gdb_poll(&m.stub), UNI_GDB_STAY);
	cr_expect_not(is_ready(START + BLOCK));
}
