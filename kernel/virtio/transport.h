/* SPDX-License-Identifier: MIT */
#pragma once

/* A virtio 1 device, and the two ways to reach one: memory-mapped registers (virtio 1.2, section
 * 4.2) and PCI (section 4.1). Set up on the boot CPU by one thread; what may run later says so. */

#include <stdbool.h>
#include <stdint.h>

#include "kernel/irq.h"
#include "kernel/virtio/virtqueue.h"

#define VIRTIO_DEVICE_CONSOLE 3

#define VIRTIO_F_VERSION_1 (1ull << 32)

struct virtio_device;

struct virtio_transport {
	uint8_t (*read_status)(const struct virtio_device *device);
	void (*write_status)(const struct virtio_device *device, uint8_t status);
	uint64_t (*read_features)(const struct virtio_device *device);
	void (*write_features)(const struct virtio_device *device, uint64_t features);
	/* The largest size of a queue, 0 where there is none of this index. */
	uint32_t (*queue_size_max)(const struct virtio_device *device, uint16_t index);
	/* Tells the device where the rings lie; fills in queue->notify. */
	void (*queue_enable)(const struct virtio_device *device, struct virtqueue *queue);
	/* Of the device's configuration, 4-byte aligned. */
	uint32_t (*read_config)(const struct virtio_device *device, uint32_t offset);
	/* Routes the device's interrupt to virtio_interrupt(); before queues are enabled. Returns
	 * 0, a negative UNI_E*. */
	int (*connect_interrupt)(struct virtio_device *device);
	/* In the handler: whether the device meant it, and stops it from asserting. */
	bool (*acknowledge)(const struct virtio_device *device);
};

struct virtio_mmio_place {
	uintptr_t base;
	unsigned gsi;
};

struct virtio_pci_place {
	uint16_t function; /* bus, slot and function: kernel/pci.h */
	bool msix;
	uintptr_t common;
	uintptr_t notify;
	uintptr_t isr;
	uintptr_t config;
	uint32_t notify_len;
	uint32_t notify_multiplier;
};

struct virtio_device {
	const struct virtio_transport *transport;
	char name[32]; /* where it is, for the log */
	union {
		struct virtio_mmio_place mmio;
		struct virtio_pci_place pci;
	} at;
	bool ready; /* the queues are there: the handler may be called */
	irq_handler handler;
	void *handler_argument;
};

/* Fills `devices` with those of this type, at most `max`. Boot only. Returns how many. */
unsigned virtio_find(uint32_t type, struct virtio_device *devices, unsigned max);

/* The part of virtio_find() that each transport does. Without PCI the fixed window of QEMU's
 * microvm is looked through too. */
unsigned virtio_mmio_find(uint32_t type, struct virtio_device *devices, unsigned max);
unsigned virtio_pci_find(uint32_t type, struct virtio_device *devices, unsigned max);

/* Resets the device, agrees on VIRTIO_F_VERSION_1 and those of `wanted` that it has, and connects
 * its interrupt to handler(argument), which runs in interrupt context from then on. Returns 0 with
 * the features agreed on in *features; -UNI_ENOTSUP, -UNI_EIO: logged. */
int virtio_start(struct virtio_device *device, uint64_t wanted, uint64_t *features,
		 irq_handler handler, void *argument);

/* Allocates queue `index` and gives it to the device. Between virtio_start() and virtio_ready().
 * Returns 0, -UNI_ENOENT (the device has none of this index), as virtqueue_alloc(). */
int virtio_queue(struct virtio_device *device, uint16_t index, struct virtqueue *queue);

/* From here on the device looks at the queues. */
void virtio_ready(struct virtio_device *device);

/* Gives the device up: it stops touching memory. */
void virtio_fail(struct virtio_device *device);

/* The handler that connect_interrupt() routes to; `device` is its argument. */
void virtio_interrupt(void *device);
