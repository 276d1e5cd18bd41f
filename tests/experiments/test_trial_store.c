#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/base/file.h"
#include "experiments/trial_store.h"

/* A child that nobody kills, because its parent failed, goes by itself. */
#define CHILD_LIMIT_S 60

#define HASH_A "0123456789abcdef0123456789abcdef"
#define HASH_B "fedcba9876543210fedcba9876543210"

static char folder[64], path[96];

static int make_folder(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/pare-store-XXXXXX");
	if (!mkdtemp(folder))
		return -1;
	snprintf(path, sizeof(path), "%s/study.db", folder);
	return 0;
}

static int remove_folder(void **state)
{
	DIR *entries;
	struct dirent *entry;

	(void)state;
	chmod(folder, 0700);
	entries = opendir(folder);
	if (!entries)
		return -1;
	while ((entry = readdir(entries)) != NULL)
		unlinkat(dirfd(entries), entry->d_name, 0);
	closedir(entries);
	return rmdir(folder);
}

static struct pare_store *open_store(enum pare_store_mode mode)
{
	struct pare_store *store = NULL;
	struct pare_error error = {0};

	if (pare_store_open(&store, path, mode, &error) != 0)
		fail_msg("%s: %s", error.file, error.text);
	return store;
}

static void refuses(enum pare_store_mode mode, int status, const char *what)
{
	struct pare_store *store = NULL;
	struct pare_error error = {0};

	assert_int_equal(pare_store_open(&store, path, mode, &error), status);
	assert_int_equal(error.code, status);
	assert_null(store);
	if (!strstr(error.file, folder) || !strstr(error.text, what))
		fail_msg("'%s' is not in: %s: %s", what, error.file, error.text);
}

/* Everything in it is a function of its number, so that a row read back later can be judged. */
static struct pare_trial numbered(int64_t id, char *plan, size_t size)
{
	struct pare_trial trial = {
	        .trial = id, .round = id / 3, .parent = id - 1, .plan_hash = HASH_A, .seconds = 0.1 * (double)id};

	snprintf(plan, size, "conv1=%" PRId64 "/16 conv2=7/16", id);
	trial.plan = plan;
	snprintf(trial.controller, sizeof(trial.controller), "netadapt");
	snprintf(trial.weights, sizeof(trial.weights), "%032" PRIx64, (uint64_t)id);
	pare_metrics_set(&trial.metrics, PARE_METRIC_ACCURACY, 1.0 / (3.0 + (double)id));
	pare_metrics_set(&trial.metrics, PARE_METRIC_MACS, 1e15 + (double)id);
	return trial;
}

static void add(struct pare_store *store, int64_t id)
{
	char plan[64];
	struct pare_trial trial = numbered(id, plan, sizeof(plan));
	struct pare_error error = {0};

	if (pare_store_add_trial(store, &trial, &error) != 0)
		fail_msg("%s: %s", error.file, error.text);
}

static void same_bits(double a, double b)
{
	if (isnan(a) && isnan(b))
		return;
	assert_memory_equal(&a, &b, sizeof(a));
}

static void same_trial(const struct pare_trial *a, const struct pare_trial *b)
{
	assert_int_equal(a->trial, b->trial);
	assert_string_equal(a->controller, b->controller);
	assert_int_equal(a->round, b->round);
	assert_int_equal(a->parent, b->parent);
	assert_int_equal(a->state, b->state);
	assert_string_equal(a->plan, b->plan);
	assert_string_equal(a->plan_hash, b->plan_hash);
	assert_string_equal(a->weights, b->weights);
	assert_int_equal(a->message != NULL, b->message != NULL);
	if (a->message)
		assert_string_equal(a->message, b->message);
	same_bits(a->seconds, b->seconds);
	for (int i = 0; i < PARE_METRIC_COUNT; i++) {
		assert_int_equal(a->metrics.present[i], b->metrics.present[i]);
		if (a->metrics.present[i])
			same_bits(a->metrics.value[i], b->metrics.value[i]);
	}
}

