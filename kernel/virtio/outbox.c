/* SPDX-License-Identifier: MIT */

#include "kernel/virtio/outbox.h"

#include <string.h>

#include "tracing/errno.h"

#define POLL_DESCS (OUTBOX_POLL_CHAINS * PORT_IOV_MAX)

static uint64_t low_bits(unsigned count)
{
	return count >= 64 ? UINT64_MAX : (1ull << count) - 1;
}

size_t outbox_bounce_size(const struct outbox *outbox)
{
	return outbox->queue.size / 2 * OUTBOX_SLOT;
}

void outbox_init(struct outbox *outbox, void *bounce, void *poll_bounce)
{
	outbox->bounce = bounce;
	outbox->bounce_count = outbox->queue.size / 2;
	outbox->lend_count = (uint16_t)(outbox->queue.size - outbox->bounce_count - POLL_DESCS);
	outbox->poll_bounce = poll_bounce;
	outbox->bounce_free = low_bits(outbox->bounce_count);
	outbox->lend_free = low_bits(outbox->lend_count);
	virtqueue_interrupts(&outbox->queue, false);
}

static void publish(struct outbox *outbox, uint16_t head, struct outbox_chain chain)
{
	outbox->chains[head] = chain;
	outbox->order[outbox->order_end++ % VIRTQUEUE_SIZE_MAX] = head;
	virtqueue_publish(&outbox->queue, head);
}

static void gather(uint8_t *out, const struct port_iov *iov, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		if (iov[i].len == 0)
			continue;
		memcpy(out, iov[i].base, iov[i].len);
		out += iov[i].len;
	}
}

/* Chains the parts that are not empty through the descriptors in `free`, lowest first, where bit 0
 * is descriptor `base`. Returns the bits taken. */
static uint64_t chain_parts(struct virtqueue *queue, uint64_t free, uint16_t base,
			    const struct port_iov *iov, unsigned count)
{
	struct virtq_desc *previous = NULL;
	uint64_t taken = 0;

	for (unsigned i = 0; i < count; i++) {
		uint16_t bit;

		if (iov[i].len == 0)
			continue;
		bit = (uint16_t)__builtin_ctzll(free & ~taken);
		taken |= 1ull << bit;
		if (previous) {
			previous->flags = VIRTQ_DESC_NEXT;
			previous->next = (uint16_t)(base + bit);
		}
		previous = &queue->desc[base + bit];
		*previous = (struct virtq_desc){
			.address = (uintptr_t)iov[i].base,
			.len = (uint32_t)iov[i].len,
		};
	}
	return taken;
}

/* Bits that each start a run of `count` set ones. */
static uint64_t runs(uint64_t bits, unsigned count)
{
	uint64_t starts = bits;

	for (unsigned i = 1; i < count && starts; i++)
		starts &= bits >> i;
	return starts;
}

int outbox_copy(struct outbox *outbox, const struct port_iov *iov, unsigned count, size_t total)
{
	unsigned slots = (unsigned)((total + OUTBOX_SLOT - 1) / OUTBOX_SLOT);
	uint64_t starts = runs(outbox->bounce_free, slots);
	uint64_t parts;
	uint16_t head;
	uint8_t *copy;

	if (!starts)
		return -UNI_EAGAIN;
	/* Slots that follow each other make one descriptor, whatever the number of parts. */
	head = (uint16_t)__builtin_ctzll(starts);
	parts = low_bits(slots) << head;
	copy = outbox->bounce + head * OUTBOX_SLOT;
	gather(copy, iov, count);
	outbox->queue.desc[head] =
		(struct virtq_desc){.address = (uintptr_t)copy, .len = (uint32_t)total};
	outbox->bounce_free &= ~parts;
	publish(outbox, head, (struct outbox_chain){.parts = parts});
	return 0;
}

int outbox_lend(struct outbox *outbox, const struct port_iov *iov, unsigned count,
		port_done_fn done, void *arg)
{
	uint16_t base = outbox->bounce_count;
	uint64_t parts;

	if (outbox_lend_room(outbox) < count)
		return -UNI_EAGAIN;
	parts = chain_parts(&outbox->queue, outbox->lend_free, base, iov, count);
	outbox->lend_free &= ~parts;
	outbox->lent++;
	publish(outbox, (uint16_t)(base + __builtin_ctzll(parts)),
		(struct outbox_chain){.parts = parts, .lent = true, .done = done, .arg = arg});
	return 0;
}

