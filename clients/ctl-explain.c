/* SPDX-License-Identifier: MIT */
/*
 * dmabufctl explain: the decision for a request, and each pool with the reason for its place.
 */
#include <err.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>

#include "ctl.h"

enum {
	QUESTION,
	ANSWER,
	REASON,
	WHY,
	NEEDS,
	N_DECISION
};

static const struct table_column decision_columns[N_DECISION] = {
	[QUESTION] = {"QUESTION", TABLE_TEXT, TABLE_SHOWN, "what is decided"},
	[ANSWER] = {"ANSWER", TABLE_TEXT, TABLE_SHOWN, "the decision"},
	[REASON] = {"REASON", TABLE_TEXT, TABLE_ONLY_TEXT, "both of what follows", TABLE_WRAPS},
	[WHY] = {"WHY", TABLE_TEXT, TABLE_ONLY_JSON, "its reason", TABLE_WRAPS},
	[NEEDS] = {"NEEDS", TABLE_TEXT, TABLE_ONLY_JSON, "what another decision would need",
		   TABLE_WRAPS},
};

enum {
	S_ORDER,
	S_POOL,
	S_KIND,
	S_VERDICT,
	S_REASON,
	S_WHY,
	S_NEEDS,
	N_STEP
};

static const struct table_column step_columns[N_STEP] = {
	[S_ORDER] = {"ORDER", TABLE_NUMBER, TABLE_SHOWN, "place among the pools that are tried"},
	[S_POOL] = {"POOL", TABLE_TEXT, TABLE_SHOWN, "name of the pool"},
	[S_KIND] = {"KIND", TABLE_TEXT, TABLE_SHOWN, "coherent, cma or buddy"},
	[S_VERDICT] = {"VERDICT", TABLE_TEXT, TABLE_SHOWN,
		       "try; full: in vain now; quota: refused by it; refused: does not suit"},
	[S_REASON] = {"REASON", TABLE_TEXT, TABLE_ONLY_TEXT, "both of what follows", TABLE_WRAPS},
	[S_WHY] = {"WHY", TABLE_TEXT, TABLE_ONLY_JSON, "why", TABLE_WRAPS},
	[S_NEEDS] = {"NEEDS", TABLE_TEXT, TABLE_ONLY_JSON, "what another verdict would need",
		     TABLE_WRAPS},
};

struct explain_tables {
	struct table *decision;
	struct table *pools;
};

static void tables_freep(struct explain_tables *tables)
{
	table_free(tables->decision);
	table_free(tables->pools);
}

static const struct {
	const char *name;
	enum table_colour colour;
} verdicts[] = {
	[DMABUF_VERDICT_TRY] = {"try", TABLE_GOOD},
	[DMABUF_VERDICT_REFUSED] = {"refused", TABLE_FAINT},
	[DMABUF_VERDICT_FULL] = {"full", TABLE_DOUBTFUL},
	[DMABUF_VERDICT_OVER_QUOTA] = {"quota", TABLE_BAD},
};

/* column and the two behind it: both texts, the reason, what it takes to change that. */
static void set_reason(struct table *table, unsigned int column, const char *why, const char *needs)
{
	_cleanup_free_ char *both = NULL;

	if (asprintf(&both, "%s%s%s", why, *needs ? "\n  to change: " : "", needs) < 0)
		err(EXIT_REFUSED, "explain");
	table_set_text(table, column, both);
	table_set_text(table, column + 1, why);
	if (*needs)
		table_set_text(table, column + 2, needs);
}

static void add_decision(struct table *table, const char *question, const char *answer,
			 const char *why, const char *needs)
{
	table_add_row(table);
	table_set_text(table, QUESTION, question);
	table_set_text(table, ANSWER, answer);
	set_reason(table, REASON, why, needs);
}

static void add_alignment(struct table *table, const struct dmabuf_explanation *explanation)
{
	char bytes[TEXT_SIZE_MAX];

	if (!*explanation->alignment_why)
		return;
	snprintf(bytes, sizeof(bytes), "%" PRIu64, explanation->alignment);
	add_decision(table, "alignment", bytes, explanation->alignment_why,
		     explanation->alignment_needs);
}