/* All rows are there in order and whole; how many. */
static int64_t check_numbered(struct pare_store *store)
{
	struct pare_trial *trials;
	int64_t count;
	struct pare_error error = {0};

	if (pare_store_trials(store, &trials, &count, &error) != 0)
		fail_msg("%s: %s", error.file, error.text);
	assert_int_equal(pare_store_trial_count(store), count);
	for (int64_t i = 0; i < count; i++) {
		char plan[64];
		struct pare_trial expected = numbered(i, plan, sizeof(plan));

		same_trial(&trials[i], &expected);
	}
	pare_trials_free(trials, count);
	return count;
}

static void test_trial_store__what_is_written_is_read_back_exactly(void **state)
{
	double values[] = {0.1, 1.0 / 3.0, 5e-324, 1.7976931348623157e308, INFINITY, -0.875};
	struct pare_trial trial = {.round = 7, .parent = PARE_TRIAL_BASELINE, .plan_hash = HASH_B, .seconds = NAN},
	                  found;
	struct pare_store *store = open_store(PARE_STORE_CREATE);

	(void)state;
	trial.plan = (char *)"gr\xc3\xbc\xc3\x9f"
	                     "e=\"1\"/'2'; DROP TABLE trials; --";
	trial.message = (char *)"loss is nan\nat step 7";
	trial.state = PARE_TRIAL_FAILED;
	memset(trial.controller, 'c', 31);
	for (int i = 0; i < PARE_METRIC_COUNT; i++)
		pare_metrics_set(&trial.metrics, (enum pare_metric)i, values[i]);
	assert_int_equal(pare_store_add_trial(store, &trial, NULL), 0);
	trial.trial = 1;
	trial.parent = 0;
	trial.message = NULL;
	trial.state = PARE_TRIAL_INFEASIBLE;
	trial.seconds = 2.5;
	strcpy(trial.weights, HASH_A);
	trial.metrics = (struct pare_metrics){0};
	pare_metrics_set(&trial.metrics, PARE_METRIC_LATENCY_MS, NAN);
	assert_int_equal(pare_store_add_trial(store, &trial, NULL), 0);
	pare_store_close(store);

	store = open_store(PARE_STORE_READ);
	assert_int_equal(pare_store_trial(store, 1, &found, NULL), 0);
	same_trial(&found, &trial);
	assert_true(isnan(found.metrics.value[PARE_METRIC_LATENCY_MS]));
	pare_trial_release(&found);
	assert_int_equal(pare_store_trial(store, 0, &found, NULL), 0);
	assert_int_equal(found.state, PARE_TRIAL_FAILED);
	assert_string_equal(found.message, "loss is nan\nat step 7");
	assert_string_equal(found.plan, trial.plan);
	assert_string_equal(found.weights, "");
	assert_int_equal(found.parent, PARE_TRIAL_BASELINE);
	assert_true(isnan(found.seconds));
	for (int i = 0; i < PARE_METRIC_COUNT; i++)
		same_bits(found.metrics.value[i], values[i]);
	pare_trial_release(&found);
	pare_store_close(store);
}

static void test_trial_store__numbers_follow_each_other(void **state)
{
	struct pare_store *store = open_store(PARE_STORE_CREATE);
	struct pare_error error = {0};
	char plan[64];
	struct pare_trial trial = numbered(1, plan, sizeof(plan));

	(void)state;
	assert_int_equal(pare_store_trial_count(store), 0);
	assert_int_equal(pare_store_add_trial(store, &trial, &error), PARE_E_INVALID);
	assert_string_equal(error.text, "trial 1 cannot be added: the next is 0");
	add(store, 0);
	add(store, 1);
	assert_int_equal(pare_store_add_trial(store, &trial, &error), PARE_E_INVALID);
	assert_string_equal(error.text, "trial 1 cannot be added: the next is 2");
	assert_int_equal(pare_store_trial(store, 2, &trial, &error), PARE_E_NOT_FOUND);
	assert_string_equal(error.text, "there is no trial 2; the study has 2, counted from 0");
	assert_int_equal(pare_store_trial(store, -1, &trial, NULL), PARE_E_NOT_FOUND);
	assert_int_equal(check_numbered(store), 2);
	pare_store_close(store);
}

typedef void (*spoil_fn)(struct pare_trial *trial);

static void spoil_parent(struct pare_trial *trial)
{
	trial->parent = 1;
}

static void spoil_negative_parent(struct pare_trial *trial)
{
	trial->parent = -2;
}

