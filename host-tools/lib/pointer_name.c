// SPDX-License-Identifier: MIT
#include "host-tools/lib/pointer_name.h"

#include <dwarf.h>
#include <elfutils/libdwfl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host-tools/lib/cleanup.h"

/* Structures in structures in...: deeper ones end the expression. */
#define NESTING_MAX 8

/* The type of a variable or member, typedefs and qualifiers taken off. */
static bool type_of(Dwarf_Die *die, Dwarf_Die *type)
{
	Dwarf_Attribute attribute;

	return dwarf_formref_die(dwarf_attr_integrate(die, DW_AT_type, &attribute), type) &&
	       dwarf_peel_type(type, type) == 0;
}

/* A location that is this register and nothing else, at this address. */
static bool is_in_register(Dwarf_Die *variable, uint64_t pc, int dwarf_register)
{
	Dwarf_Attribute attribute;
	Dwarf_Op *operations;
	size_t count;

	if (!dwarf_attr(variable, DW_AT_location, &attribute) ||
	    dwarf_getlocation_addr(&attribute, pc, &operations, &count, 1) != 1 || count != 1)
		return false;
	if (operations[0].atom == DW_OP_regx)
		return operations[0].number == (Dwarf_Word)dwarf_register;
	return operations[0].atom == DW_OP_reg0 + dwarf_register;
}

static bool find_variable(Dwarf_Die *scope, uint64_t pc, int dwarf_register, Dwarf_Die *found)
{
	Dwarf_Die die;

	if (dwarf_child(scope, &die))
		return false;
	do {
		int tag = dwarf_tag(&die);

		if ((tag == DW_TAG_variable || tag == DW_TAG_formal_parameter) &&
		    is_in_register(&die, pc, dwarf_register)) {
			*found = die;
			return true;
		}
	} while (dwarf_siblingof(&die, &die) == 0);
	return false;
}

/* The member that covers the offset, which becomes the one within the member. */
static bool find_member(Dwarf_Die *structure, uint64_t *offset, Dwarf_Die *member)
{
	Dwarf_Die die;

	if (dwarf_child(structure, &die))
		return false;
	do {
		Dwarf_Attribute attribute;
		Dwarf_Word start, size;
		Dwarf_Die type;

		if (dwarf_tag(&die) != DW_TAG_member || !type_of(&die, &type) ||
		    dwarf_aggregate_size(&type, &size))
			continue;
		if (dwarf_formudata(dwarf_attr(&die, DW_AT_data_member_location, &attribute),
				    &start))
			start = 0;
		if (*offset < start || *offset - start >= size)
			continue;
		*offset -= start;
		*member = die;
		return true;
	} while (dwarf_siblingof(&die, &die) == 0);
	return false;
}

static void add_members(Dwarf_Die *structure, uint64_t offset, char *out, size_t size)
{
	const char *joint = "->";
	Dwarf_Die type = *structure, member;

	for (unsigned depth = 0; depth < NESTING_MAX; depth++) {
		int tag = dwarf_tag(&type);
		size_t len = strlen(out);

		if ((tag != DW_TAG_structure_type && tag != DW_TAG_union_type) ||
		    !find_member(&type, &offset, &member))
			return;
		if (dwarf_diename(&member)) {
			snprintf(out + len, size - len, "%s%s", joint, dwarf_diename(&member));
			joint = ".";
		}
		if (!type_of(&member, &type))
			return;
	}
}

static bool name_variable(Dwarf_Die *variable, uint64_t offset, char *name, size_t name_size,
			  char *expression, size_t expression_size)
{
	Dwarf_Attribute attribute;
	const char *text = dwarf_formstring(dwarf_attr_integrate(variable, DW_AT_name, &attribute));
	Dwarf_Die type;

	if (!text || !type_of(variable, &type) || dwarf_tag(&type) != DW_TAG_pointer_type)
		return false;
	snprintf(name, name_size, "%s", text);
	snprintf(expression, expression_size, "%s", text);
	if (type_of(&type, &type))
		add_members(&type, offset, expression, expression_size);
	if (!strcmp(name, expression))
		snprintf(expression, expression_size, offset ? "%s + %llu" : "*%s", text,
			 (unsigned long long)offset);
	return true;
}

static Dwfl_Module *open_module(const char *image, Dwfl **dwfl)
{
	static const Dwfl_Callbacks callbacks = {
		.find_debuginfo = dwfl_standard_find_debuginfo,
		.section_address = dwfl_offline_section_address,
		.find_elf = dwfl_build_id_find_elf,
	};
	Dwfl_Module *module;

	*dwfl = dwfl_begin(&callbacks);
	module = *dwfl ? dwfl_report_offline(*dwfl, image, image, -1) : NULL;
	if (module)
		dwfl_report_end(*dwfl, NULL, NULL);
	return module;
}

bool uni_pointer_name(const char *image, uint64_t pc, int dwarf_register, uint64_t offset,
		      char *variable, size_t variable_size, char *expression,
		      size_t expression_size)
{
	Dwfl *dwfl;
	Dwfl_Module *module = open_module(image, &dwfl);
	Dwarf_Addr bias;
	Dwarf_Die *cu = module ? dwfl_module_addrdie(module, pc, &bias) : NULL;
	uni_cleanup_free Dwarf_Die *scopes = NULL;
	int count = cu ? dwarf_getscopes(cu, pc - bias, &scopes) : 0;
	bool found = false;

	for (int i = 0; !found && i < count; i++) {
		Dwarf_Die die;

		found = find_variable(&scopes[i], pc - bias, dwarf_register, &die) &&
			name_variable(&die, offset, variable, variable_size, expression,
				      expression_size);
		if (dwarf_tag(&scopes[i]) == DW_TAG_subprogram)
			break;
	}
	dwfl_end(dwfl);
	return found;
}
