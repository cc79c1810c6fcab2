/* SPDX-License-Identifier: MIT */

#include "kernel/virtio/virtqueue.h"

#include <stddef.h>
#include <string.h>

#include "kernel/arch/x86_64/io.h"
#include "kernel/page.h"
#include "tracing/errno.h"

#define AVAIL_NO_INTERRUPT 1u
#define USED_NO_NOTIFY 1u

struct virtq_avail {
	uint16_t flags;
	uint16_t index;
	uint16_t ring[VIRTQUEUE_SIZE_MAX];
};

struct virtq_used {
	uint16_t flags;
	uint16_t index;
	struct virtq_used_elem ring[VIRTQUEUE_SIZE_MAX];
};

/* Alignment of the parts: section 2.7, 16, 2 and 4 bytes. */
struct rings {
	struct virtq_desc desc[VIRTQUEUE_SIZE_MAX];
	struct virtq_avail avail;
	_Alignas(4) struct virtq_used used;
};

_Static_assert(sizeof(struct virtq_desc) == 16, "virtio 1.2, 2.7.5");
_Static_assert(sizeof(struct rings) <= PAGE_SIZE, "one page a queue");

int virtqueue_alloc(struct virtqueue *queue, uint16_t index, uint32_t size_max)
{
	struct rings *rings;

	if (size_max == 0 || (size_max & (size_max - 1)) != 0)
		return -UNI_EINVAL;
	rings = page_alloc(0);
	if (!rings)
		return -UNI_ENOMEM;
	memset(rings, 0, PAGE_SIZE);
	*queue = (struct virtqueue){
		.index = index,
		.size = size_max < VIRTQUEUE_SIZE_MAX ? (uint16_t)size_max : VIRTQUEUE_SIZE_MAX,
		.desc = rings->desc,
		.avail = &rings->avail,
		.used = &rings->used,
	};
	return 0;
}

void virtqueue_publish(struct virtqueue *queue, uint16_t head)
{
	uint16_t index = queue->avail->index;

	queue->avail->ring[index & (queue->size - 1)] = head;
	/* The device must not see the index before the slot and the descriptors. */
	__atomic_store_n(&queue->avail->index, (uint16_t)(index + 1), __ATOMIC_RELEASE);
}

uint16_t virtqueue_published(const struct virtqueue *queue)
{
	return queue->avail->index;
}

bool virtqueue_kick(const struct virtqueue *queue)
{
	/* The index must be out before the flag is read: the device does the two the other way
	 * round (section 2.7.13.4.1). */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (queue->used->flags & USED_NO_NOTIFY)
		return false;
	if (queue->notify_16)
		mmio_write16(queue->notify, queue->index);
	else
		mmio_write32(queue->notify, queue->index);
	return true;
}

uint16_t virtqueue_used(const struct virtqueue *queue)
{
	return __atomic_load_n(&queue->used->index, __ATOMIC_ACQUIRE);
}

struct virtq_used_elem virtqueue_used_at(const struct virtqueue *queue, uint16_t at)
{
	const volatile struct virtq_used_elem *elem = &queue->used->ring[at & (queue->size - 1)];

	return (struct virtq_used_elem){.id = elem->id, .len = elem->len};
}

void virtqueue_interrupts(struct virtqueue *queue, bool on)
{
	queue->avail->flags = on ? 0 : AVAIL_NO_INTERRUPT;
	/* Whoever turns them on looks at the used index next, and must not have looked before. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}