static void spoil_state(struct pare_trial *trial)
{
	trial->state = (enum pare_trial_state)3;
}

static void spoil_plan(struct pare_trial *trial)
{
	trial->plan = NULL;
}

static void spoil_plan_hash(struct pare_trial *trial)
{
	trial->plan_hash[5] = 'G';
}

static void spoil_weights(struct pare_trial *trial)
{
	strcpy(trial->weights, "../../etc/passwd");
}

static void spoil_controller(struct pare_trial *trial)
{
	trial->controller[0] = '\0';
}

static void spoil_round(struct pare_trial *trial)
{
	trial->round = -1;
}

static void test_trial_store__bad_rows_are_refused_whole(void **state)
{
	static const struct {
		spoil_fn spoil;
		const char *what;
	} cases[] = {
	        {spoil_parent, "a parent is an earlier trial"},
	        {spoil_negative_parent, "FOREIGN KEY"},
	        {spoil_state, "no such state: 3"},
	        {spoil_plan, "trials.plan"},
	        {spoil_plan_hash, "plan_hash is 32"},
	        {spoil_weights, "weights is 32"},
	        {spoil_controller, "1 to 31 letters"},
	        {spoil_round, "rounds start at 0"},
	};
	struct pare_store *store = open_store(PARE_STORE_CREATE);

	(void)state;
	add(store, 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char plan[64];
		struct pare_trial trial = numbered(1, plan, sizeof(plan));
		struct pare_error error = {0};

		cases[i].spoil(&trial);
		assert_int_equal(pare_store_add_trial(store, &trial, &error), PARE_E_INVALID);
		if (!strstr(error.text, "trial 1: ") || !strstr(error.text, cases[i].what))
			fail_msg("'%s' is not in: %s", cases[i].what, error.text);
	}
	add(store, 1);
	assert_int_equal(check_numbered(store), 2);
	pare_store_close(store);
}

static void test_trial_store__attributes(void **state)
{
	struct pare_store *store = open_store(PARE_STORE_CREATE);
	char *value;

	(void)state;
	assert_int_equal(pare_store_get(store, "spec", &value, NULL), 0);
	assert_null(value);
	assert_int_equal(pare_store_set(store, "spec", "seed: 1\n", NULL), 0);
	assert_int_equal(pare_store_set(store, "status", "", NULL), 0);
	assert_int_equal(pare_store_set(store, "spec", "seed: 2\n", NULL), 0);
	assert_int_equal(pare_store_set(store, "spec", NULL, NULL), PARE_E_INVALID);
	pare_store_close(store);
	store = open_store(PARE_STORE_WRITE);
	assert_int_equal(pare_store_get(store, "spec", &value, NULL), 0);
	assert_string_equal(value, "seed: 2\n");
	free(value);
	assert_int_equal(pare_store_get(store, "status", &value, NULL), 0);
	assert_string_equal(value, "");
	free(value);
	pare_store_close(store);
}

static void test_trial_store__weights_can_be_forgotten(void **state)
{
	struct pare_store *store = open_store(PARE_STORE_CREATE);
	struct pare_trial expected, found;
	struct pare_error error = {0};
	char plan[64];

	(void)state;
	for (int64_t i = 0; i < 3; i++)
		add(store, i);
	assert_int_equal(pare_store_forget_weights(store, 1, NULL), 0);
	assert_int_equal(pare_store_forget_weights(store, 1, NULL), 0);
	assert_int_equal(pare_store_forget_weights(store, 3, &error), PARE_E_NOT_FOUND);
	assert_string_equal(error.text, "there is no trial 3; the study has 3, counted from 0");
	pare_store_close(store);
	store = open_store(PARE_STORE_READ);
	for (int64_t i = 0; i < 3; i++) {
		expected = numbered(i, plan, sizeof(plan));
		if (i == 1)
			expected.weights[0] = '\0';
		assert_int_equal(pare_store_trial(store, i, &found, NULL), 0);
		same_trial(&found, &expected);
		pare_trial_release(&found);
	}
	assert_int_equal(pare_store_forget_weights(store, 2, NULL), PARE_E_INVALID);
	pare_store_close(store);
}

