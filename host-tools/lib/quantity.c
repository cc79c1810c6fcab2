/* SPDX-License-Identifier: MIT */
#include "host-tools/lib/quantity.h"

#include <inttypes.h>
#include <stdio.h>

#include "guest-probe/probe_abi.h"

/* Two digits below ten, so that small numbers do not look more exact than large ones. */
static const char *scaled(char *out, size_t size, double value, const char *unit)
{
	snprintf(out, size, "%.*f%s%s", value < 9.95 ? 1 : 0, value, *unit ? " " : "", unit);
	return out;
}

const char *uni_quantity_bytes(char *out, size_t size, uint64_t bytes)
{
	static const char *const units[] = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
	double value = (double)bytes / 1024;
	size_t unit = 0;

	if (bytes < 1024) {
		snprintf(out, size, "%" PRIu64 " B", bytes);
		return out;
	}
	for (; value >= 1023.5 && unit + 1 < sizeof(units) / sizeof(units[0]); unit++)
		value /= 1024;
	snprintf(out, size, "%.*f %s", value < 99.95 ? 1 : 0, value, units[unit]);
	return out;
}

const char *uni_quantity_duration(char *out, size_t size, uint64_t ns)
{
	uint64_t s = ns / 1000000000;

	if (ns < 1000)
		snprintf(out, size, "%" PRIu64 " ns", ns);
	else if (ns < 999500)
		scaled(out, size, (double)ns / 1e3, "us");
	else if (ns < 999500000)
		scaled(out, size, (double)ns / 1e6, "ms");
	else if (s < 60)
		scaled(out, size, (double)ns / 1e9, "s");
	else if (s < 3600)
		snprintf(out, size, "%" PRIu64 " min %02" PRIu64 " s", s / 60, s % 60);
	else if (s < 86400)
		snprintf(out, size, "%" PRIu64 " h %02" PRIu64 " min", s / 3600, s / 60 % 60);
	else
		snprintf(out, size, "%" PRIu64 " d %02" PRIu64 " h", s / 86400, s / 3600 % 24);
	return out;
}

const char *uni_quantity_count(char *out, size_t size, double count)
{
	if (count < 99999.5)
		snprintf(out, size, "%.*f", count > 0 && count < 9.95 ? 1 : 0, count);
	else if (count < 9.995e6)
		snprintf(out, size, "%.0f k", count / 1e3);
	else if (count < 9.995e9)
		snprintf(out, size, "%.0f M", count / 1e6);
	else if (count < 9.995e12)
		snprintf(out, size, "%.0f G", count / 1e9);
	else
		snprintf(out, size, "%.2g", count);
	return out;
}

const char *uni_quantity_value(char *out, size_t size, uint64_t value, uint8_t unit)
{
	switch (unit) {
	case UNI_UNIT_BYTES:
		return uni_quantity_bytes(out, size, value);
	case UNI_UNIT_NS:
		return uni_quantity_duration(out, size, value);
	case UNI_UNIT_PERMILLE:
		return scaled(out, size, (double)value / 10, "%");
	default:
		snprintf(out, size, "%" PRIu64, value);
		return out;
	}
}

const char *uni_quantity_rate(char *out, size_t size, double per_s, uint8_t unit)
{
	char number[UNI_QUANTITY_SIZE];
	/* Casting a double beyond the range of uint64_t is undefined. */
	uint64_t whole = per_s < 1.8e19 ? (uint64_t)per_s : UINT64_MAX;

	if (unit == UNI_UNIT_BYTES)
		uni_quantity_bytes(number, sizeof(number), whole);
	else if (unit == UNI_UNIT_NS)
		uni_quantity_duration(number, sizeof(number), whole);
	else
		uni_quantity_count(number, sizeof(number), per_s);
	snprintf(out, size, "%.*s/s", (int)sizeof(number) - 4, number);
	return out;
}
