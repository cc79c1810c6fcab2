// SPDX-License-Identifier: MIT
#include "host-tools/lib/arch/x86_64/memory_operand.h"

#include <string.h>

/* From the processor's number of a register to DWARF's. */
static const int dwarf_number[16] = {0, 2, 1, 3, 7, 6, 4, 5, 8, 9, 10, 11, 12, 13, 14, 15};

#define REX_B 1u
#define REX_X 2u

static bool is_prefix(uint8_t byte)
{
	return byte && strchr("\x26\x2e\x36\x3e\x64\x65\x66\x67\xf0\xf2\xf3", byte);
}

static int64_t displacement(const uint8_t *at, unsigned len)
{
	int32_t wide;

	if (len == 1)
		return (int8_t)*at;
	if (!len)
		return 0;
	memcpy(&wide, at, sizeof(wide));
	return wide;
}

/* Behind prefixes, REX and the opcode: the ModRM byte, within the first 7 bytes. */
static const uint8_t *find_modrm(const uint8_t *code, unsigned *rex)
{
	const uint8_t *at = code;

	while (at < code + 4 && is_prefix(*at))
		at++;
	*rex = (*at & 0xf0) == 0x40 ? *at++ & 0xfu : 0;
	if (*at++ != 0x0f)
		return at;
	if (*at == 0x38 || *at == 0x3a)
		at++;
	return at + 1;
}

bool uni_memory_operand_decode(const uint8_t code[UNI_INSTRUCTION_MAX],
			       struct uni_memory_operand *out)
{
	unsigned rex;
	const uint8_t *at = find_modrm(code, &rex);
	unsigned mod = *at >> 6, base = *at & 7, displacement_len = mod == 1 ? 1 : mod == 2 ? 4 : 0;

	at++;
	if (mod == 3 || (mod == 0 && base == 5))
		return false;
	*out = (struct uni_memory_operand){.index = -1, .scale = 1};
	if (base == 4) {
		unsigned index = (*at >> 3 & 7) | (rex & REX_X ? 8 : 0);

		base = *at & 7;
		out->scale = 1u << (*at++ >> 6);
		out->index = index == 4 ? -1 : dwarf_number[index];
		if (mod == 0 && base == 5) {
			out->base = -1;
			out->displacement = displacement(at, 4);
			return true;
		}
	}
	out->base = dwarf_number[base | (rex & REX_B ? 8 : 0)];
	out->displacement = displacement(at, displacement_len);
	return true;
}

uint64_t uni_memory_operand_address(const struct uni_memory_operand *operand,
				    const struct uni_core_registers *registers)
{
	uint64_t address = (uint64_t)operand->displacement;

	if (operand->base >= 0)
		address += registers->dwarf[operand->base];
	if (operand->index >= 0)
		address += registers->dwarf[operand->index] * operand->scale;
	return address;
}

bool uni_memory_operand_null(const uint8_t code[UNI_INSTRUCTION_MAX],
			     const struct uni_core_registers *registers, uint64_t address,
			     int *dwarf_register, uint64_t *offset)
{
	struct uni_memory_operand operand;

	if (!uni_memory_operand_decode(code, &operand) || operand.base < 0 ||
	    registers->dwarf[operand.base] ||
	    uni_memory_operand_address(&operand, registers) != address)
		return false;
	*dwarf_register = operand.base;
	*offset = address;
	return true;
}