static void test_trial_store__finals(void **state)
{
	struct pare_store *store = open_store(PARE_STORE_CREATE);
	struct pare_final uncut = {PARE_TRIAL_BASELINE, "baseline", {{0}, {0}}, 0.9125, NAN, ""};
	struct pare_final best = {1, "netadapt", {{0}, {0}}, 1.0 / 3.0, 2.75, HASH_B}, *finals;
	struct pare_error error = {0};
	int count;

	(void)state;
	assert_int_equal(pare_store_finals(store, &finals, &count, NULL), 0);
	assert_int_equal(count, 0);
	assert_null(finals);
	add(store, 0);
	add(store, 1);
	pare_metrics_set(&best.metrics, PARE_METRIC_ACCURACY, 0.1);
	if (pare_store_add_final(store, &uncut, &error) != 0)
		fail_msg("%s", error.text);
	if (pare_store_add_final(store, &best, &error) != 0)
		fail_msg("%s", error.text);
	assert_int_equal(pare_store_add_final(store, &uncut, &error), PARE_E_INVALID);
	assert_int_equal(pare_store_add_final(store, &best, &error), PARE_E_INVALID);
	assert_non_null(strstr(error.text, "finals_once"));
	best.trial = 2;
	assert_int_equal(pare_store_add_final(store, &best, NULL), PARE_E_INVALID);
	best.trial = 1;
	pare_store_close(store);

	store = open_store(PARE_STORE_READ);
	assert_int_equal(pare_store_finals(store, &finals, &count, NULL), 0);
	assert_int_equal(count, 2);
	assert_int_equal(finals[0].trial, PARE_TRIAL_BASELINE);
	assert_string_equal(finals[0].controller, "baseline");
	assert_true(finals[0].test_accuracy == 0.9125);
	assert_true(isnan(finals[0].measured_latency_ms));
	assert_string_equal(finals[0].weights, "");
	assert_false(finals[0].metrics.present[PARE_METRIC_ACCURACY]);
	assert_int_equal(finals[1].trial, 1);
	assert_string_equal(finals[1].weights, HASH_B);
	assert_true(finals[1].test_accuracy == 1.0 / 3.0);
	assert_true(finals[1].measured_latency_ms == 2.75);
	assert_true(finals[1].metrics.value[PARE_METRIC_ACCURACY] == 0.1);
	free(finals);
	pare_store_close(store);
}

static void test_trial_store__create_refuses_an_existing_file(void **state)
{
	struct pare_store *store = open_store(PARE_STORE_CREATE);
	char name[128];

	(void)state;
	add(store, 0);
	pare_store_close(store);
	refuses(PARE_STORE_CREATE, PARE_E_EXISTS, "there is a study here already");
	store = open_store(PARE_STORE_WRITE);
	assert_int_equal(check_numbered(store), 1);
	pare_store_close(store);
	snprintf(name, sizeof(name), "%s.new", path);
	assert_false(pare_file_exists(name));
}

static void test_trial_store__a_draft_left_by_a_crash_is_no_hindrance(void **state)
{
	char name[128];

	(void)state;
	snprintf(name, sizeof(name), "%s.new", path);
	assert_int_equal(pare_file_write_atomic(name, "half a", 6, NULL), 0);
	pare_store_close(open_store(PARE_STORE_CREATE));
	assert_false(pare_file_exists(name));
}

static void test_trial_store__missing_files_and_folders(void **state)
{
	(void)state;
	refuses(PARE_STORE_READ, PARE_E_NOT_FOUND, "there is no study here");
	refuses(PARE_STORE_WRITE, PARE_E_NOT_FOUND, "there is no study here");
	snprintf(path, sizeof(path), "%s/none/study.db", folder);
	refuses(PARE_STORE_CREATE, PARE_E_IO, "No such file or directory");
}

