/* SPDX-License-Identifier: MIT */
/*
 * What the files of the supervisor share. Everything runs in one thread on one event loop; each
 * subject has a structure here and a file supervisor_SUBJECT.c.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "guest-probe/probe_abi.h"
#include "host-tools/lib/byte_queue.h"
#include "host-tools/lib/event_loop.h"
#include "host-tools/lib/frame_stream.h"
#include "host-tools/lib/port_proxy.h"
#include "host-tools/lib/qmp.h"
#include "host-tools/lib/registry.h"
#include "host-tools/lib/supervisor.h"

struct supervisor;
struct client;

/* A frame that is kept to be sent again. */
struct kept_frame {
	struct uni_frame header;
	uint8_t *payload; /* NULL: none was kept */
};

#define LOG_FRAMES_KEPT 32
#define LOG_BYTES_KEPT (64 * 1024)
#define REQUESTS_PENDING_MAX 128

/* A request of a client that the guest has not answered yet. */
struct pending_request {
	uint32_t sequence;	  /* towards the guest; 0: free */
	uint32_t client_sequence; /* as the client numbered it */
	uint64_t client_id;	  /* 0: the supervisor's own */
	uint16_t type;
};

/* One port of frames from the guest, and back to it. */
struct frame_port {
	struct supervisor *supervisor;
	struct uni_event_source source;
	struct uni_frame_decoder decoder;
	struct uni_byte_queue out;
	int fd;
	bool is_trace;
};

struct guest_link {
	struct frame_port probe, trace;
	bool has_hello;
	struct uni_hello hello;
	struct kept_frame last_hello, metric_table, tracepoints, metrics, cpus, threads;
	struct kept_frame log[LOG_FRAMES_KEPT]; /* a ring */
	unsigned log_next;
	size_t log_bytes;
	uint32_t last_sequence;
	struct pending_request pending[REQUESTS_PENDING_MAX];
	unsigned pending_next;
	uint64_t heard_ns; /* when the guest last sent a hello or a heartbeat (METRICS) */
};

struct client {
	struct supervisor *supervisor;
	struct client *next;
	uint64_t id; /* from 1 */
	int fd;
	struct uni_event_source source;
	struct uni_frame_decoder decoder;
	struct uni_byte_queue out;
	struct uni_client_lost lost;
	bool lost_untold;
};

/* The one trace session that can run. */
struct trace_session {
	uint64_t owner; /* client id; 0: nobody */
	bool stopping;	/* TRACE_STOP was sent; the session is over with the guest's TRACE_STATS */
	uint64_t stopping_since_ns;
};

struct client_list {
	struct uni_event_source listener;
	int listener_fd;
	struct client *first;
	unsigned count;
	uint64_t last_id;
	struct trace_session session;
};

struct console_client {
	struct supervisor *supervisor;
	int fd; /* -1: free */
	struct uni_event_source source;
	struct uni_byte_queue out;
};

#define CONSOLE_CLIENTS_MAX 16

struct console {
	struct uni_event_source port;
	struct uni_event_source listener;
	int listener_fd;
	struct console_client clients[CONSOLE_CLIENTS_MAX];
	struct uni_byte_queue in; /* to the guest */
	struct uni_byte_queue backlog;
	bool has_line;
};

/* gdb's connection, and the NMI for a stub that does not answer. */
struct gdb_watch {
	struct uni_event_timer timer;
	uint64_t rings_ns; /* when the timer does; 0: it is not set */
	uint64_t due_ns;   /* when the next NMI goes in; 0: no answer is due */
	uint64_t delay_ms; /* from the one before */
	unsigned attempts;
	uint8_t packet[16]; /* start of the packet that gdb is sending */
	unsigned packet_len;
	bool in_packet;
	bool non_stop;	      /* of QNonStop */
	uint64_t attached_ns; /* when gdb came or went */
};

struct uni_dump_writer;

struct dump_collection {
	struct uni_event_timer timer; /* since the last sign of progress */
	struct uni_dump_writer *writer;
	bool panicked;
	bool finished;
	bool failed; /* the store took no more */
	bool complete;
	uint64_t id;	   /* 0: none */
	char cause[512];   /* the guest's words, not sanitized */
	char failure[512]; /* why there is no whole dump; empty: there is */
};

struct watchdog {
	struct uni_event_timer timer;
	uint64_t starved_ns; /* of all vCPU threads, at the last look */
	uint64_t cpu_ns;
	uint64_t vcpu_starved_ns[UNI_LAUNCH_CPUS_MAX]; /* of each */
	/* Starved time since the guest was last heard, of the vCPU that was starved most at each
	 * look: it alone may be what the guest waited for, and more than the wall clock no guest
	 * can be starved. */
	uint64_t quiet_starved_ns;
	uint64_t crash_asked_ns; /* when the guest was first asked to panic; 0: never */
};

struct life {
	enum uni_guest_run_state state;
	struct uni_event_source qemu; /* its pidfd */
	struct uni_event_source qemu_stderr;
	struct uni_event_timer boot_timer;
	struct uni_event_timer stop_timer;
	char stderr_text[1024]; /* the end of what QEMU said */
	bool booted;
	bool paused;	 /* by QMP */
	bool stop_asked; /* by a person */
	bool quit_sent;
	bool has_bye;
	int32_t bye_status;
	char shutdown_reason[32]; /* of QMP's SHUTDOWN event; empty: none came */
	bool hung;		  /* it did not even panic when it was told to */
	char *registers;	  /* QEMU's text of them at the end; NULL: not known */
	bool qemu_gone;
	int qemu_status;			 /* of waitpid(2) */
	struct pending_request stop_requests[8]; /* clients that wait for the end */
};

