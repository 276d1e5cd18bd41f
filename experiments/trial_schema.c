#include "experiments/trial_schema.h"

#include <inttypes.h>
#include <string.h>

#include "engine/base/strbuf.h"
#include "evaluators/metrics.h"

#define HASH(column) "length(" column ") = 32 AND " column " NOT GLOB '*[^0-9a-f]*'"

/* clang-format off */
static const struct part {
	const char *name, *sql;
} parts[] = {
	{"study",
	 "CREATE TABLE study (\n"
	 "  key TEXT PRIMARY KEY,\n"
	 "  value TEXT NOT NULL\n"
	 ") STRICT, WITHOUT ROWID"},
	{"trials",
	 "CREATE TABLE trials (\n"
	 "  trial INTEGER PRIMARY KEY CONSTRAINT \"trial ids start at 0\" CHECK (trial >= 0),\n"
	 "  controller TEXT NOT NULL CONSTRAINT \"a controller has 1 to 31 letters\"\n"
	 "    CHECK (length(CAST(controller AS BLOB)) BETWEEN 1 AND 31),\n"
	 "  round INTEGER NOT NULL CONSTRAINT \"rounds start at 0\" CHECK (round >= 0),\n"
	 "  parent INTEGER REFERENCES trials (trial) CONSTRAINT \"a parent is an earlier trial\" CHECK (parent < trial),\n"
	 "  state TEXT NOT NULL CONSTRAINT \"a state is complete, infeasible or failed\"\n"
	 "    CHECK (state IN ('complete', 'infeasible', 'failed')),\n"
	 "  plan TEXT NOT NULL,\n"
	 "  plan_hash TEXT NOT NULL CONSTRAINT \"plan_hash is 32 hexadecimal digits\" CHECK (" HASH("plan_hash") "),\n"
	 "  weights TEXT CONSTRAINT \"weights is 32 hexadecimal digits\" CHECK (" HASH("weights") "),\n"
	 "  message TEXT,\n"
	 "  seconds REAL\n"
	 ") STRICT"},
	{"trial_metrics",
	 "CREATE TABLE trial_metrics (\n"
	 "  trial INTEGER NOT NULL REFERENCES trials (trial),\n"
	 "  name TEXT NOT NULL,\n"
	 "  value REAL,\n"
	 "  PRIMARY KEY (trial, name)\n"
	 ") STRICT, WITHOUT ROWID"},
	{"finals",
	 "CREATE TABLE finals (\n"
	 "  final INTEGER PRIMARY KEY,\n"
	 "  trial INTEGER REFERENCES trials (trial),\n"
	 "  controller TEXT NOT NULL CONSTRAINT \"a controller has 1 to 31 letters\"\n"
	 "    CHECK (length(CAST(controller AS BLOB)) BETWEEN 1 AND 31),\n"
	 "  test_accuracy REAL,\n"
	 "  measured_latency_ms REAL,\n"
	 "  weights TEXT CONSTRAINT \"weights is 32 hexadecimal digits\" CHECK (" HASH("weights") ")\n"
	 ") STRICT"},
	/* UNIQUE on the column alone would let NULL, the uncut network, in twice. */
	{"finals_once", "CREATE UNIQUE INDEX finals_once ON finals (ifnull(trial, -1))"},
	{"final_metrics",
	 "CREATE TABLE final_metrics (\n"
	 "  final INTEGER NOT NULL REFERENCES finals (final),\n"
	 "  name TEXT NOT NULL,\n"
	 "  value REAL,\n"
	 "  PRIMARY KEY (final, name)\n"
	 ") STRICT, WITHOUT ROWID"},
};
/* clang-format on */

#define N_PARTS (sizeof(parts) / sizeof(parts[0]))

static void add_view(struct pare_strbuf *sql)
{
	pare_strbuf_add(sql, "CREATE VIEW results AS SELECT t.trial, t.controller, t.round, t.parent, t.state");
	for (int i = 0; i < PARE_METRIC_COUNT; i++)
		pare_strbuf_printf(
		        sql, ",\n  (SELECT value FROM trial_metrics m WHERE m.trial = t.trial AND m.name = '%s') AS %s",
		        pare_metric_info[i].name, pare_metric_info[i].name);
	pare_strbuf_add(sql, ",\n  t.seconds, t.plan, t.weights, t.message FROM trials t;\n");
}

int pare_schema_create(struct pare_database *database, struct pare_error *error)
{
	struct pare_strbuf sql;
	int status;

	pare_strbuf_init(&sql);
	pare_strbuf_printf(&sql, "BEGIN;\nPRAGMA application_id = %d;\nPRAGMA user_version = %d;\n",
	                   PARE_STUDY_APPLICATION_ID, PARE_STUDY_VERSION);
	for (size_t i = 0; i < N_PARTS; i++)
		pare_strbuf_printf(&sql, "%s;\n", parts[i].sql);
	add_view(&sql);
	pare_strbuf_add(&sql, "COMMIT;\nPRAGMA journal_mode = WAL");
	if (sql.failed)
		status = pare_error_set(error, PARE_E_NOMEM, "the tables of a study");
	else
		status = pare_database_run(database, sql.text, error);
	pare_strbuf_release(&sql);
	return status;
}

static int check_header(struct pare_database *database, const char *path, struct pare_error *error)
{
	int64_t application, version;
	int status = pare_database_number(database, "PRAGMA application_id", &application, error);

	if (status == PARE_OK)
		status = pare_database_number(database, "PRAGMA user_version", &version, error);
	if (status < 0)
		return status;
	if (application != PARE_STUDY_APPLICATION_ID)
		return pare_error_set_at(error, PARE_E_FORMAT, path, 0, 0,
		                         "a database, but not a pare study (application_id %" PRId64
		                         ", a study has %d)",
		                         application, PARE_STUDY_APPLICATION_ID);
	if (version != PARE_STUDY_VERSION)
		return pare_error_set_at(error, PARE_E_FORMAT, path, 0, 0,
		                         "a study in version %" PRId64 " of the tables; this pare reads version %d",
		                         version, PARE_STUDY_VERSION);
	return PARE_OK;
}

int pare_schema_check(struct pare_database *database, const char *path, struct pare_error *error)
{
	struct pare_query *query;
	int status = check_header(database, path, error);

	if (status < 0)
		return status;
	status = pare_query_prepare(&query, database, "SELECT sql FROM sqlite_schema WHERE name = ?1", error);
	if (status < 0)
		return status;
	for (size_t i = 0; i < N_PARTS && status >= 0; i++) {
		const char *sql;

		pare_query_text(query, 1, parts[i].name);
		status = pare_query_step(query, error);
		sql = status > 0 ? pare_query_get_text(query, 0) : NULL;
		if (status >= 0 && (!sql || strcmp(sql, parts[i].sql) != 0))
			status = pare_error_set_at(error, PARE_E_FORMAT, path, 0, 0, "%s is %s", parts[i].name,
			                           sql ? "not as pare makes it" : "missing");
		pare_query_reset(query);
	}
	pare_query_free(query);
	return status < 0 ? status : PARE_OK;
}