static void test_trial_store__other_files_are_not_touched(void **state)
{
	static const char text[] =
	        "This is a text of more than a hundred letters, which no database begins with, and which must be "
	        "here afterwards, every single letter of it.";
	struct pare_bytes bytes;

	(void)state;
	assert_int_equal(pare_file_write_atomic(path, text, sizeof(text), NULL), 0);
	refuses(PARE_STORE_READ, PARE_E_FORMAT, "file is not a database");
	refuses(PARE_STORE_WRITE, PARE_E_FORMAT, "file is not a database");
	refuses(PARE_STORE_CREATE, PARE_E_EXISTS, "already");
	assert_int_equal(pare_file_read(path, 4096, &bytes, NULL), 0);
	assert_int_equal(bytes.size, sizeof(text));
	assert_memory_equal(bytes.data, text, sizeof(text));
	pare_bytes_release(&bytes);
	assert_int_equal(pare_file_write_atomic(path, "", 0, NULL), 0);
	refuses(PARE_STORE_READ, PARE_E_FORMAT, "not a pare study");
	snprintf(path, sizeof(path), "%s", folder);
	refuses(PARE_STORE_READ, PARE_E_IO, "not a regular file");
}

/* Bytes of the file header: user_version at 60, application_id at 68, both big-endian. */
static void put_byte(long offset, unsigned char value)
{
	int file = open(path, O_WRONLY | O_CLOEXEC);

	assert_true(file >= 0);
	assert_int_equal(pwrite(file, &value, 1, offset), 1);
	close(file);
}

static void test_trial_store__another_program_or_version(void **state)
{
	(void)state;
	pare_store_close(open_store(PARE_STORE_CREATE));
	put_byte(63, 2);
	refuses(PARE_STORE_READ, PARE_E_FORMAT, "version 2 of the tables; this pare reads version 1");
	refuses(PARE_STORE_WRITE, PARE_E_FORMAT, "version 2 of the tables");
	put_byte(71, 'E');
	refuses(PARE_STORE_READ, PARE_E_FORMAT, "not a pare study");
	refuses(PARE_STORE_WRITE, PARE_E_FORMAT, "not a pare study");
}

/* Replaces the first occurrence of a text in the file by as many bytes. */
static void replace(const char *from, const char *to)
{
	struct pare_bytes bytes;
	char *place;

	assert_int_equal(pare_file_read(path, 1 << 24, &bytes, NULL), 0);
	place = memmem(bytes.data, bytes.size, from, strlen(from));
	assert_non_null(place);
	memcpy(place, to, strlen(from));
	assert_int_equal(pare_file_write_atomic(path, bytes.data, bytes.size, NULL), 0);
	pare_bytes_release(&bytes);
}

static void test_trial_store__changed_tables_are_refused(void **state)
{
	(void)state;
	pare_store_close(open_store(PARE_STORE_CREATE));
	replace("  round INTEGER NOT NULL", "  round INTEGER         ");
	refuses(PARE_STORE_READ, PARE_E_FORMAT, "trials is not as pare makes it");
	replace("TABLE trials", "TABLE trialz");
	refuses(PARE_STORE_READ, PARE_E_FORMAT, "");
}

static void expect_bad_trial(const char *from, const char *to, const char *what)
{
	struct pare_store *store = open_store(PARE_STORE_CREATE);
	struct pare_trial *trials;
	struct pare_error error = {0};
	int64_t count;

	add(store, 0);
	add(store, 1);
	pare_store_close(store);
	replace(from, to);
	store = open_store(PARE_STORE_READ);
	assert_int_equal(pare_store_trials(store, &trials, &count, &error), PARE_E_FORMAT);
	assert_null(trials);
	assert_int_equal(count, 0);
	if (!strstr(error.text, what))
		fail_msg("'%s' is not in: %s", what, error.text);
	pare_store_close(store);
	unlink(path);
}

static void test_trial_store__values_are_checked_when_read(void **state)
{
	(void)state;
	/* in a row the texts follow each other: controller, state, plan, plan_hash, weights */
	expect_bad_trial("netadaptcompleteconv1=0", "netadaptcomplexeconv1=0", "trial 0: state is not valid: complexe");
	expect_bad_trial("16" HASH_A, "16x123456789abcdef0123456789abcdef", "trial 1: plan_hash is not valid: x1234");
	expect_bad_trial("00000000000000000000000000000001", "../../../../../../../etc/passwd/",
	                 "weights is not valid: ../");
	/* in the head of trial 1's record: the types of controller, round 0, parent 0 (9 would be 1), state, plan */
	expect_bad_trial("\x1d\x08\x08\x1d\x37", "\x1d\x08\x09\x1d\x37",
	                 "trial 1: the trial it starts from is not valid: 1");
	expect_bad_trial("conv1=0/16",
	                 "conv1=0\0"
	                 "16",
	                 "trial 0: plan is not valid");
}

