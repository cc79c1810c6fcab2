/* SPDX-License-Identifier: MIT */
/*
 * virtio over memory-mapped registers, version 2 (virtio 1.2, section 4.2).
 *
 * Where the devices are: the command line says `virtio_mmio.device=SIZE@ADDRESS:IRQ`, once for
 * each, the way Linux takes it and Firecracker and QEMU's microvm without ACPI write it. QEMU's
 * microvm with ACPI (its default) tells only in AML; there they lie 512 bytes apart from 0xfeb00000
 * on, with 24 places and GSIs from 24 on where the machine has two IOAPICs, else 8 places and GSIs
 * from 16 on (QEMU 7.2, hw/i386/microvm.c). A place without a device says device type 0.
 */

#include "kernel/arch/x86_64/io.h"
#include "kernel/cmdline.h"
#include "kernel/format.h"
#include "kernel/log.h"
#include "kernel/page.h"
#include "kernel/pci.h"
#include "kernel/virtio/transport.h"
#include "tracing/errno.h"

#include <string.h>

/* Section 4.2.2. */
#define REG_MAGIC 0x000
#define REG_VERSION 0x004
#define REG_DEVICE_ID 0x008
#define REG_DEVICE_FEATURES 0x010
#define REG_DEVICE_FEATURES_SEL 0x014
#define REG_DRIVER_FEATURES 0x020
#define REG_DRIVER_FEATURES_SEL 0x024
#define REG_QUEUE_SEL 0x030
#define REG_QUEUE_SIZE_MAX 0x034
#define REG_QUEUE_SIZE 0x038
#define REG_QUEUE_READY 0x044
#define REG_QUEUE_NOTIFY 0x050
#define REG_INTERRUPT_STATUS 0x060
#define REG_INTERRUPT_ACK 0x064
#define REG_STATUS 0x070
#define REG_QUEUE_DESC 0x080 /* these three: low half, then high half */
#define REG_QUEUE_DRIVER 0x090
#define REG_QUEUE_DEVICE 0x0a0
#define REG_CONFIG 0x100

#define MAGIC 0x74726976u
#define REGISTERS_SIZE 0x200u

#define WINDOW_BASE 0xfeb00000u

static uint32_t get(const struct virtio_device *device, uint32_t reg)
{
	return mmio_read32(device->at.mmio.base + reg);
}

static void put(const struct virtio_device *device, uint32_t reg, uint32_t value)
{
	mmio_write32(device->at.mmio.base + reg, value);
}

static void put_address(const struct virtio_device *device, uint32_t reg, const volatile void *ring)
{
	put(device, reg, (uint32_t)(uintptr_t)ring);
	put(device, reg + 4, (uint32_t)((uintptr_t)ring >> 32));
}

static uint8_t read_status(const struct virtio_device *device)
{
	return (uint8_t)get(device, REG_STATUS);
}

static void write_status(const struct virtio_device *device, uint8_t status)
{
	put(device, REG_STATUS, status);
}

static uint64_t read_features(const struct virtio_device *device)
{
	uint64_t features;

	put(device, REG_DEVICE_FEATURES_SEL, 1);
	features = (uint64_t)get(device, REG_DEVICE_FEATURES) << 32;
	put(device, REG_DEVICE_FEATURES_SEL, 0);
	return features | get(device, REG_DEVICE_FEATURES);
}

static void write_features(const struct virtio_device *device, uint64_t features)
{
	put(device, REG_DRIVER_FEATURES_SEL, 1);
	put(device, REG_DRIVER_FEATURES, (uint32_t)(features >> 32));
	put(device, REG_DRIVER_FEATURES_SEL, 0);
	put(device, REG_DRIVER_FEATURES, (uint32_t)features);
}

static uint32_t queue_size_max(const struct virtio_device *device, uint16_t index)
{
	put(device, REG_QUEUE_SEL, index);
	return get(device, REG_QUEUE_SIZE_MAX);
}

static void queue_enable(const struct virtio_device *device, struct virtqueue *queue)
{
	put(device, REG_QUEUE_SEL, queue->index);
	put(device, REG_QUEUE_SIZE, queue->size);
	put_address(device, REG_QUEUE_DESC, queue->desc);
	put_address(device, REG_QUEUE_DRIVER, queue->avail);
	put_address(device, REG_QUEUE_DEVICE, queue->used);
	queue->notify = device->at.mmio.base + REG_QUEUE_NOTIFY;
	queue->notify_16 = false;
	put(device, REG_QUEUE_READY, 1);
}

