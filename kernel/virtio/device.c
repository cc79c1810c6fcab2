/* SPDX-License-Identifier: MIT */

#include "kernel/clock.h"
#include "kernel/cpu.h"
#include "kernel/log.h"
#include "kernel/virtio/transport.h"
#include "tracing/errno.h"

/* Section 2.1. */
#define STATUS_ACKNOWLEDGE 1u
#define STATUS_DRIVER 2u
#define STATUS_DRIVER_OK 4u
#define STATUS_FEATURES_OK 8u
#define STATUS_FAILED 128u

#define RESET_NS (100 * NS_PER_MS)

unsigned virtio_find(uint32_t type, struct virtio_device *devices, unsigned max)
{
	unsigned count = virtio_pci_find(type, devices, max);

	return count + virtio_mmio_find(type, devices + count, max - count);
}

static void add_status(const struct virtio_device *device, uint8_t bits)
{
	const struct virtio_transport *transport = device->transport;

	transport->write_status(device, (uint8_t)(transport->read_status(device) | bits));
}

static bool reset(const struct virtio_device *device)
{
	uint64_t deadline = clock_deadline(RESET_NS);

	device->transport->write_status(device, 0);
	while (device->transport->read_status(device) != 0) {
		if (clock_ns() > deadline)
			return false;
		cpu_relax();
	}
	return true;
}

int virtio_start(struct virtio_device *device, uint64_t wanted, uint64_t *features,
		 irq_handler handler, void *argument)
{
	const struct virtio_transport *transport = device->transport;
	uint64_t offered;
	int error;

	if (!reset(device)) {
		log_printf(LOG_ERROR, "virtio: %s does not come out of reset", device->name);
		return -UNI_EIO;
	}
	add_status(device, STATUS_ACKNOWLEDGE);
	add_status(device, STATUS_DRIVER);
	offered = transport->read_features(device);
	if (!(offered & VIRTIO_F_VERSION_1)) {
		log_printf(LOG_ERROR,
			   "virtio: %s has no virtio 1 mode: start it with "
			   "disable-modern=off",
			   device->name);
		virtio_fail(device);
		return -UNI_ENOTSUP;
	}
	*features = offered & (wanted | VIRTIO_F_VERSION_1);
	transport->write_features(device, *features);
	add_status(device, STATUS_FEATURES_OK);
	if (!(transport->read_status(device) & STATUS_FEATURES_OK)) {
		log_printf(LOG_ERROR, "virtio: %s refused features %llx", device->name,
			   (unsigned long long)*features);
		virtio_fail(device);
		return -UNI_ENOTSUP;
	}
	device->handler = handler;
	device->handler_argument = argument;
	error = transport->connect_interrupt(device);
	if (error) {
		log_printf(LOG_ERROR, "virtio: no interrupt for %s (error %d)", device->name,
			   -error);
		virtio_fail(device);
	}
	return error;
}

int virtio_queue(struct virtio_device *device, uint16_t index, struct virtqueue *queue)
{
	uint32_t size_max = device->transport->queue_size_max(device, index);
	int error;

	if (size_max == 0)
		return -UNI_ENOENT;
	error = virtqueue_alloc(queue, index, size_max);
	if (!error)
		device->transport->queue_enable(device, queue);
	return error;
}

void virtio_ready(struct virtio_device *device)
{
	device->ready = true;
	add_status(device, STATUS_DRIVER_OK);
}

void virtio_fail(struct virtio_device *device)
{
	device->ready = false;
	/* A reset is what makes it leave the rings alone (section 2.4); the bit tells the host why.
	 */
	reset(device);
	add_status(device, STATUS_FAILED);
}

void virtio_interrupt(void *argument)
{
	struct virtio_device *device = argument;

	if (device->transport->acknowledge(device) && device->ready)
		device->handler(device->handler_argument);
}