static void test_trial_store__damage_is_an_error_not_a_crash(void **state)
{
	struct pare_store *store = open_store(PARE_STORE_CREATE);
	struct pare_bytes bytes;
	unsigned refused = 0;

	(void)state;
	for (int64_t i = 0; i < 200; i++)
		add(store, i);
	pare_store_close(store);
	assert_int_equal(pare_file_read(path, 1 << 24, &bytes, NULL), 0);
	assert_true(bytes.size > 16384);
	for (int i = 0; i < 150; i++) {
		size_t place = (size_t)i * 2654435761u % (bytes.size - 64),
		       length = i % 3 == 0 ? bytes.size * (size_t)i / 150 : bytes.size;
		struct pare_trial *trials;
		struct pare_error error = {0};
		unsigned char kept[64];
		int64_t count;
		int status;

		memcpy(kept, bytes.data + place, 64);
		memset(bytes.data + place, i % 2 ? 0xff : 0, i % 5 ? 1 : 64);
		assert_int_equal(pare_file_write_atomic(path, bytes.data, length, NULL), 0);
		memcpy(bytes.data + place, kept, 64);
		status = pare_store_open(&store, path, i % 4 < 2 ? PARE_STORE_WRITE : PARE_STORE_READ, &error);
		if (status == 0) {
			status = pare_store_trials(store, &trials, &count, &error);
			if (status == 0)
				pare_trials_free(trials, count);
			pare_store_close(store);
		}
		if (status < 0) {
			refused++;
			assert_true(error.text[0] != '\0' && strstr(error.file, folder) != NULL);
		}
		char name[128];
		snprintf(name, sizeof(name), "%s-wal", path);
		unlink(name);
		snprintf(name, sizeof(name), "%s-shm", path);
		unlink(name);
	}
	assert_true(refused > 50);
	pare_bytes_release(&bytes);
}

static void test_trial_store__one_writer_at_a_time(void **state)
{
	struct pare_store *store = open_store(PARE_STORE_CREATE);
	char what[64];

	(void)state;
	snprintf(what, sizeof(what), "process %ld is writing here", (long)getpid());
	refuses(PARE_STORE_WRITE, PARE_E_IO, what);
	refuses(PARE_STORE_CREATE, PARE_E_IO, what);
	add(store, 0);
	pare_store_close(store);
	store = open_store(PARE_STORE_WRITE);
	add(store, 1);
	pare_store_close(store);
}

static void test_trial_store__a_reader_sees_what_is_committed(void **state)
{
	struct pare_store *writer = open_store(PARE_STORE_CREATE), *reader;

	(void)state;
	add(writer, 0);
	reader = open_store(PARE_STORE_READ);
	assert_int_equal(check_numbered(reader), 1);
	for (int64_t i = 1; i < 50; i++) {
		add(writer, i);
		assert_int_equal(pare_store_trial_count(reader), i + 1);
	}
	assert_int_equal(check_numbered(reader), 50);
	pare_store_close(writer);
	assert_int_equal(check_numbered(reader), 50);
	pare_store_close(reader);
}

static void test_trial_store__a_reader_does_not_write(void **state)
{
	struct pare_store *store = open_store(PARE_STORE_CREATE);
	struct pare_final final = {PARE_TRIAL_BASELINE, "baseline", {{0}, {0}}, 0.9, NAN, ""};
	struct pare_bytes before, after;
	char plan[64];
	struct pare_trial trial = numbered(1, plan, sizeof(plan));

	(void)state;
	add(store, 0);
	pare_store_close(store);
	assert_int_equal(pare_file_read(path, 1 << 24, &before, NULL), 0);
	store = open_store(PARE_STORE_READ);
	assert_int_equal(pare_store_add_trial(store, &trial, NULL), PARE_E_INVALID);
	assert_int_equal(pare_store_add_final(store, &final, NULL), PARE_E_INVALID);
	assert_int_equal(pare_store_set(store, "a", "b", NULL), PARE_E_INVALID);
	assert_int_equal(check_numbered(store), 1);
	pare_store_close(store);
	assert_int_equal(pare_file_read(path, 1 << 24, &after, NULL), 0);
	assert_int_equal(before.size, after.size);
	assert_memory_equal(before.data, after.data, before.size);
	pare_bytes_release(&before);
	pare_bytes_release(&after);
}

