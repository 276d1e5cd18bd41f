#include "experiments/trial_rows.h"

#include <inttypes.h>
#include <string.h>

#include "engine/base/memory.h"

static const char *const states[] = {
        [PARE_TRIAL_COMPLETE] = "complete",
        [PARE_TRIAL_INFEASIBLE] = "infeasible",
        [PARE_TRIAL_FAILED] = "failed",
};

#define N_STATES ((int)(sizeof(states) / sizeof(states[0])))

static const char *text_or_null(const char *text)
{
	return text[0] ? text : NULL;
}

int pare_trial_bind(struct pare_query *query, const struct pare_trial *trial, struct pare_error *error)
{
	if ((int)trial->state < 0 || (int)trial->state >= N_STATES)
		return pare_error_set(error, PARE_E_INVALID, "no such state: %d", (int)trial->state);
	pare_query_number(query, 1, trial->trial);
	pare_query_text(query, 2, trial->controller);
	pare_query_number(query, 3, trial->round);
	if (trial->parent != PARE_TRIAL_BASELINE)
		pare_query_number(query, 4, trial->parent);
	pare_query_text(query, 5, states[trial->state]);
	pare_query_text(query, 6, trial->plan);
	pare_query_text(query, 7, trial->plan_hash);
	pare_query_text(query, 8, text_or_null(trial->weights));
	pare_query_text(query, 9, trial->message);
	pare_query_real(query, 10, trial->seconds);
	return PARE_OK;
}

void pare_final_bind(struct pare_query *query, int64_t id, const struct pare_final *final)
{
	pare_query_number(query, 1, id);
	if (final->trial != PARE_TRIAL_BASELINE)
		pare_query_number(query, 2, final->trial);
	pare_query_text(query, 3, final->controller);
	pare_query_real(query, 4, final->test_accuracy);
	pare_query_real(query, 5, final->measured_latency_ms);
	pare_query_text(query, 6, text_or_null(final->weights));
}

int pare_metrics_add(struct pare_query *query, int64_t owner, const struct pare_metrics *metrics,
                     struct pare_error *error)
{
	int status = PARE_OK;

	for (int i = 0; i < PARE_METRIC_COUNT && status == PARE_OK; i++) {
		if (!metrics->present[i])
			continue;
		pare_query_number(query, 1, owner);
		pare_query_text(query, 2, pare_metric_info[i].name);
		pare_query_real(query, 3, metrics->value[i]);
		status = pare_query_run(query, error);
	}
	return status;
}

/* What is being read, for messages. */
struct place {
	const char *path, *kind;
	int64_t id;
};

static int refuse_value(const struct place *place, const char *column, const char *found, struct pare_error *error)
{
	return pare_error_set_at(error, PARE_E_FORMAT, place->path, 0, 0, "%s %" PRId64 ": %s is not valid: %.60s",
	                         place->kind, place->id, column, found ? found : "(no text)");
}

static bool is_hash(const char *text)
{
	return strlen(text) == PARE_HASH_TEXT_SIZE - 1 && strspn(text, "0123456789abcdef") == PARE_HASH_TEXT_SIZE - 1;
}

static int read_hash(const struct pare_query *query, int column, const struct place *place, const char *name,
                     char hash[PARE_HASH_TEXT_SIZE], struct pare_error *error)
{
	const char *text = pare_query_get_text(query, column);

	if (!text || !is_hash(text))
		return refuse_value(place, name, text, error);
	memcpy(hash, text, PARE_HASH_TEXT_SIZE);
	return PARE_OK;
}

/* NULL is "". */
static int read_weights(const struct pare_query *query, int column, const struct place *place,
                        char hash[PARE_HASH_TEXT_SIZE], struct pare_error *error)
{
	hash[0] = '\0';
	return pare_query_is_null(query, column) ? PARE_OK : read_hash(query, column, place, "weights", hash, error);
}

static int read_controller(const struct pare_query *query, int column, const struct place *place, char *to, size_t size,
                           struct pare_error *error)
{
	const char *text = pare_query_get_text(query, column);

	if (!text || !*text || strlen(text) >= size)
		return refuse_value(place, "controller", text, error);
	memcpy(to, text, strlen(text) + 1);
	return PARE_OK;
}

