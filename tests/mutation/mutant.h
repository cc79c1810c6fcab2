/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * Every mutant of the program in one build. Put in front of each source file by ./dev mutate, which
 * rewrites conditions and statements of it (sites.py) to ask here:
 *
 *     if (UNI_MUTATED(17, (count == 0)))      the opposite for mutant 17
 *     do if (UNI_KEPT(18)) wake(t); while (0)  nothing for mutant 18
 *
 * A process is told its mutant in UNI_MUTANT, and keeps what it reached in the file UNI_REACHED,
 * one byte a site. A guest has the number in its image's data, behind the mark; what it reached is
 * in its memory until its supervisor ends, which adds it to the same file.
 */
#ifndef __ASSEMBLER__

#define UNI_MUTANT_SITES 32768
#define UNI_MUTANT_MARK "uniscope mutants" /* 16 bytes */

/* As copied_tree.py knows it. */
struct uni_mutant {
	char mark[16];
	unsigned int chosen;	/* 0 for none */
	unsigned char *reached; /* into `own` or a file */
	unsigned char own[UNI_MUTANT_SITES];
};

__attribute__((weak)) struct uni_mutant uni_mutant = {UNI_MUTANT_MARK, 0, uni_mutant.own, {0}};

static inline __attribute__((always_inline, no_sanitize("address", "undefined"))) int
uni_mutant_is(unsigned int site)
{
	uni_mutant.reached[site] = 1;
	return __builtin_expect(uni_mutant.chosen == site, 0);
}

#define UNI_MUTATED(site, condition) (!(condition) == uni_mutant_is(site))
#define UNI_KEPT(site) (!uni_mutant_is(site))

#if __STDC_HOSTED__
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* Memory of a guest that this process holds: the file is named by its open descriptor. */
static inline void uni_mutant_add_guest(int fd)
{
	struct stat file;
	if (fstat(fd, &file) != 0 || !S_ISREG(file.st_mode) || file.st_size < (16 << 20))
		return;
	size_t len = 16 << 20; /* images are loaded low */
	char *memory = (char *)mmap(0, len, PROT_READ, MAP_SHARED, fd, 0);
	if (memory == MAP_FAILED)
		return;
	struct uni_mutant *guest =
		(struct uni_mutant *)memmem(memory, len - sizeof *guest, UNI_MUTANT_MARK, 16);
	for (unsigned int i = 0; guest && i < UNI_MUTANT_SITES; i++)
		if (guest->own[i])
			uni_mutant.reached[i] = 1;
	munmap(memory, len);
}

__attribute__((weak, destructor)) void uni_mutant_end(void)
{
	static int ended;
	for (int fd = 3; fd < 64 && !ended && uni_mutant.reached != uni_mutant.own; fd++)
		uni_mutant_add_guest(fd);
	ended = 1;
}

__attribute__((weak, constructor(101))) void uni_mutant_begin(void)
{
	const char *chosen = getenv("UNI_MUTANT"), *path = getenv("UNI_REACHED");
	if (uni_mutant.reached != uni_mutant.own)
		return;
	uni_mutant.chosen = chosen ? (unsigned int)atoi(chosen) : 0;
	int fd = path ? open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600) : -1;
	if (fd < 0)
		return;
	if (ftruncate(fd, UNI_MUTANT_SITES) == 0) {
		void *file = mmap(0, UNI_MUTANT_SITES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		if (file != MAP_FAILED)
			uni_mutant.reached = (unsigned char *)file;
	}
	close(fd);
}
#endif
#endif
