/*
 * Shows on stderr what a long command is doing, and stops it when the user asks: every function here can be an event
 * callback of a study, of training or of a table's build, with the watch as its context.
 */
#ifndef PARE_EXPERIMENTS_CMD_WATCH_H
#define PARE_EXPERIMENTS_CMD_WATCH_H

#include "experiments/cli.h"
#include "experiments/progress.h"
#include "experiments/study.h"

struct pare_watch {
	struct pare_progress progress;
	const struct pare_study *study; /* (optional) where the budgets can be asked for */
};

/* Catches SIGINT and SIGTERM from here on. */
void pare_watch_begin(struct pare_watch *watch, bool quiet, const struct pare_study *study);
void pare_watch_end(struct pare_watch *watch);

int pare_watch_phase(void *watch, const char *name, const char *detail);
int pare_watch_warning(void *watch, const char *text);
int pare_watch_training(void *watch, const struct pare_train_progress *training);
int pare_watch_table(void *watch, int64_t done, int64_t total);
int pare_watch_trial(void *watch, const struct pare_trial *trial, bool replayed);
int pare_watch_final(void *watch, const struct pare_final *final);

#endif