static void add_quota(struct table *table, const struct dmabuf_explanation *explanation)
{
	/* An older daemon says nothing of it. */
	if (!*explanation->quota_why)
		return;
	add_decision(table, "quota", explanation->over_quota ? "refused" : "enough",
		     explanation->quota_why, explanation->quota_needs);
	table_set_colour(table, ANSWER, explanation->over_quota ? TABLE_BAD : TABLE_GOOD);
}

static void add_step(struct table *table, unsigned int order,
		     const struct dmabuf_explain_step *step)
{
	table_add_row(table);
	if (step->would_try)
		table_set_number(table, S_ORDER, order);
	table_set_text(table, S_POOL, step->pool);
	if (step->kind)
		table_set_text(table, S_KIND, kind_name(step->kind));
	table_set_text(table, S_VERDICT, verdicts[step->verdict].name);
	table_set_colour(table, S_VERDICT, verdicts[step->verdict].colour);
	set_reason(table, S_REASON, step->why, step->needs);
}

static int add_explanation(const struct dmabuf_explanation *explanation, void *userdata)
{
	struct explain_tables *tables = userdata;
	unsigned int order = 0;
	char limit[TEXT_SIZE_MAX] = "any";

	if (explanation->max_address)
		snprintf(limit, sizeof(limit), "0x%" PRIx64, explanation->max_address);
	add_decision(tables->decision, "contiguous", explanation->contiguous ? "yes" : "no",
		     explanation->contiguous_why, explanation->contiguous_needs);
	add_decision(tables->decision, "highest address", limit, explanation->address_why,
		     explanation->address_needs);
	add_decision(tables->decision, "mapping", mapping_name(explanation->mapping),
		     explanation->mapping_why, explanation->mapping_needs);
	add_alignment(tables->decision, explanation);
	add_quota(tables->decision, explanation);
	for (unsigned int i = 0; i < explanation->n_steps; i++) {
		order += explanation->steps[i].would_try ? 1 : 0;
		add_step(tables->pools, order, &explanation->steps[i]);
	}
	return 0;
}

static int explain(const struct ctl_request *wanted, char *const devices[],
		   const struct table_options *options)
{
	_cleanup_(tables_freep) struct explain_tables tables = {0};
	_cleanup_(ctl_request_freep) struct dmabuf_request *request = NULL;
	_cleanup_(ctl_disconnectp) struct dmabuf *conn = NULL;
	/* -o chooses among the columns of the pools. */
	struct table_options whole = *options;

	whole.columns = NULL;
	if (table_new(&tables.decision, "decision", decision_columns, N_DECISION, &whole) < 0 ||
	    table_new(&tables.pools, "pools", step_columns, N_STEP, options) < 0)
		return EXIT_USAGE;
	request = ctl_request_make(wanted, devices);
	if (!request)
		return EXIT_REFUSED;
	conn = ctl_connect();
	if (!conn)
		return EXIT_REFUSED;
	if (dmabuf_explain(conn, request, add_explanation, &tables) < 0)
		return ctl_fail(conn);
	return tables_print((struct table *[]){tables.decision, tables.pools}, 2) < 0 ? EXIT_REFUSED
										      : EXIT_OK;
}

static int help(void)
{
	printf("Usage: dmabufctl explain [DEVICE]... --size N [OPTION]...\n\n"
	       "Tell what alloc would decide for these devices, and why, without "
	       "allocating.\n\n" CTL_REQUEST_HELP TABLE_HELP "  -h, --help            this text\n");
	table_print_columns(step_columns, N_STEP);
	return EXIT_OK;
}

int ctl_explain(int argc, char *argv[])
{
	static const struct option long_options[] = {CTL_REQUEST_LONG_OPTIONS,
						     TABLE_LONG_OPTIONS,
						     {"help", no_argument, NULL, 'h'},
						     {0}};
	struct ctl_request request = {0};
	struct table_options options = {0};
	int c, r;

	while ((c = getopt_long(argc, argv, CTL_REQUEST_OPTIONS TABLE_OPTIONS "h", long_options,
				NULL)) >= 0) {
		if (c == 'h')
			return help();
		r = table_option(&options, c, optarg) ? 1 : ctl_request_option(&request, c, optarg);
		if (r <= 0)
			return r < 0 ? EXIT_USAGE : ctl_usage("explain");
	}
	if (request.size == 0) {
		warnx("explain needs --size");
		return ctl_usage("explain");
	}
	return explain(&request, argv + optind, &options);
}