static uint32_t read_config(const struct virtio_device *device, uint32_t offset)
{
	return get(device, REG_CONFIG + offset);
}

static int connect_interrupt(struct virtio_device *device)
{
	return irq_route_gsi(device->at.mmio.gsi, IRQ_LEVEL, IRQ_ACTIVE_HIGH, virtio_interrupt,
			     device);
}

static bool acknowledge(const struct virtio_device *device)
{
	uint32_t status = get(device, REG_INTERRUPT_STATUS);

	if (status)
		put(device, REG_INTERRUPT_ACK, status);
	return status != 0;
}

static const struct virtio_transport mmio_transport = {
	.read_status = read_status,
	.write_status = write_status,
	.read_features = read_features,
	.write_features = write_features,
	.queue_size_max = queue_size_max,
	.queue_enable = queue_enable,
	.read_config = read_config,
	.connect_interrupt = connect_interrupt,
	.acknowledge = acknowledge,
};

struct search {
	uint32_t type;
	struct virtio_device *devices;
	unsigned max;
	unsigned count;
};

static void look_at(struct search *search, uint64_t base, unsigned gsi)
{
	struct virtio_device *device = &search->devices[search->count];

	if (search->count == search->max)
		return;
	page_map_device(base, REGISTERS_SIZE);
	if (mmio_read32(base + REG_MAGIC) != MAGIC ||
	    mmio_read32(base + REG_DEVICE_ID) != search->type)
		return;
	if (mmio_read32(base + REG_VERSION) != 2) {
		log_printf(LOG_ERROR,
			   "virtio: mmio %llx is legacy: start QEMU with "
			   "-global virtio-mmio.force-legacy=false",
			   (unsigned long long)base);
		return;
	}
	*device = (struct virtio_device){
		.transport = &mmio_transport,
		.at.mmio = {.base = base, .gsi = gsi},
	};
	format_text(device->name, sizeof(device->name), "mmio %llx gsi %u",
		    (unsigned long long)base, gsi);
	search->count++;
}

/* A number in C's notation at *text, which moves past it. */
static bool parse_number(const char **text, uint64_t *out)
{
	const char *p = *text;
	unsigned base = 10;
	uint64_t value = 0;
	const char *start;

	if (p[0] == '0' && p[1] == 'x') {
		base = 16;
		p += 2;
	}
	for (start = p;; p++) {
		unsigned digit;

		if (*p >= '0' && *p <= '9')
			digit = (unsigned)(*p - '0');
		else if (base == 16 && (*p | 0x20) >= 'a' && (*p | 0x20) <= 'f')
			digit = (unsigned)((*p | 0x20) - 'a' + 10);
		else
			break;
		value = value * base + digit;
	}
	if (p == start)
		return false;
	*text = p;
	*out = value;
	return true;
}

static void look_at_word(const char *key, const char *value, void *context)
{
	uint64_t size, base, irq;

	if (strcmp(key, "virtio_mmio.device") != 0 || !value)
		return;
	if (!parse_number(&value, &size))
		return;
	if (*value == 'K' || *value == 'k')
		value++;
	if (*value++ != '@' || !parse_number(&value, &base) || *value++ != ':' ||
	    !parse_number(&value, &irq) || base % 4 != 0 || irq >= irq_gsi_count()) {
		log_printf(LOG_WARNING,
			   "virtio: cannot read a virtio_mmio.device of the command line");
		return;
	}
	look_at(context, base, (unsigned)irq);
}

unsigned virtio_mmio_find(uint32_t type, struct virtio_device *devices, unsigned max)
{
	struct search search = {.type = type, .devices = devices, .max = max};
	bool two_ioapics = irq_gsi_count() >= 48;
	unsigned places = two_ioapics ? 24 : 8;
	unsigned first_gsi = two_ioapics ? 24 : 16;

	cmdline_for_each(look_at_word, &search);
	/* On a PC with PCI the window is somebody else's. */
	if (cmdline_has("virtio_mmio.device") || pci_present())
		return search.count;
	for (unsigned i = 0; i < places && first_gsi + i < irq_gsi_count(); i++)
		look_at(&search, WINDOW_BASE + i * REGISTERS_SIZE, first_gsi + i);
	return search.count;
}
