/* SPDX-License-Identifier: MIT */
/* The books: a total, and what each worker says it booked. They agree at every moment that
 * orders_lock is free, whatever a debugger or a tracer does to the guest meanwhile. */
#include "kernel/apps/shop/shop.h"
#include "kernel/panic.h"
#include "kernel/sync.h"

struct mutex orders_lock = MUTEX_INIT(orders_lock, "orders");

struct account {
	uint64_t orders;
	uint64_t cents;
};

static struct account total;
static struct account accounts[SHOP_WORKERS_MAX];

static void audit_locked(void)
{
	struct account sum = {0};

	for (unsigned i = 0; i < SHOP_WORKERS_MAX; i++) {
		sum.orders += accounts[i].orders;
		sum.cents += accounts[i].cents;
	}
	KASSERT(sum.orders == total.orders);
	KASSERT(sum.cents == total.cents);
}

uint64_t order_commit(const struct order *order, unsigned worker)
{
	uint64_t orders;

	mutex_lock(&orders_lock);
	total.orders++;
	total.cents += order->cents;
	accounts[worker].orders++;
	accounts[worker].cents += order->cents;
	audit_locked();
	orders = total.orders;
	mutex_unlock(&orders_lock);
	return orders;
}

uint64_t ledger_orders(void)
{
	return __atomic_load_n(&total.orders, __ATOMIC_RELAXED);
}

void ledger_audit(void)
{
	mutex_lock(&orders_lock);
	audit_locked();
	mutex_unlock(&orders_lock);
}
