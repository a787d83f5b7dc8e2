/* SPDX-License-Identifier: MIT */
#include "harness/check/fault_redirect.h"

#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* Relocations that put a function's address, as it is, into a word. */
#if defined(__x86_64__)
enum { IN_PLT = R_X86_64_JUMP_SLOT, IN_GOT = R_X86_64_GLOB_DAT, IN_DATA = R_X86_64_64 };
#elif defined(__aarch64__)
enum { IN_PLT = R_AARCH64_JUMP_SLOT, IN_GOT = R_AARCH64_GLOB_DAT, IN_DATA = R_AARCH64_ABS64 };
#elif FAULT_REDIRECT_KNOWN /* RISC-V has one relocation for tables and data */
enum { IN_PLT = R_RISCV_JUMP_SLOT, IN_GOT = R_RISCV_64, IN_DATA = R_RISCV_64 };
#else
enum { IN_PLT, IN_GOT, IN_DATA };
#endif

struct redirects {
	const struct fault_redirect *list;
	size_t count;
};

/* The parts of a loaded object that the search needs. */
struct object {
	uintptr_t base;
	const ElfW(Sym) * symbols;
	const char *strings;
	const ElfW(Rela) * plt, *other;
	size_t plt_bytes, other_bytes;
	uintptr_t sealed; /* what the dynamic linker has made read-only, in whole pages */
	size_t sealed_bytes;
};

/* Its calls are the machinery's own. */
static bool left_alone(const char *path)
{
	static const char *const names[] = {"ld-linux", "libc.so",   "libpthread.so", "linux-vdso",  "libasan",
	                                    "libtsan",  "libubsan.", "liblsan",       "libclang_rt", "libcmocka"};
	const char *base = strrchr(path, '/');
	base = base != NULL ? base + 1 : path;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strncmp(base, names[i], strlen(names[i])) == 0)
			return true;
	return false;
}

static void read_dynamic(struct object *o, const ElfW(Dyn) * dynamic)
{
	for (; dynamic->d_tag != DT_NULL; dynamic++)
		switch (dynamic->d_tag) {
		case DT_SYMTAB:
			o->symbols = (const ElfW(Sym) *)dynamic->d_un.d_ptr;
			break;
		case DT_STRTAB:
			o->strings = (const char *)dynamic->d_un.d_ptr;
			break;
		case DT_JMPREL:
			o->plt = (const ElfW(Rela) *)dynamic->d_un.d_ptr;
			break;
		case DT_PLTRELSZ:
			o->plt_bytes = dynamic->d_un.d_val;
			break;
		case DT_RELA:
			o->other = (const ElfW(Rela) *)dynamic->d_un.d_ptr;
			break;
		case DT_RELASZ:
			o->other_bytes = dynamic->d_un.d_val;
			break;
		default:
			break;
		}
}

static void patch(const struct object *o, const ElfW(Rela) * relocations, size_t bytes,
                  const struct redirects *redirects)
{
	for (size_t i = 0; i < bytes / sizeof(*relocations); i++) {
		uint64_t type = ELF64_R_TYPE(relocations[i].r_info);
		const ElfW(Sym) *symbol = &o->symbols[ELF64_R_SYM(relocations[i].r_info)];
		if ((type != IN_PLT && type != IN_GOT && type != IN_DATA) || symbol->st_shndx != SHN_UNDEF)
			continue;
		for (size_t k = 0; k < redirects->count; k++)
			if (strcmp(o->strings + symbol->st_name, redirects->list[k].name) == 0)
				__atomic_store_n((void **)(o->base + relocations[i].r_offset), redirects->list[k].to,
				                 __ATOMIC_RELEASE);
	}
}

static int redirect_object(struct dl_phdr_info *info, size_t size, void *arg)
{
	struct object o = {.base = info->dlpi_addr};
	const ElfW(Dyn) *dynamic = NULL;
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
	(void)size;
	if (left_alone(info->dlpi_name))
		return 0;
	for (size_t i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *header = &info->dlpi_phdr[i];
		if (header->p_type == PT_DYNAMIC)
			dynamic = (const ElfW(Dyn) *)(o.base + header->p_vaddr);
		if (header->p_type == PT_GNU_RELRO) {
			uintptr_t end = (o.base + header->p_vaddr + header->p_memsz) & ~(page - 1);
			o.sealed = (o.base + header->p_vaddr) & ~(page - 1);
			o.sealed_bytes = end - o.sealed;
		}
	}
	if (dynamic == NULL)
		return 0;
	read_dynamic(&o, dynamic);
	if (o.symbols == NULL || o.strings == NULL)
		return 0;
	if (o.sealed_bytes > 0 && mprotect((void *)o.sealed, o.sealed_bytes, PROT_READ | PROT_WRITE) != 0)
		return 1;
	patch(&o, o.plt, o.plt_bytes, arg);
	patch(&o, o.other, o.other_bytes, arg);
	if (o.sealed_bytes > 0)
		mprotect((void *)o.sealed, o.sealed_bytes, PROT_READ);
	return 0;
}

bool fault_redirect(const struct fault_redirect *list, size_t count)
{
	struct redirects redirects = {list, count};
	for (size_t i = 0; i < count; i++)
		if ((*list[i].real = dlsym(RTLD_DEFAULT, list[i].name)) == NULL)
			return false;
	return FAULT_REDIRECT_KNOWN && dl_iterate_phdr(redirect_object, &redirects) == 0;
}
