/* SPDX-License-Identifier: MIT */
#include "host-tools/lib/trace_points.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <libelf.h>
#include <stdlib.h>
#include <string.h>

#include "host-tools/lib/cleanup.h"
#include "tracing/errno.h"

static bool is_name(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (!isalnum((unsigned char)text[i]) && text[i] != '_')
			return false;
	}
	return len > 0;
}

/* "u32", "x64", "str", ... */
static int parse_type(struct uni_trace_field *field, const char *text, size_t len)
{
	static const struct {
		const char *name;
		enum uni_trace_type_kind kind;
		uint8_t size;
	} types[] = {
		{"u8", UNI_TRACE_UNSIGNED, 1},	{"u16", UNI_TRACE_UNSIGNED, 2},
		{"u32", UNI_TRACE_UNSIGNED, 4}, {"u64", UNI_TRACE_UNSIGNED, 8},
		{"s8", UNI_TRACE_SIGNED, 1},	{"s16", UNI_TRACE_SIGNED, 2},
		{"s32", UNI_TRACE_SIGNED, 4},	{"s64", UNI_TRACE_SIGNED, 8},
		{"x8", UNI_TRACE_HEX, 1},	{"x16", UNI_TRACE_HEX, 2},
		{"x32", UNI_TRACE_HEX, 4},	{"x64", UNI_TRACE_HEX, 8},
		{"str", UNI_TRACE_STRING, 0},
	};

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (strlen(types[i].name) == len && memcmp(types[i].name, text, len) == 0) {
			field->kind = types[i].kind;
			field->size = types[i].size;
			return 0;
		}
	}
	return -UNI_EINVAL;
}

/* "type name" */
static int parse_field(struct uni_trace_field *field, const char *text, size_t len)
{
	const char *space = memchr(text, ' ', len);
	size_t name_len;

	if (!space || parse_type(field, text, (size_t)(space - text)) < 0)
		return -UNI_EINVAL;
	name_len = len - (size_t)(space + 1 - text);
	if (!is_name(space + 1, name_len) || name_len >= sizeof(field->name))
		return -UNI_EINVAL;
	memcpy(field->name, space + 1, name_len);
	field->name[name_len] = '\0';
	return 0;
}

int uni_trace_point_parse(struct uni_trace_point *point, uint32_t id, const char *name,
			  const char *fields)
{
	const char *colon = strchr(name, ':');

	memset(point, 0, sizeof(*point));
	if (!colon || !is_name(name, (size_t)(colon - name)) ||
	    !is_name(colon + 1, strlen(colon + 1)) || strlen(name) >= sizeof(point->name) ||
	    strlen(fields) >= sizeof(point->fields))
		return -UNI_EINVAL;
	point->id = id;
	strcpy(point->name, name);
	strcpy(point->fields, fields);
	while (*fields) {
		size_t len = strcspn(fields, ",");

		if (point->field_count == UNI_TRACE_FIELDS_MAX ||
		    parse_field(&point->field[point->field_count], fields, len) < 0)
			return -UNI_EINVAL;
		point->field_count++;
		fields += len;
		/* A comma has a field after it. */
		if (*fields == ',' && *++fields == '\0')
			return -UNI_EINVAL;
	}
	return 0;
}

int uni_trace_points_add(struct uni_trace_points *points, const char *name, const char *fields)
{
	struct uni_trace_point *list;

	if (points->count == UNI_TRACE_EVENTS_MAX)
		return -UNI_ENOSPC;
	list = reallocarray(points->list, points->count + 1, sizeof(*list));
	if (!list)
		return -UNI_ENOMEM;
	points->list = list;
	if (uni_trace_point_parse(&list[points->count], (uint32_t)points->count, name, fields) < 0)
		return -UNI_EINVAL;
	points->count++;
	return 0;
}

void uni_trace_points_fini(struct uni_trace_points *points)
{
	free(points->list);
	*points = (struct uni_trace_points){0};
}

const struct uni_trace_point *uni_trace_points_find(const struct uni_trace_points *points,
						    const char *name)
{
	for (size_t i = 0; i < points->count; i++) {
		if (strcmp(points->list[i].name, name) == 0)
			return &points->list[i];
	}
	return NULL;
}

static Elf_Data *find_section(Elf *elf, const char *wanted)
{
	Elf_Scn *section = NULL;
	size_t names;

	if (elf_getshdrstrndx(elf, &names) < 0)
		return NULL;
	while ((section = elf_nextscn(elf, section))) {
		GElf_Shdr header;
		const char *name;

		if (!gelf_getshdr(section, &header))
			continue;
		name = elf_strptr(elf, names, header.sh_name);
		if (name && strcmp(name, wanted) == 0 && header.sh_type != SHT_NOBITS)
			return elf_rawdata(section, NULL);
	}
	return NULL;
}

static int add_records(struct uni_trace_points *points, const Elf_Data *data)
{
	for (size_t offset = 0; offset + sizeof(struct uni_trace_meta) <= data->d_size;
	     offset += sizeof(struct uni_trace_meta)) {
		struct uni_trace_meta meta;
		char name[sizeof(meta.name) + 1] = "", fields[sizeof(meta.fields) + 1] = "";
		int result;

		memcpy(&meta, (const char *)data->d_buf + offset, sizeof(meta));
		memcpy(name, meta.name, sizeof(meta.name));
		memcpy(fields, meta.fields, sizeof(meta.fields));
		result = uni_trace_points_add(points, name, fields);
		if (result < 0)
			return result;
	}
	return 0;
}

static void end_elf(Elf **elf)
{
	elf_end(*elf);
}

int uni_trace_points_read(const char *image, struct uni_trace_points *points,
			  struct uni_error *error)
{
	uni_cleanup_fd int fd = open(image, O_RDONLY | O_CLOEXEC);
	uni_cleanup(end_elf) Elf *elf = NULL;
	Elf_Data *data;
	int result;

	*points = (struct uni_trace_points){0};
	if (fd < 0)
		return uni_error_system(error, errno, "cannot read the tracepoints of %s", image);
	elf_version(EV_CURRENT);
	elf = elf_begin(fd, ELF_C_READ, NULL);
	if (!elf || elf_kind(elf) != ELF_K_ELF)
		return uni_error_set(error, -UNI_EINVAL,
				     "cannot read the tracepoints of %s: not an ELF file", image);
	data = find_section(elf, UNI_TRACE_META_SECTION);
	if (!data)
		return uni_error_set(error, -UNI_ENOENT,
				     "%s has no tracepoints (no section %s); was it stripped?",
				     image, UNI_TRACE_META_SECTION);
	result = add_records(points, data);
	if (result < 0)
		return uni_error_set(error, result,
				     "cannot read the tracepoints of %s: record %zu is malformed",
				     image, points->count);
	return 0;
}
