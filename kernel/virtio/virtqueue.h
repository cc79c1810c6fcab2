/* SPDX-License-Identifier: MIT */
#pragma once

/* A split virtqueue (virtio 1.2, section 2.7): the three rings in one page, and the single steps
 * on them. Who may publish and who may look at the used ring is up to the owner; nothing here locks
 * or allocates after virtqueue_alloc(), and each step leaves the rings consistent at every
 * instruction, so that a CPU stopped inside one harms nobody.
 *
 * The available index in memory is the only one: publishing is writing a ring slot and then, with
 * one store, the index. A slot written without that store is simply written again by the next. */

#include <stdbool.h>
#include <stdint.h>

#define VIRTQUEUE_SIZE_MAX 128 /* what fits one page with room between the rings */

#define VIRTQ_DESC_NEXT 1u
#define VIRTQ_DESC_DEVICE_WRITES 2u

struct virtq_desc {
	uint64_t address;
	uint32_t len;
	uint16_t flags;
	uint16_t next;
};

struct virtq_used_elem {
	uint32_t id;
	uint32_t len;
};

struct virtq_avail;
struct virtq_used;

struct virtqueue {
	uint16_t index;
	uint16_t size;
	struct virtq_desc *desc;
	volatile struct virtq_avail *avail;
	const volatile struct virtq_used *used;
	uintptr_t notify; /* the device's register; set by the transport */
	bool notify_16;	  /* its width: 16 bits (PCI) or 32 (mmio) */
};

/* Takes a page for the rings, empty, interrupts on. size_max is what the device offers. Returns 0,
 * -UNI_EINVAL (size_max is no power of two, or 0), -UNI_ENOMEM. */
int virtqueue_alloc(struct virtqueue *queue, uint16_t index, uint32_t size_max);

/* Offers the chain that starts with descriptor `head`. One publisher at a time. */
void virtqueue_publish(struct virtqueue *queue, uint16_t head);

/* How many chains were ever published, modulo 65536. */
uint16_t virtqueue_published(const struct virtqueue *queue);

/* Tells the device of what was published, unless it asked not to be told. Any context, concurrent
 * too. Returns whether it was told. */
bool virtqueue_kick(const struct virtqueue *queue);

/* How many chains the device ever finished, modulo 65536. What the device wrote before is visible
 * afterwards. */
uint16_t virtqueue_used(const struct virtqueue *queue);

/* The `at`-th one it finished, unchecked: the device may have written anything. */
struct virtq_used_elem virtqueue_used_at(const struct virtqueue *queue, uint16_t at);

/* Asks the device to interrupt for what it finishes, or not to; only a hint to it. Look at
 * virtqueue_used() again after turning it on. */
void virtqueue_interrupts(struct virtqueue *queue, bool on);