/* Whether the folder's permissions bind this process; root has to become somebody else for that. */
static bool become_nobody(void)
{
	if (geteuid() != 0)
		return true;
	return chown(folder, 65534, 65534) == 0 && chown(path, 65534, 65534) == 0 && seteuid(65534) == 0;
}

/* Under a name whose letters mean something in a URI, which is how SQLite is told that nobody writes. */
static void test_trial_store__a_folder_that_may_only_be_read(void **state)
{
	struct pare_store *store;
	char name[128];
	bool root = geteuid() == 0;

	(void)state;
	snprintf(path, sizeof(path), "%s/a?mode=%%41#b.db", folder);
	store = open_store(PARE_STORE_CREATE);
	add(store, 0);
	pare_store_close(store);
	snprintf(name, sizeof(name), "%s.lock", path);
	unlink(name);
	if (!become_nobody())
		skip();
	assert_int_equal(chmod(folder, 0500), 0);
	store = open_store(PARE_STORE_READ);
	assert_int_equal(check_numbered(store), 1);
	pare_store_close(store);
	refuses(PARE_STORE_WRITE, PARE_E_IO, "Permission denied");
	snprintf(path, sizeof(path), "%s/copy.db", folder);
	refuses(PARE_STORE_CREATE, PARE_E_IO, "Permission denied");
	snprintf(path, sizeof(path), "%s/a?mode=%%41#b.db", folder);
	assert_int_equal(chmod(path, 0400), 0);
	assert_int_equal(chmod(folder, 0700), 0);
	refuses(PARE_STORE_WRITE, PARE_E_IO, "may only be read");
	if (root)
		assert_int_equal(seteuid(0), 0);
}

/* A child that adds trials until it is killed. */
static void write_until_killed(int64_t first)
{
	struct pare_store *store = NULL;

	alarm(CHILD_LIMIT_S);
	if (pare_store_open(&store, path, PARE_STORE_WRITE, NULL) != 0)
		_exit(2);
	for (int64_t i = first;; i++) {
		char plan[64];
		struct pare_trial trial = numbered(i, plan, sizeof(plan));

		if (pare_store_add_trial(store, &trial, NULL) != 0)
			_exit(3);
	}
}

static void test_trial_store__a_killed_writer_leaves_whole_rows(void **state)
{
	int64_t count = 0, grown = 0;

	(void)state;
	pare_store_close(open_store(PARE_STORE_CREATE));
	for (int i = 0; i < 40; i++) {
		struct pare_store *store;
		int64_t now;
		int status;
		pid_t child = fork();

		assert_true(child >= 0);
		if (child == 0)
			write_until_killed(count);
		usleep((useconds_t)(3000 + 1711 * i % 20000));
		kill(child, SIGKILL);
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_true(WIFSIGNALED(status));
		store = open_store(i % 2 ? PARE_STORE_WRITE : PARE_STORE_READ);
		now = check_numbered(store);
		assert_true(now >= count);
		grown += now > count;
		count = now;
		pare_store_close(store);
	}
	assert_true(grown > 0);
}

static void test_trial_store__a_dead_writers_lock_is_free(void **state)
{
	struct pare_store *store;
	int status, ready[2];
	char letter, what[64];
	pid_t child;

	(void)state;
	pare_store_close(open_store(PARE_STORE_CREATE));
	assert_int_equal(pipe(ready), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		alarm(CHILD_LIMIT_S);
		if (pare_store_open(&store, path, PARE_STORE_WRITE, NULL) != 0 || write(ready[1], "x", 1) != 1)
			_exit(2);
		for (;;)
			pause();
	}
	close(ready[1]);
	assert_int_equal(read(ready[0], &letter, 1), 1);
	close(ready[0]);
	snprintf(what, sizeof(what), "process %ld is writing here", (long)child);
	refuses(PARE_STORE_WRITE, PARE_E_IO, what);
	kill(child, SIGKILL);
	assert_int_equal(waitpid(child, &status, 0), child);
	store = open_store(PARE_STORE_WRITE);
	add(store, 0);
	pare_store_close(store);
}

