/* SPDX-License-Identifier: MIT
 *
 * image.c - the executable: the fingerprint of its code, and its symbols.
 */
#include "harness/explore/runtime/image.h"
#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static int note_bias(struct dl_phdr_info *info, size_t size, void *arg)
{
	(void)size;
	*(uintptr_t *)arg = info->dlpi_addr;
	return 1; /* the executable comes first */
}

uintptr_t explore_code_base(void)
{
	static uintptr_t bias = UINTPTR_MAX;
	if (bias == UINTPTR_MAX)
		dl_iterate_phdr(note_bias, &bias);
	return bias;
}

/* Everything that is loaded and cannot be written: code, constants, the build id. */
static int hash_segments(struct dl_phdr_info *info, size_t size, void *arg)
{
	uint64_t *hash = arg;
	(void)size;
	for (unsigned i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *header = &info->dlpi_phdr[i];
		if (header->p_type != PT_LOAD || (header->p_flags & PF_W))
			continue;
		const char *at = (const char *)(info->dlpi_addr + header->p_vaddr);
		for (size_t left = header->p_filesz; left >= 8; left -= 8, at += 8) {
			uint64_t word;
			memcpy(&word, at, 8);
			*hash = (*hash ^ word) * 0x9e3779b97f4a7c15u;
			*hash ^= *hash >> 32;
		}
	}
	return 1;
}

uint64_t explore_fingerprint(void)
{
	static uint64_t hash;
	if (hash == 0) {
		hash = 1;
		dl_iterate_phdr(hash_segments, &hash);
	}
	return hash;
}

static const char *map_file(size_t *size)
{
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	struct stat st;
	if (fd < 0)
		return NULL;
	void *file = MAP_FAILED;
	if (fstat(fd, &st) == 0 && (size_t)st.st_size > sizeof(Elf64_Ehdr))
		file = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	close(fd);
	*size = (size_t)st.st_size;
	return file == MAP_FAILED ? NULL : file;
}

bool explore_image_object(uintptr_t address, const char **name, size_t *offset)
{
	static const char *file;
	static size_t size;
	if (file == NULL && (file = map_file(&size)) == NULL)
		return false;
	const Elf64_Ehdr *header = (const Elf64_Ehdr *)file;
	const Elf64_Shdr *sections = (const Elf64_Shdr *)(file + header->e_shoff);
	uintptr_t base = explore_code_base();
	for (unsigned i = 0; i < header->e_shnum; i++) {
		if (sections[i].sh_type != SHT_SYMTAB)
			continue;
		const Elf64_Sym *symbols = (const Elf64_Sym *)(file + sections[i].sh_offset);
		const char *names = file + sections[sections[i].sh_link].sh_offset;
		for (size_t s = 0; s < sections[i].sh_size / sizeof(*symbols); s++) {
			if (ELF64_ST_TYPE(symbols[s].st_info) != STT_OBJECT)
				continue;
			if (address - base - symbols[s].st_value < symbols[s].st_size) {
				*name = names + symbols[s].st_name;
				*offset = address - base - symbols[s].st_value;
				return true;
			}
		}
	}
	return false;
}