unsigned outbox_lend_room(const struct outbox *outbox)
{
	unsigned room = 0;

	/* No builtin: it would call libgcc. */
	for (uint64_t bits = outbox->lend_free; bits; bits &= bits - 1)
		room++;
	return room;
}

uint16_t outbox_finished(const struct outbox *outbox)
{
	return outbox->order_first;
}

bool outbox_pending(const struct outbox *outbox)
{
	return virtqueue_used(&outbox->queue) != outbox->used_seen;
}

/* Frees the oldest chain; returns its head. */
static uint16_t finish_oldest(struct outbox *outbox, struct outbox_done *dones, unsigned *count)
{
	uint16_t head = outbox->order[outbox->order_first++ % VIRTQUEUE_SIZE_MAX];
	struct outbox_chain *chain = &outbox->chains[head];

	if (chain->lent) {
		outbox->lend_free |= chain->parts;
		outbox->lent--;
	} else {
		outbox->bounce_free |= chain->parts;
	}
	chain->parts = 0;
	if (chain->done)
		dones[(*count)++] = (struct outbox_done){chain->done, chain->arg};
	return head;
}

unsigned outbox_reap(struct outbox *outbox, struct outbox_done *dones)
{
	uint16_t used = virtqueue_used(&outbox->queue);
	unsigned count = 0;

	if ((uint16_t)(used - outbox->used_seen) > outbox->queue.size) {
		outbox->errors++;
		outbox->used_seen = used;
		return 0;
	}
	while (outbox->used_seen != used) {
		uint32_t head = virtqueue_used_at(&outbox->queue, outbox->used_seen).id;

		if (head >= outbox->queue.size || outbox->chains[head].parts == 0) {
			outbox->errors++;
			outbox->used_seen++;
			continue;
		}
		while (finish_oldest(outbox, dones, &count) != head)
			;
		outbox->used_seen++;
	}
	return count;
}

unsigned outbox_abandon(struct outbox *outbox, struct outbox_done *dones)
{
	unsigned count = 0;

	while (outbox->order_first != outbox->order_end)
		finish_oldest(outbox, dones, &count);
	return count;
}

void outbox_poll_begin(struct outbox *outbox)
{
	outbox->poll_used_seen = virtqueue_used(&outbox->queue);
}

static uint16_t poll_base(const struct outbox *outbox, unsigned chain)
{
	return (uint16_t)(outbox->queue.size - POLL_DESCS + chain * PORT_IOV_MAX);
}

/* When the newest chain is done, so is any older one. */
static void poll_reap(struct outbox *outbox)
{
	uint16_t used = virtqueue_used(&outbox->queue);

	/* Of a jump beyond the ring only the last entries are there to be looked at. */
	if ((uint16_t)(used - outbox->poll_used_seen) > outbox->queue.size)
		outbox->poll_used_seen = (uint16_t)(used - outbox->queue.size);
	while (outbox->poll_used_seen != used) {
		uint32_t head = virtqueue_used_at(&outbox->queue, outbox->poll_used_seen++).id;

		for (unsigned i = 0; i < OUTBOX_POLL_CHAINS; i++) {
			if (head != poll_base(outbox, i) || !outbox->poll_busy[i])
				continue;
			outbox->poll_busy[i] = false;
			if (i == outbox->poll_newest)
				memset(outbox->poll_busy, 0, sizeof(outbox->poll_busy));
		}
	}
}

int outbox_poll_put(struct outbox *outbox, const struct port_iov *iov, unsigned count, size_t total)
{
	unsigned chain = 0;
	uint16_t base;

	poll_reap(outbox);
	while (outbox->poll_busy[chain])
		if (++chain == OUTBOX_POLL_CHAINS)
			return -UNI_EAGAIN;
	base = poll_base(outbox, chain);
	if (total <= OUTBOX_POLL_BOUNCE) {
		uint8_t *copy = outbox->poll_bounce + chain * OUTBOX_POLL_BOUNCE;

		gather(copy, iov, count);
		outbox->queue.desc[base] =
			(struct virtq_desc){.address = (uintptr_t)copy, .len = (uint32_t)total};
	} else {
		chain_parts(&outbox->queue, low_bits(PORT_IOV_MAX), base, iov, count);
	}
	outbox->poll_busy[chain] = true;
	outbox->poll_newest = chain;
	virtqueue_publish(&outbox->queue, base);
	return (int)chain;
}

bool outbox_poll_done(struct outbox *outbox, int chain)
{
	poll_reap(outbox);
	return !outbox->poll_busy[chain];
}