static int read_text(const struct pare_query *query, int column, const struct place *place, const char *name, char **to,
                     struct pare_error *error)
{
	const char *text = pare_query_get_text(query, column);

	if (!text)
		return refuse_value(place, name, text, error);
	*to = pare_strdup(text);
	return *to ? PARE_OK : pare_error_set(error, PARE_E_NOMEM, "%s", name);
}

static int read_state(const struct pare_query *query, int column, const struct place *place,
                      enum pare_trial_state *state, struct pare_error *error)
{
	const char *text = pare_query_get_text(query, column);

	for (int i = 0; text && i < N_STATES; i++)
		if (strcmp(text, states[i]) == 0) {
			*state = (enum pare_trial_state)i;
			return PARE_OK;
		}
	return refuse_value(place, "state", text, error);
}

/* A metric that this pare does not know comes from a later one and is passed over. */
static int read_metrics(struct pare_query *query, const struct place *place, struct pare_metrics *metrics,
                        struct pare_error *error)
{
	int status;

	pare_query_number(query, 1, place->id);
	while ((status = pare_query_step(query, error)) > 0) {
		const char *name = pare_query_get_text(query, 0);
		int metric = name ? pare_metric_find(name) : -1;

		if (metric >= 0)
			pare_metrics_set(metrics, (enum pare_metric)metric, pare_query_get_real(query, 1));
	}
	pare_query_reset(query);
	return status;
}

/* A trial's number below the limit; NULL is the uncut network. */
static int read_parent(const struct pare_query *query, int column, const struct place *place, int64_t limit,
                       int64_t *parent, struct pare_error *error)
{
	*parent = PARE_TRIAL_BASELINE;
	if (pare_query_is_null(query, column))
		return PARE_OK;
	*parent = pare_query_get_number(query, column);
	if (*parent < 0 || *parent >= limit)
		return refuse_value(place, "the trial it starts from", pare_query_get_text(query, column), error);
	return PARE_OK;
}

int pare_trial_read(const struct pare_query *query, struct pare_query *metrics, const char *path,
                    struct pare_trial *trial, struct pare_error *error)
{
	struct place place = {path, "trial", pare_query_get_number(query, 0)};
	int status = read_controller(query, 1, &place, trial->controller, sizeof(trial->controller), error);

	trial->trial = place.id;
	trial->round = pare_query_get_number(query, 2);
	trial->seconds = pare_query_get_real(query, 9);
	if (status == PARE_OK && trial->round < 0)
		status = refuse_value(&place, "round", pare_query_get_text(query, 2), error);
	if (status == PARE_OK)
		status = read_parent(query, 3, &place, place.id, &trial->parent, error);
	if (status == PARE_OK)
		status = read_state(query, 4, &place, &trial->state, error);
	if (status == PARE_OK)
		status = read_text(query, 5, &place, "plan", &trial->plan, error);
	if (status == PARE_OK)
		status = read_hash(query, 6, &place, "plan_hash", trial->plan_hash, error);
	if (status == PARE_OK)
		status = read_weights(query, 7, &place, trial->weights, error);
	if (status == PARE_OK && !pare_query_is_null(query, 8))
		status = read_text(query, 8, &place, "message", &trial->message, error);
	return status == PARE_OK ? read_metrics(metrics, &place, &trial->metrics, error) : status;
}

int pare_final_read(const struct pare_query *query, struct pare_query *metrics, const char *path, int64_t trials,
                    struct pare_final *final, struct pare_error *error)
{
	struct place place = {path, "final", pare_query_get_number(query, 0)};
	int status;

	*final = (struct pare_final){0};
	final->test_accuracy = pare_query_get_real(query, 3);
	final->measured_latency_ms = pare_query_get_real(query, 4);
	status = read_parent(query, 1, &place, trials, &final->trial, error);
	if (status == PARE_OK)
		status = read_controller(query, 2, &place, final->controller, sizeof(final->controller), error);
	if (status == PARE_OK)
		status = read_weights(query, 5, &place, final->weights, error);
	return status == PARE_OK ? read_metrics(metrics, &place, &final->metrics, error) : status;
}
