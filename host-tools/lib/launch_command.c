/* SPDX-License-Identifier: MIT */
/* QEMU's command line. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "guest-probe/probe_abi.h"
#include "host-tools/lib/launch_internal.h"

#define WORDS_MAX 64

struct words {
	char **list;
	unsigned count;
	bool failed;
};

__attribute__((format(printf, 2, 3))) static void add(struct words *words, const char *format, ...)
{
	va_list arguments;
	char *word = NULL;

	va_start(arguments, format);
	if (words->count + 1 >= WORDS_MAX || vasprintf(&word, format, arguments) < 0)
		words->failed = true;
	else
		words->list[words->count++] = word;
	va_end(arguments);
}

static void add_option(struct words *words, const char *option, const char *value)
{
	add(words, "%s", option);
	add(words, "%s", value);
}

static void add_machine(struct words *words, const struct uni_launch_options *options)
{
	if (options->machine == UNI_MACHINE_Q35) {
		/* What no guest here uses would only cost time to set up. The firmware stays
		 * SeaBIOS: qboot takes 25 ms less, but leaves 64-bit BARs, as virtio's, unassigned.
		 */
		add_option(words, "-M",
			   "q35,memory-backend=ram,sata=off,smbus=off,smm=off,vmport=off");
	} else {
		add_option(words, "-M", "microvm,memory-backend=ram,x-option-roms=on,rtc=off");
		/* Legacy virtio-mmio is QEMU's default, and no virtio 1.x. */
		add_option(words, "-global", "virtio-mmio.force-legacy=false");
	}
}

/* A port of the guest behind a connected or a listening socket. */
static void add_port(struct words *words, const char *id, const char *name, int fd, bool listening)
{
	add(words, "-chardev");
	add(words, "socket,id=%s,fd=%d%s", id, fd, listening ? ",server=on,wait=off" : "");
	add(words, "-device");
	add(words, "virtserialport,chardev=%s,name=%s,id=port-%s", id, name, id);
}

static void add_channels(struct words *words, const struct uni_launch_options *options,
			 const struct uni_launch_channels *channels)
{
	add(words, "-chardev");
	add(words, "socket,id=qmp,fd=%d", channels->qmp_fd);
	add_option(words, "-mon", "chardev=qmp,mode=control");
	add(words, "-chardev");
	add(words, "socket,id=console,fd=%d", channels->console_fd);
	add_option(words, "-serial", "chardev:console");
	add_option(words, "-device",
		   options->machine == UNI_MACHINE_Q35 ? "virtio-serial-pci"
						       : "virtio-serial-device");
	/* Not "gdb": QEMU's own stub takes that id when it is opened (supervisor_qemu_gdb.c). */
	add_port(words, "stub", UNI_PORT_GDB, channels->gdb_listener, true);
	add_port(words, "probe", UNI_PORT_PROBE, channels->probe_fd, false);
	add_port(words, "trace", UNI_PORT_TRACE, channels->trace_fd, false);
	add_port(words, "app", UNI_PORT_APP, channels->app_listener, true);
}

/* A comma ends a value in QEMU's option syntax; two stand for one. */
static char *double_commas(const char *text)
{
	char *out = malloc(2 * strlen(text) + 1);
	char *next = out;

	for (; out && *text; text++) {
		*next++ = *text;
		if (*text == ',')
			*next++ = ',';
	}
	if (out)
		*next = '\0';
	return out;
}

char **uni_launch_command(const struct uni_launch_options *options,
			  const struct uni_launch_channels *channels)
{
	struct words words = {.list = calloc(WORDS_MAX, sizeof(char *))};
	char *name = double_commas(options->name);

	if (!words.list || !name) {
		free(words.list);
		free(name);
		return NULL;
	}
	add(&words, "%s", UNI_QEMU_PROGRAM);
	add(&words, "-name");
	add(&words, "%s,debug-threads=on", name);
	free(name);
	add(&words, "-nodefaults");
	add(&words, "-no-user-config");
	add_option(&words, "-display", "none");
	add_option(&words, "-vga", "none");
	/* It waits for "cont", so that no event of QMP is missed. */
	add(&words, "-S");
	/* A reset is an end, and QEMU stays after it: RAM and registers are as they were. */
	add_option(&words, "-action", "reboot=shutdown,shutdown=pause");
	add_option(&words, "-accel", uni_accel_names[options->accel]);
	/* All that this accelerator can, so that an application may use AVX; it costs no time at
	 * boot. No guest here asks which mitigations it can leave out, and where KVM is nested or
	 * emulated setting up that MSR can fail. */
	add_option(&words, "-cpu", "max,arch-capabilities=off");
	add(&words, "-smp");
	add(&words, "%u", options->cpus);
	add(&words, "-m");
	add(&words, "%uM", options->memory_mib);
	add(&words, "-object");
	add(&words, "memory-backend-file,id=ram,size=%uM,mem-path=/proc/self/fd/%d,share=on",
	    options->memory_mib, channels->memory_fd);
	add_machine(&words, options);
	add_channels(&words, options, channels);
	add_option(&words, "-device", "pvpanic");
	add_option(&words, "-kernel", options->image->path);
	if (options->arguments[0])
		add_option(&words, "-append", options->arguments);
	if (words.failed) {
		uni_launch_command_free(words.list);
		return NULL;
	}
	return words.list;
}

void uni_launch_command_free(char **words)
{
	for (unsigned i = 0; words && words[i]; i++)
		free(words[i]);
	free(words);
}
