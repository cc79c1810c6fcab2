// SPDX-License-Identifier: MIT
/* Texts kept once: a string's number is its offset in one block, so that the block may move. */
#include <stdlib.h>
#include <string.h>

#include "host-tools/lib/symbols_internal.h"

bool symbols_grow(void **at, size_t *room, size_t item_size)
{
	size_t wanted = *room ? *room + *room / 2 : 256;
	void *grown = reallocarray(*at, wanted, item_size);

	if (!grown)
		return false;
	*at = grown;
	*room = wanted;
	return true;
}

/* FNV-1a. */
static uint32_t hash(const char *text)
{
	uint32_t value = 2166136261u;

	for (; *text; text++)
		value = (value ^ (uint8_t)*text) * 16777619u;
	return value;
}

/* The slot that holds the text, or the free one that it belongs in. */
static uint32_t *find_slot(const struct symbols_strings *strings, const char *text)
{
	size_t mask = strings->slot_count - 1;
	size_t i = hash(text) & mask;

	while (strings->slots[i] && strcmp(strings->text + strings->slots[i] - 1, text))
		i = (i + 1) & mask;
	return &strings->slots[i];
}

static bool grow_slots(struct symbols_strings *strings)
{
	struct symbols_strings grown = *strings;

	grown.slot_count = strings->slot_count ? 2 * strings->slot_count : 1024;
	grown.slots = calloc(grown.slot_count, sizeof(*grown.slots));
	if (!grown.slots)
		return false;
	for (size_t i = 0; i < strings->slot_count; i++) {
		if (strings->slots[i])
			*find_slot(&grown, strings->text + strings->slots[i] - 1) =
				strings->slots[i];
	}
	free(strings->slots);
	*strings = grown;
	return true;
}

uint32_t symbols_intern(struct symbols_strings *strings, const char *text)
{
	size_t size = text ? strlen(text) + 1 : 0;
	uint32_t *slot;

	if (!text || (2 * strings->used >= strings->slot_count && !grow_slots(strings)))
		return UNI_SYMBOLS_NONE;
	slot = find_slot(strings, text);
	if (*slot)
		return *slot - 1;
	if (size >= UNI_SYMBOLS_NONE - 1 - strings->len)
		return UNI_SYMBOLS_NONE;
	if (strings->len + size > strings->room) {
		size_t room = 2 * strings->room + size + 4096;
		char *grown = realloc(strings->text, room);

		if (!grown)
			return UNI_SYMBOLS_NONE;
		strings->text = grown;
		strings->room = room;
	}
	memcpy(strings->text + strings->len, text, size);
	*slot = (uint32_t)strings->len + 1;
	strings->len += size;
	strings->used++;
	return *slot - 1;
}

const char *symbols_string(const struct symbols_strings *strings, uint32_t number)
{
	return number == UNI_SYMBOLS_NONE ? NULL : strings->text + number;
}
