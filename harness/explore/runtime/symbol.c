/* SPDX-License-Identifier: MIT
 *
 * symbol.c - the executable: the fingerprint of its code, and addresses as a human reads them.
 *
 * Messages are composed while the program under test is stopped in the middle, with addresses in
 * them as marks (EXPLORE_CODE, EXPLORE_DATA). Here, back in the driver, marks become words. Lines
 * of code come from addr2line, all of them in one call. Without it, or without debug information,
 * offsets into the file remain.
 */
#include "harness/explore/runtime/region.h"
#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- the executable ---- */

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

/* The variable that an address is in; false: none of the executable's. The name lives as long as
 * the process. */
static bool image_object(uintptr_t address, const char **name, size_t *offset)
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

/* ---- addresses ---- */

#define LINE 1024

struct place {
	uintptr_t pc;
	char *text;
};

static struct place *places;
static size_t place_count;

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash == NULL ? path : slash + 1;
}

static void unknown(struct place *place)
{
	struct explore_text text = {0};
	explore_text_add(&text, "program+%#lx", place->pc - explore_code_base());
	place->text = text.text;
}

/* addr2line says for each address: itself, then function and file:line from the innermost
 * inlined one outward. */
static void parse(FILE *lines, struct place *place, size_t count)
{
	char function[LINE], where[LINE];
	size_t at = 0;
	struct explore_text text = {0};
	bool first = true;
	while (fgets(function, sizeof(function), lines) != NULL) {
		if (strncmp(function, "0x", 2) == 0) {
			if (text.text != NULL && at > 0 && at <= count)
				place[at - 1].text = text.text;
			text = (struct explore_text){0};
			first = true;
			at++;
			continue;
		}
		if (fgets(where, sizeof(where), lines) == NULL)
			break;
		function[strcspn(function, "\n")] = where[strcspn(where, " \n")] = '\0';
		if (where[0] != '?' && first)
			explore_text_add(&text, "%s in %s", base_name(where), function);
		else if (where[0] != '?')
			explore_text_add(&text, " < %s %s", function, base_name(where));
		first = false;
	}
	if (text.text != NULL && at > 0 && at <= count)
		place[at - 1].text = text.text;
}

static void look_up(struct place *place, size_t count)
{
	char path[LINE];
	struct explore_text command = {0};
	ssize_t length = readlink("/proc/self/exe", path, sizeof(path) - 1);
	if (length < 0 || memchr(path, '\'', (size_t)length) != NULL)
		return;
	path[length] = '\0';
	explore_text_add(&command, "addr2line -a -f -i -e '%s'", path);
	/* One byte before is the call, and not where it returns to. */
	for (size_t i = 0; i < count; i++)
		explore_text_add(&command, " %#lx", place[i].pc - explore_code_base() - 1);
	explore_text_add(&command, " 2>/dev/null");
	FILE *lines = popen(command.text, "r");
	free(command.text);
	if (lines == NULL)
		return;
	parse(lines, place, count);
	pclose(lines);
}

static struct place *find_place(uintptr_t pc)
{
	for (size_t i = 0; i < place_count; i++) {
		if (places[i].pc == pc)
			return &places[i];
	}
	return NULL;
}

/* Learns all code addresses of a text at once. */
static void learn(const char *text)
{
	size_t known = place_count;
	for (const char *at = text; (at = strstr(at, "\001c")) != NULL; at++) {
		uintptr_t pc = strtoul(at + 2, NULL, 16);
		if (find_place(pc) != NULL)
			continue;
		struct place *more = realloc(places, (place_count + 1) * sizeof(*places));
		if (more == NULL)
			return;
		places = more;
		places[place_count++] = (struct place){.pc = pc};
	}
	if (place_count == known)
		return;
	look_up(places + known, place_count - known);
	for (size_t i = known; i < place_count; i++) {
		if (places[i].text == NULL)
			unknown(&places[i]);
	}
}

static void add_data(struct explore_text *out, uintptr_t address, bool brief)
{
	const char *name;
	size_t offset;
	const struct explore_block *block = explore_heap_contains(address) ? explore_heap_find(address) : NULL;
	if (block != NULL) {
		offset = address - block->address;
		explore_text_add(out, "heap:%lx+%zu", block->address - HEAP_BASE, offset);
		if (!brief)
			explore_text_add(out, " (in a block of %zu bytes allocated by T%u at " EXPLORE_CODE ")",
			                 block->size, block->thread, block->pc);
	} else if (explore_stack_of(address) != 0) {
		explore_text_add(out, "stack of T%lu:%lx", explore_stack_of(address) - 1, address & (SLOT_SIZE - 1));
	} else if (image_object(address, &name, &offset)) {
		explore_text_add(out, offset == 0 ? "%s" : "%s+%zu", name, offset);
	} else {
		explore_text_add(out, "%#lx", address);
	}
}

/* Replaces the marks of one sort. */
static char *replace(const char *text, char sort)
{
	struct explore_text out = {0};
	explore_text_add(&out, "%s", "");
	while (*text != '\0') {
		const char *mark = strchr(text, '\001');
		while (mark != NULL && mark[1] != sort)
			mark = strchr(mark + 1, '\001');
		if (mark == NULL) {
			explore_text_add(&out, "%s", text);
			break;
		}
		explore_text_add(&out, "%.*s", (int)(mark - text), text);
		uintptr_t address = strtoul(mark + 2, NULL, 16);
		if (sort != 'c')
			add_data(&out, address, sort == 'n');
		else
			explore_text_add(&out, "%s", find_place(address) != NULL ? find_place(address)->text : "?");
		const char *end = strchr(mark, '\002');
		text = end == NULL ? mark + strlen(mark) : end + 1;
	}
	return out.text;
}

char *explore_symbolize(const char *text)
{
	char *brief = replace(text, 'n');
	char *named = replace(brief, 'd');
	learn(named);
	char *done = replace(named, 'c');
	free(brief);
	free(named);
	return done;
}

void explore_site_describe(uintptr_t pc, char *text, size_t size)
{
	char mark[64];
	snprintf(mark, sizeof(mark), EXPLORE_CODE, pc + explore_code_base());
	char *described = explore_symbolize(mark);
	snprintf(text, size, "%s", described);
	free(described);
}
