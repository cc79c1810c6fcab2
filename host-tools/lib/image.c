/* SPDX-License-Identifier: MIT */
#include "host-tools/lib/image.h"

#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <libelf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "host-tools/lib/cleanup.h"
#include "tracing/errno.h"
#include "tracing/trace_abi.h"

/* xen/include/public/elfnote.h: the 32-bit entry point of PVH. */
#define XEN_NOTE_PHYS32_ENTRY 18

static void end_elf(Elf **elf)
{
	elf_end(*elf);
}

static void take_stem(struct uni_image *image)
{
	const char *slash = strrchr(image->path, '/');
	const char *file = slash ? slash + 1 : image->path;
	size_t len = strlen(file);

	if (len > 4 && strcmp(file + len - 4, ".elf") == 0)
		len -= 4;
	snprintf(image->stem, sizeof(image->stem), "%.*s", (int)len, file);
}

static void take_build_id(struct uni_image *image, const uint8_t *data, size_t len)
{
	if (len == 0 || len > sizeof(image->build_id))
		return;
	memcpy(image->build_id, data, len);
	image->build_id_len = (uint32_t)len;
	for (size_t i = 0; i < len; i++)
		snprintf(image->build_id_text + 2 * i, 3, "%02x", data[i]);
}

static void take_note(struct uni_image *image, const GElf_Nhdr *note, const char *owner,
		      const uint8_t *data)
{
	if (note->n_namesz == 4 && memcmp(owner, "GNU", 4) == 0 && note->n_type == NT_GNU_BUILD_ID)
		take_build_id(image, data, note->n_descsz);
	if (note->n_namesz == 4 && memcmp(owner, "Xen", 4) == 0 &&
	    note->n_type == XEN_NOTE_PHYS32_ENTRY && note->n_descsz >= 4)
		memcpy(&image->entry, data, note->n_descsz >= 8 ? 8 : 4);
}

static void read_notes(struct uni_image *image, Elf *elf, const GElf_Phdr *segment)
{
	Elf_Data *data = elf_getdata_rawchunk(elf, (int64_t)segment->p_offset, segment->p_filesz,
					      segment->p_align == 8 ? ELF_T_NHDR8 : ELF_T_NHDR);
	size_t offset = 0, next, name_offset, data_offset;
	GElf_Nhdr note;

	while (data && (next = gelf_getnote(data, offset, &note, &name_offset, &data_offset)) > 0) {
		take_note(image, &note, (const char *)data->d_buf + name_offset,
			  (const uint8_t *)data->d_buf + data_offset);
		offset = next;
	}
}

static void read_segments(struct uni_image *image, Elf *elf)
{
	size_t count = 0;

	image->load_start = UINT64_MAX;
	if (elf_getphdrnum(elf, &count) != 0)
		return;
	for (size_t i = 0; i < count; i++) {
		GElf_Phdr segment;

		if (!gelf_getphdr(elf, (int)i, &segment))
			continue;
		if (segment.p_type == PT_NOTE)
			read_notes(image, elf, &segment);
		if (segment.p_type != PT_LOAD || segment.p_memsz == 0)
			continue;
		if (segment.p_paddr < image->load_start)
			image->load_start = segment.p_paddr;
		if (segment.p_paddr + segment.p_memsz > image->load_end)
			image->load_end = segment.p_paddr + segment.p_memsz;
	}
}

static void read_sections(struct uni_image *image, Elf *elf)
{
	Elf_Scn *section = NULL;
	size_t names;

	if (elf_getshdrstrndx(elf, &names) != 0)
		return;
	while ((section = elf_nextscn(elf, section))) {
		GElf_Shdr header;
		const char *name;

		if (!gelf_getshdr(section, &header))
			continue;
		name = elf_strptr(elf, names, header.sh_name);
		if (!name)
			continue;
		if (strcmp(name, ".debug_info") == 0)
			image->has_debug_info = true;
		if (strcmp(name, ".debug_gdb_scripts") == 0)
			image->has_gdb_helpers = true;
		if (strcmp(name, UNI_TRACE_META_SECTION) == 0)
			image->tracepoint_count =
				(uint32_t)(header.sh_size / sizeof(struct uni_trace_meta));
	}
}

static int check(const struct uni_image *image, Elf *elf, const char *path, struct uni_error *error)
{
	GElf_Ehdr header;

	if (elf_kind(elf) != ELF_K_ELF || !gelf_getehdr(elf, &header))
		return uni_error_set(error, -UNI_EINVAL,
				     "%s is not an ELF file; give the .elf that the build made",
				     path);
	if (header.e_machine != EM_X86_64 || header.e_type != ET_EXEC)
		return uni_error_set(error, -UNI_EINVAL,
				     "%s is an ELF file, but no x86-64 guest image (a fixed "
				     "executable); give the .elf of a unikernel",
				     path);
	if (image->entry == 0)
		return uni_error_set(error, -UNI_EINVAL,
				     "%s has no PVH entry note, by which QEMU starts a guest; give "
				     "the .elf of a unikernel",
				     path);
	if (image->load_end == 0)
		return uni_error_set(error, -UNI_EINVAL,
				     "%s has nothing to load; give the .elf of a unikernel", path);
	return 0;
}

static int cannot_open(const char *path, struct uni_error *error)
{
	uni_error_system(error, errno, "cannot open the image %s", path);
	return uni_error_advise(error, "give the .elf that the build made");
}

int uni_image_read(const char *path, struct uni_image *image, struct uni_error *error)
{
	uni_cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
	uni_cleanup(end_elf) Elf *elf = NULL;
	struct uni_image found = {0};
	struct stat status;
	int result;

	if (fd < 0 || fstat(fd, &status) < 0)
		return cannot_open(path, error);
	if (!S_ISREG(status.st_mode))
		return uni_error_set(error, -UNI_EINVAL,
				     "%s is not a file; give the .elf that the build made", path);
	if (!realpath(path, found.path))
		return cannot_open(path, error);
	take_stem(&found);
	elf_version(EV_CURRENT);
	elf = elf_begin(fd, ELF_C_READ, NULL);
	if (elf && elf_kind(elf) == ELF_K_ELF) {
		read_segments(&found, elf);
		read_sections(&found, elf);
	}
	result = check(&found, elf, path, error);
	if (result == 0)
		*image = found;
	return result;
}
