/*
 * The tables of a study file, and the check that a file has them. A file is a pare study when its application_id says
 * so; its user_version is the version of these tables. Whoever changes a table raises PARE_STUDY_VERSION: the texts
 * below are compared with those in the file, letter by letter.
 *
 *     study          attributes: key, value
 *     trials         one row a trial; parent NULL = the uncut network; weights NULL = not kept
 *     trial_metrics  one row a metric that is present; value NULL = NaN. By name, so that a new metric needs no new
 * tables finals         finalists on the test split; trial NULL = the uncut network final_metrics  as trial_metrics
 *     results        a view for people: trials with their metrics as columns
 */
#ifndef PARE_EXPERIMENTS_TRIAL_SCHEMA_H
#define PARE_EXPERIMENTS_TRIAL_SCHEMA_H

#include "experiments/database.h"

#define PARE_STUDY_APPLICATION_ID 0x70617265 /* "pare" */
#define PARE_STUDY_VERSION 1

/* Makes tables and view in an empty database, all or nothing, in WAL mode. */
int pare_schema_create(struct pare_database *database, struct pare_error *error);
/* PARE_E_FORMAT: another program's file, another version, or not these tables. path is for the message. */
int pare_schema_check(struct pare_database *database, const char *path, struct pare_error *error);

#endif