/* No more room, as far as a file may grow: what was there stays, and the message says which file. */
static void fill_up(void)
{
	struct pare_store *store = NULL;
	struct pare_error error = {0};
	struct rlimit limit = {1 << 17, 1 << 17};
	int64_t i = 0;

	if (pare_store_open(&store, path, PARE_STORE_WRITE, &error) != 0 || setrlimit(RLIMIT_FSIZE, &limit) != 0)
		_exit(2);
	for (; i < 100000 && error.text[0] == '\0'; i++) {
		char plan[64];
		struct pare_trial trial = numbered(i, plan, sizeof(plan));

		if (pare_store_add_trial(store, &trial, &error) != 0)
			i--;
	}
	if (error.code != PARE_E_IO || !strstr(error.file, path) || pare_store_trial_count(store) != i)
		_exit(3);
	pare_store_close(store);
	_exit(0);
}

static void test_trial_store__no_room_left_keeps_what_was_there(void **state)
{
	struct pare_store *store;
	int status;
	pid_t child;

	(void)state;
	pare_store_close(open_store(PARE_STORE_CREATE));
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		signal(SIGXFSZ, SIG_IGN);
		fill_up();
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	store = open_store(PARE_STORE_WRITE);
	assert_true(check_numbered(store) > 10);
	pare_store_close(store);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test_setup_teardown(test_trial_store__what_is_written_is_read_back_exactly, make_folder,
	                                        remove_folder),
	        cmocka_unit_test_setup_teardown(test_trial_store__numbers_follow_each_other, make_folder,
	                                        remove_folder),
	        cmocka_unit_test_setup_teardown(test_trial_store__bad_rows_are_refused_whole, make_folder,
	                                        remove_folder),
	        cmocka_unit_test_setup_teardown(test_trial_store__attributes, make_folder, remove_folder),
	        cmocka_unit_test_setup_teardown(test_trial_store__weights_can_be_forgotten, make_folder, remove_folder),
	        cmocka_unit_test_setup_teardown(test_trial_store__finals, make_folder, remove_folder),
	        cmocka_unit_test_setup_teardown(test_trial_store__create_refuses_an_existing_file, make_folder,
	                                        remove_folder),
	        cmocka_unit_test_setup_teardown(test_trial_store__a_draft_left_by_a_crash_is_no_hindrance, make_folder,
	                                        remove_folder),
	        cmocka_unit_test_setup_teardown(test_trial_store__missing_files_and_folders, make_folder,
	                                        remove_folder),
	        cmocka_unit_test_setup_teardown(test_trial_store__other_files_are_not_touched, make_folder,
	                                        remove_folder),
	        cmocka_unit_test_setup_teardown(test_trial_store__another_program_or_version, make_folder,
	                                        remove_folder),
	        cmocka_unit_test_setup_teardown(test_trial_store__changed_tables_are_refused, make_folder,
	                                        remove_folder),
	        cmocka_unit_test_setup_teardown(test_trial_store__values_are_checked_when_read, make_folder,
	                                        remove_folder),
	        cmocka_unit_test_setup_teardown(test_trial_store__damage_is_an_error_not_a_crash, make_folder,
	                                        remove_folder),
	        cmocka_unit_test_setup_teardown(test_trial_store__one_writer_at_a_time, make_folder, remove_folder),
	        cmocka_unit_test_setup_teardown(test_trial_store__a_reader_sees_what_is_committed, make_folder,
	                                        remove_folder),
	        cmocka_unit_test_setup_teardown(test_trial_store__a_reader_does_not_write, make_folder, remove_folder),
	        cmocka_unit_test_setup_teardown(test_trial_store__a_folder_that_may_only_be_read, make_folder,
	                                        remove_folder),
	        cmocka_unit_test_setup_teardown(test_trial_store__a_killed_writer_leaves_whole_rows, make_folder,
	                                        remove_folder),
	        cmocka_unit_test_setup_teardown(test_trial_store__a_dead_writers_lock_is_free, make_folder,
	                                        remove_folder),
	        cmocka_unit_test_setup_teardown(test_trial_store__no_room_left_keeps_what_was_there, make_folder,
	                                        remove_folder),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