struct supervisor {
	const struct uni_supervisor_options *options;
	struct uni_guest_ending *ending;
	struct uni_event_loop loop;
	struct uni_event_source signals;
	struct uni_event_source control;
	int signal_fd;
	struct uni_registry_claim claim;
	struct uni_guest_info info;
	struct uni_launched qemu;
	struct uni_qmp qmp;
	struct guest_link guest;
	struct client_list clients;
	struct console console;
	struct port_proxy gdb;
	struct gdb_watch gdb_watch;
	struct port_proxy app;
	char gdb_port_path[UNI_SOCKET_PATH_SIZE];
	char app_port_path[UNI_SOCKET_PATH_SIZE];
	struct dump_collection dump;
	struct watchdog watchdog;
	struct life life;
	uint32_t vcpu_tids[UNI_LAUNCH_CPUS_MAX];
	unsigned vcpu_count;
};

/* supervisor_life.c: what state the guest is in, how it is stopped and how it ended. */
int life_init(struct supervisor *supervisor);
void life_fini(struct supervisor *supervisor);
void life_set_state(struct supervisor *supervisor, enum uni_guest_run_state state);
void life_booted(struct supervisor *supervisor);
void life_qmp_event(struct supervisor *supervisor, const char *name, struct json_object *data);
/* A stop in order: the guest is asked, and QEMU told to quit when grace_ms are over. */
void life_stop(struct supervisor *supervisor, uint64_t grace_ms);
/* A guest that neither beats nor panics when it is told to: its registers are asked for, then it is
 * ended. */
void life_hung(struct supervisor *supervisor);
/* Ends QEMU: what the guest had to say has been said. */
void life_quit(struct supervisor *supervisor);
/* Fills the ending once QEMU is gone. */
void life_conclude(struct supervisor *supervisor);
struct uni_guest_state life_state_payload(const struct supervisor *supervisor);

/* supervisor_guest.c: the probe and trace ports. */
int guest_init(struct supervisor *supervisor);
void guest_fini(struct supervisor *supervisor);
/* Reads what is left in the ports of a QEMU that is gone. */
void guest_drain(struct supervisor *supervisor);
/* Sends a request; client_id 0 asks for no answer. 0, or a negative UNI_E*. */
int guest_request(struct supervisor *supervisor, uint16_t type, const void *payload, size_t len,
		  uint64_t client_id, uint32_t client_sequence);
/* Fails what is pending: the guest is gone. */
void guest_fail_pending(struct supervisor *supervisor);

/* supervisor_clients.c: the clients of probe.sock. */
int clients_init(struct supervisor *supervisor);
void clients_fini(struct supervisor *supervisor);
void clients_broadcast(struct supervisor *supervisor, enum uni_frame_type type, const void *payload,
		       size_t len);
struct client *clients_find(struct supervisor *supervisor, uint64_t id);
void client_send(struct client *client, enum uni_frame_type type, uint32_t sequence,
		 const void *payload, size_t len);
void client_reply(struct client *client, uint32_t sequence, int status, const char *text);
/* Writes out what clients still take, for at most a second. Before the end. */
void clients_linger(struct supervisor *supervisor);

/* supervisor_requests.c: what clients ask for. */
void requests_take(struct client *client, const struct uni_frame *frame, const uint8_t *payload);
void requests_client_gone(struct supervisor *supervisor, uint64_t client_id);
/* The guest's answer to a request of a client has passed, with this status. */
void requests_answered(struct supervisor *supervisor, const struct pending_request *request,
		       int status);
void requests_trace_stats(struct supervisor *supervisor);

/* supervisor_console.c */
int console_init(struct supervisor *supervisor);
void console_fini(struct supervisor *supervisor);
void console_drain(struct supervisor *supervisor);
/* The last line of the console that holds something, sanitized. */
void console_last_line(const struct supervisor *supervisor, char *out, size_t size);

/* supervisor_gdb.c */
int gdb_init(struct supervisor *supervisor, int listener, const char *port_path);
void gdb_fini(struct supervisor *supervisor);
bool gdb_attached(const struct supervisor *supervisor);

/* supervisor_qemu_gdb.c: answers with the path of the socket. */
void qemu_gdb_open(struct client *client, uint32_t sequence);

/* supervisor_dump.c: the core that a dying guest streams. */
int dump_init(struct supervisor *supervisor);
void dump_fini(struct supervisor *supervisor);
void dump_frame(struct supervisor *supervisor, uint16_t type, const uint8_t *payload, size_t len);
/* QEMU is gone: closes a dump that is not finished. */
void dump_guest_gone(struct supervisor *supervisor);

/* supervisor_host_dump.c: the core of a guest that could not send one, from its RAM. QEMU is gone.
 */
void host_dump_write(struct supervisor *supervisor, const char *cause);

/* supervisor_watchdog.c: heartbeats, and the host's view of the vCPUs. */
int watchdog_init(struct supervisor *supervisor);
void watchdog_fini(struct supervisor *supervisor);
void watchdog_heard(struct supervisor *supervisor);
/* The guest is told to panic: what does not in time gets an NMI. */
void watchdog_crash_asked(struct supervisor *supervisor);

/* Injects an NMI into every vCPU. */
void supervisor_inject_nmi(struct supervisor *supervisor);
