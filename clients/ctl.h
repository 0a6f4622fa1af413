/* SPDX-License-Identifier: MIT */
/*
 * What the commands of dmabufctl share. Each command gets its own arguments, argv[0] being the
 * program's name for messages, and returns an exit code.
 */
#ifndef CLIENTS_CTL_H
#define CLIENTS_CTL_H

#include <dmabuf.h>
#include <stdbool.h>

#include "cleanup.h"
#include "table.h"
#include "text.h"

int ctl_status(int argc, char *argv[]);
int ctl_pools(int argc, char *argv[]);
int ctl_devices(int argc, char *argv[]);
int ctl_buffers(int argc, char *argv[]);
int ctl_clients(int argc, char *argv[]);
int ctl_alloc(int argc, char *argv[]);
int ctl_metrics(int argc, char *argv[]);
int ctl_monitor(int argc, char *argv[]);
int ctl_top(int argc, char *argv[]);
int ctl_explain(int argc, char *argv[]);

/* Point to --help; EXIT_USAGE. */
int ctl_usage(const char *command);

/* Say that the command takes none; EXIT_USAGE. */
int ctl_no_argument(const char *command, const char *argument);

/*
 * The options of a table, of a command that takes no argument. 'h': the user asks for help. Other than 0:
 * the code to exit with; it was said why.
 */
int ctl_table_options(const char *command, int argc, char *argv[], struct table_options *options);

/* A command that asks the daemon once and prints one table. */
struct ctl_list {
	const char *name;
	const char *help;
	const struct table_column *columns;
	unsigned int n_columns;
	int (*list)(struct dmabuf *conn, struct table *table);
	bool upright; /* one row, its columns below one another */
};

int ctl_print_list(const struct ctl_list *command, int argc, char *argv[]);

/* Connect or say why not; NULL then. */
struct dmabuf *ctl_connect(void);

/* Say what the library said; EXIT_REFUSED. */
int ctl_fail(const struct dmabuf *conn);

static inline void ctl_disconnectp(struct dmabuf **conn)
{
	dmabuf_disconnect(*conn);
}

static inline void ctl_request_freep(struct dmabuf_request **request)
{
	dmabuf_request_free(*request);
}

/* A request as alloc and explain take it from the command line. */
struct ctl_request {
	uint64_t size;
	enum dmabuf_mapping mapping;
	unsigned int usage;
	unsigned int preferred;
	uint64_t alignment;
	unsigned int address_bits;
	const char *pool;
	const char *name;
	unsigned int wait; /* milliseconds */
};

/* Long options without a letter. */
enum ctl_option {
	CTL_CONTIGUOUS = 0x100,
	CTL_CPU_READS_OFTEN,
	CTL_NAME,
	CTL_COUNT,
	CTL_HOLD,
	CTL_WAIT,
	CTL_HTTP,
	CTL_INTERVAL,
	CTL_ONCE,
	CTL_ALIGN,
	CTL_ADDRESS_BITS,
	CTL_PREFER,
	CTL_USAGE,
	CTL_CHECK,
};

#define CTL_REQUEST_OPTIONS "s:m:p:"
#define CTL_REQUEST_LONG_OPTIONS                                                                   \
	{"size", required_argument, NULL, 's'}, {"mapping", required_argument, NULL, 'm'},         \
		{"pool", required_argument, NULL, 'p'},                                            \
		{"contiguous", no_argument, NULL, CTL_CONTIGUOUS},                                 \
		{"align", required_argument, NULL, CTL_ALIGN},                                     \
		{"address-bits", required_argument, NULL, CTL_ADDRESS_BITS},                       \
		{"prefer", required_argument, NULL, CTL_PREFER},                                   \
		{"usage", required_argument, NULL, CTL_USAGE},                                     \
	{                                                                                          \
		"cpu-reads-often", no_argument, NULL, CTL_CPU_READS_OFTEN                          \
	}
#define CTL_REQUEST_HELP                                                                           \
	"  -s, --size N          bytes of each buffer; K, M and G are powers of 1024\n"            \
	"  -m, --mapping WHICH   cached, write-combined, or any (default)\n"                       \
	"  -p, --pool NAME       no other pool\n"                                                  \
	"      --contiguous      one physical block, even if no device needs it\n"                 \
	"      --align N         start at a multiple of N, a power of two\n"                       \
	"      --address-bits N  no physical address needs more bits\n"                            \
	"      --prefer WHAT,... rather without than not at all: mapping, align, contiguous,\n"    \
	"                        address-bits\n"                                                   \
	"      --cpu-reads-often prefer a cached mapping\n"                                        \
	"      --usage WORD,...  what is done with it: reads-often, reads-rarely, reads-never,\n"  \
	"                        writes-often, writes-rarely, writes-never of the CPU, camera,\n"  \
	"                        encode, decode, scan-out\n"

/* 1: taken; 0: not one of the above; -EINVAL: wrong argument, said on stderr. */
int ctl_request_option(struct ctl_request *request, int c, const char *argument);

/* The request for these devices, or NULL having said why. */
struct dmabuf_request *ctl_request_make(const struct ctl_request *request, char *const devices[]);

#endif
