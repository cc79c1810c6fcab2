/* SPDX-License-Identifier: MIT */

#include "kernel/app.h"
#include "kernel/arch/x86_64/page_table.h"
#include "kernel/page.h"
#include "kernel/page_internal.h"

static size_t stack_pages(size_t size)
{
	return (size + PAGE_SIZE - 1) / PAGE_SIZE + 1;
}

enum page_access page_stack_access(void)
{
	return app_code_on_stacks ? PAGE_READ_WRITE_EXECUTE : PAGE_READ_WRITE;
}

void *page_stack_alloc(size_t size)
{
	char *guard = page_alloc_span(stack_pages(size));

	if (guard == NULL)
		return NULL;
	page_set_guard(guard, true);
	page_table_map((uintptr_t)guard, stack_pages(size) * PAGE_SIZE, page_stack_access());
	page_protect((uintptr_t)guard, PAGE_SIZE, PAGE_NONE);
	return guard + PAGE_SIZE;
}

void page_stack_free(void *low, size_t size)
{
	char *guard = (char *)low - PAGE_SIZE;

	/* A page that was not mapped is in no TLB. */
	page_table_map((uintptr_t)guard, PAGE_SIZE, PAGE_READ_WRITE);
	if (page_stack_access() != PAGE_READ_WRITE)
		page_protect((uintptr_t)low, (stack_pages(size) - 1) * PAGE_SIZE, PAGE_READ_WRITE);
	page_set_guard(guard, false);
	page_free_span(guard, stack_pages(size));
}
