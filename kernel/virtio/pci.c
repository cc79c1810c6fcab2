/* SPDX-License-Identifier: MIT */
/*
 * virtio over PCI (virtio 1.2, section 4.1): capabilities say in which BAR the registers lie.
 * One interrupt serves the device and all its queues: MSI-X entry 0, or INTx with the ISR byte.
 */

#include "kernel/pci.h"
#include "kernel/arch/x86_64/io.h"
#include "kernel/format.h"
#include "kernel/log.h"
#include "kernel/page.h"
#include "kernel/virtio/transport.h"
#include "tracing/errno.h"

#define VENDOR_VIRTIO 0x1af4
#define DEVICE_TRANSITIONAL 0x1000 /* to 0x103f: the type is the subsystem id (section 4.1.2) */
#define DEVICE_MODERN 0x1040	   /* to 0x107f: plus the type */
#define DEVICE_LAST 0x107f

/* Section 4.1.4, virtio_pci_cap: offsets in the capability. */
#define CAP_TYPE 3u
#define CAP_BAR 4u
#define CAP_OFFSET 8u
#define CAP_LENGTH 12u
#define CAP_NOTIFY_MULTIPLIER 16u

#define TYPE_COMMON 1
#define TYPE_NOTIFY 2
#define TYPE_ISR 3
#define TYPE_DEVICE 4

/* Section 4.1.4.3, virtio_pci_common_cfg. */
#define COMMON_DEVICE_FEATURE_SELECT 0
#define COMMON_DEVICE_FEATURE 4
#define COMMON_DRIVER_FEATURE_SELECT 8
#define COMMON_DRIVER_FEATURE 12
#define COMMON_CONFIG_MSIX_VECTOR 16
#define COMMON_STATUS 20
#define COMMON_QUEUE_SELECT 22
#define COMMON_QUEUE_SIZE 24
#define COMMON_QUEUE_MSIX_VECTOR 26
#define COMMON_QUEUE_ENABLE 28
#define COMMON_QUEUE_NOTIFY_OFF 30
#define COMMON_QUEUE_DESC 32
#define COMMON_QUEUE_DRIVER 40
#define COMMON_QUEUE_DEVICE 48
#define COMMON_SIZE 56

static uint8_t read_status(const struct virtio_device *device)
{
	return mmio_read8(device->at.pci.common + COMMON_STATUS);
}

static void write_status(const struct virtio_device *device, uint8_t status)
{
	mmio_write8(device->at.pci.common + COMMON_STATUS, status);
}

static uint64_t read_features(const struct virtio_device *device)
{
	uintptr_t common = device->at.pci.common;
	uint64_t features;

	mmio_write32(common + COMMON_DEVICE_FEATURE_SELECT, 1);
	features = (uint64_t)mmio_read32(common + COMMON_DEVICE_FEATURE) << 32;
	mmio_write32(common + COMMON_DEVICE_FEATURE_SELECT, 0);
	return features | mmio_read32(common + COMMON_DEVICE_FEATURE);
}

static void write_features(const struct virtio_device *device, uint64_t features)
{
	uintptr_t common = device->at.pci.common;

	mmio_write32(common + COMMON_DRIVER_FEATURE_SELECT, 1);
	mmio_write32(common + COMMON_DRIVER_FEATURE, (uint32_t)(features >> 32));
	mmio_write32(common + COMMON_DRIVER_FEATURE_SELECT, 0);
	mmio_write32(common + COMMON_DRIVER_FEATURE, (uint32_t)features);
}

static uint32_t queue_size_max(const struct virtio_device *device, uint16_t index)
{
	const struct virtio_pci_place *at = &device->at.pci;
	uint64_t notify;

	mmio_write16(at->common + COMMON_QUEUE_SELECT, index);
	notify =
		(uint64_t)mmio_read16(at->common + COMMON_QUEUE_NOTIFY_OFF) * at->notify_multiplier;
	/* A queue that could not be kicked is none. */
	if (notify + sizeof(uint16_t) > at->notify_len)
		return 0;
	return mmio_read16(at->common + COMMON_QUEUE_SIZE);
}

static void write_address(uintptr_t reg, const volatile void *ring)
{
	mmio_write32(reg, (uint32_t)(uintptr_t)ring);
	mmio_write32(reg + 4, (uint32_t)((uintptr_t)ring >> 32));
}

static void queue_enable(const struct virtio_device *device, struct virtqueue *queue)
{
	const struct virtio_pci_place *at = &device->at.pci;

	mmio_write16(at->common + COMMON_QUEUE_SELECT, queue->index);
	mmio_write16(at->common + COMMON_QUEUE_SIZE, queue->size);
	write_address(at->common + COMMON_QUEUE_DESC, queue->desc);
	write_address(at->common + COMMON_QUEUE_DRIVER, queue->avail);
	write_address(at->common + COMMON_QUEUE_DEVICE, queue->used);
	if (at->msix)
		mmio_write16(at->common + COMMON_QUEUE_MSIX_VECTOR, 0);
	queue->notify = at->notify + (uintptr_t)mmio_read16(at->common + COMMON_QUEUE_NOTIFY_OFF) *
					     at->notify_multiplier;
	queue->notify_16 = true;
	mmio_write16(at->common + COMMON_QUEUE_ENABLE, 1);
}

static uint32_t read_config(const struct virtio_device *device, uint32_t offset)
{
	return mmio_read32(device->at.pci.config + offset);
}

static int connect_interrupt(struct virtio_device *device)
{
	struct virtio_pci_place *at = &device->at.pci;
	int error = pci_msix_connect(at->function, virtio_interrupt, device);

	at->msix = error == 0;
	if (at->msix) {
		mmio_write16(at->common + COMMON_CONFIG_MSIX_VECTOR, 0);
		return 0;
	}
	return pci_intx_connect(at->function, virtio_interrupt, device);
}

static bool acknowledge(const struct virtio_device *device)
{
	/* Reading the ISR byte clears it and the line (section 4.1.4.5); MSI-X does not use it. */
	return device->at.pci.msix || mmio_read8(device->at.pci.isr) != 0;
}

static const struct virtio_transport pci_transport = {
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

/* Maps what the first capability of this type points to, at least len_min bytes of it. Returns its
 * address, 0 when there is none. */
static uintptr_t map_structure(uint16_t function, uint8_t type, uint32_t len_min, uint32_t *len,
			       uint8_t *cap)
{
	uint8_t at = 0;

	while ((at = pci_capability(function, PCI_CAP_VENDOR, at)) != 0) {
		uint64_t bar = pci_memory_bar(function, pci_read8(function, at + CAP_BAR));
		uint32_t offset = pci_read32(function, at + CAP_OFFSET);

		*len = pci_read32(function, at + CAP_LENGTH);
		if (pci_read8(function, at + CAP_TYPE) != type || bar == 0 || *len < len_min)
			continue;
		page_map_device(bar + offset, *len);
		*cap = at;
		return bar + offset;
	}
	return 0;
}

static bool map_registers(uint16_t function, struct virtio_pci_place *at)
{
	uint32_t len;
	uint8_t cap;

	at->function = function;
	at->common = map_structure(function, TYPE_COMMON, COMMON_SIZE, &len, &cap);
	at->isr = map_structure(function, TYPE_ISR, 1, &len, &cap);
	at->config = map_structure(function, TYPE_DEVICE, 4, &len, &cap);
	at->notify = map_structure(function, TYPE_NOTIFY, 2, &at->notify_len, &cap);
	if (!at->common || !at->isr || !at->config || !at->notify)
		return false;
	at->notify_multiplier = pci_read32(function, cap + CAP_NOTIFY_MULTIPLIER);
	return true;
}

struct search {
	uint32_t type;
	struct virtio_device *devices;
	unsigned max;
	unsigned count;
};

static void look_at(uint16_t function, void *context)
{
	struct search *search = context;
	struct virtio_device *device = &search->devices[search->count];
	uint16_t id = pci_read16(function, PCI_DEVICE);
	uint32_t type;

	if (pci_read16(function, PCI_VENDOR) != VENDOR_VIRTIO || id < DEVICE_TRANSITIONAL ||
	    id > DEVICE_LAST || search->count == search->max)
		return;
	type = id < DEVICE_MODERN ? pci_read16(function, PCI_SUBSYSTEM) : id - DEVICE_MODERN;
	if (type != search->type)
		return;
	*device = (struct virtio_device){.transport = &pci_transport};
	format_text(device->name, sizeof(device->name), "pci %02x:%02x.%x", PCI_BUS(function),
		    PCI_SLOT(function), PCI_FUNC(function));
	pci_enable(function);
	if (!map_registers(function, &device->at.pci)) {
		log_printf(LOG_ERROR,
			   "virtio: %s has no virtio 1 registers: start it with "
			   "disable-modern=off, and let the firmware assign its BARs",
			   device->name);
		return;
	}
	search->count++;
}

unsigned virtio_pci_find(uint32_t type, struct virtio_device *devices, unsigned max)
{
	struct search search = {.type = type, .devices = devices, .max = max};

	pci_for_each(look_at, &search);
	return search.count;
}
