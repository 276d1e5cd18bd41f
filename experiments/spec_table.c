/* Every key of the configuration, in the order of the canonical text. */
#include "experiments/spec_table.h"

#include <stddef.h>

#define EXACT 9007199254740992.0 /* 2^53: up to here a double holds every integer */

/* What stands between the braces of a line: first the path, then the field, the range, the default, and the help. */
/* clang-format off */
#define AT(where) .offset = offsetof(struct pare_spec, where)
#define SECTION(path, text) .option = {.name = path, .help = text}, .type = &pare_key_section
#define OPTIONAL_SECTION(path, flag, text) .option = {.name = path, .help = text}, .type = &pare_key_optional_section, AT(flag)
#define NUMBER(path, k, f, where, lo, hi, normal, text)                                                                \
	.option = {.name = path, .kind = k, .low = lo, .high = hi, .fallback = normal, .help = text},                  \
	.type = &pare_key_number, .field = f, AT(where)
#define INT(path, where, lo, hi, normal, text) NUMBER(path, PARE_OPTION_INT, PARE_FIELD_INT, where, lo, hi, normal, text)
#define INT64(path, where, lo, hi, normal, text) NUMBER(path, PARE_OPTION_INT, PARE_FIELD_INT64, where, lo, hi, normal, text)
#define UINT64(path, where, lo, hi, normal, text) NUMBER(path, PARE_OPTION_INT, PARE_FIELD_UINT64, where, lo, hi, normal, text)
#define DOUBLE(path, where, lo, hi, normal, text) NUMBER(path, PARE_OPTION_FLOAT, PARE_FIELD_DOUBLE, where, lo, hi, normal, text)
#define BOOL(path, where, normal, text) NUMBER(path, PARE_OPTION_BOOL, PARE_FIELD_BOOL, where, 0, 1, normal, text)
#define CHOICE(path, where, words, normal, text)                                                                       \
	.option = {.name = path, .kind = PARE_OPTION_CHOICE, .fallback = normal, .choices = words, .help = text},      \
	.type = &pare_key_number, .field = PARE_FIELD_INT, AT(where)
#define NUMBERS(path, t, where, count, fewest, at_most, lo, hi, normal, text)                                          \
	.option = {.name = path, .kind = PARE_OPTION_FLOAT, .low = lo, .high = hi, .fallback = normal, .help = text},  \
	.type = &t, AT(where), .count_offset = offsetof(struct pare_spec, count), .least = fewest, .most = at_most
#define OTHER(path, t, where, text) .option = {.name = path, .help = text}, .type = &t, AT(where)
#define PLUG_IN(path, where, list, normal, text)                                                                       \
	.option = {.name = path, .choices = normal, .help = text}, .type = &pare_key_plug_in, AT(where), .plug_ins = list
#define BUDGET(name_in_section, m, u, text)                                                                            \
	.option = {.name = "constraints." name_in_section, .help = text}, .type = &pare_key_budget, .metric = m, .unit = u
/* clang-format on */

/* In the order of enum pare_schedule_kind. */
static const char *const schedules[] = {"constant", "cosine", "step", NULL};
_Static_assert(sizeof(enum pare_schedule_kind) == sizeof(int), "a choice is stored as an int");

static const char *const default_criterion[] = {"l2", NULL};

/* clang-format off: one key a line, as far as it goes */

/* One section of training options; the three differ in their defaults only. */
#define TRAINING(path, where, n_epochs, rate)                                                                          \
	{INT64(path ".batch", where.batch, 1, 65536, 128, "images a step"), .unit = "images"},                         \
	        {DOUBLE(path ".epochs", where.epochs, 0, 100000, n_epochs,                                             \
	                "passes over the training images; may be a fraction")},                                        \
	        {INT64(path ".steps", where.steps, 0, 1e9, 0, "instead of epochs; 0 = from epochs")},                  \
	        {DOUBLE(path ".learning_rate", where.schedule.learning_rate, 0, 100, rate, "the peak"),                \
	         .open = PARE_OPEN_LOW},                                                                               \
	        {CHOICE(path ".schedule", where.schedule.kind, schedules, PARE_SCHEDULE_COSINE,                        \
	                "of the learning rate, after the warm-up (cosine: Loshchilov & Hutter 2017)")},                \
	        {DOUBLE(path ".final_learning_rate", where.schedule.final_learning_rate, 0, 100, 0,                    \
	                "where cosine ends"),                                                                          \
	         .only_with = "schedule=cosine"},                                                                      \
	        {DOUBLE(path ".warmup", where.schedule.warmup, 0, 1, 0,                                                \
	                "share of all steps with a linear rise at the start"),                                         \
	         .open = PARE_OPEN_HIGH},                                                                              \
	        {NUMBERS(path ".milestones", pare_key_fractions, where.schedule.milestones,                            \
	                 where.schedule.n_milestones, 0, PARE_MAX_MILESTONES, 0, 1, 0,                                 \
	                 "shares of all steps, ascending, at which the rate is multiplied by gamma"),                  \
	         .open = PARE_OPEN_LOW | PARE_OPEN_HIGH, .only_with = "schedule=step"},                                \
	        {DOUBLE(path ".gamma", where.schedule.gamma, 0, 1, 0.1, "factor at each milestone (He et al. 2015)"),  \
	         .open = PARE_OPEN_LOW, .only_with = "schedule=step"},                                                 \
	        {DOUBLE(path ".momentum", where.sgd.momentum, 0, 1, 0.9, "of SGD (He et al. 2015)"),                   \
	         .open = PARE_OPEN_HIGH},                                                                              \
	        {BOOL(path ".nesterov", where.sgd.nesterov, 0, "Nesterov's look-ahead (Sutskever et al. 2013)")},      \
	        {DOUBLE(path ".weight_decay", where.sgd.weight_decay, 0, 1, 5e-4,                                      \
	                "of weights; not of biases and batch norm")},                                                  \
	        {DOUBLE(path ".label_smoothing", where.label_smoothing, 0, 1, 0,                                       \
	                "share of the target spread over all classes (Szegedy et al. 2016)"),                          \
	         .open = PARE_OPEN_HIGH},                                                                              \
	        {BOOL(path ".flip", where.flip, 0, "mirror half of the training images left-right")},                  \
	{                                                                                                              \
		INT(path ".crop_padding", where.crop_padding, 0, 64, 0,                                                \
		    "pad by so many pixels, crop at random; 0 = off"),                                                 \
		        .unit = "pixels"                                                                               \
	}

const struct pare_spec_key pare_spec_table[] = {
        {OTHER("name", pare_key_name, name, "of the study; default: the file's name"), .cosmetic = true},
        {UINT64("seed", seed, 0, EXACT, 1, "same configuration and seed: same numbers")},
        {INT("threads", threads, 1, 1024, 0,
             "workers; does not change any result; default: as many as there are cores"),
         .cosmetic = true},

        {SECTION("model", "the network to start from: zoo or onnx; needed by train and search")},
        {PLUG_IN("model.zoo", zoo, pare_list_zoo, NULL,
                 "a built-in network with fresh weights: needs a train section")},
        {DOUBLE("model.width", width, 0, 64, 1, "multiplier for the zoo network's channels"), .open = PARE_OPEN_LOW},
        {OTHER("model.onnx", pare_key_path, onnx, "a trained network from a file")},

        {SECTION("data", "images for training, searching and testing"), .required = true},
        {PLUG_IN("data.format", data.reader, pare_list_readers, NULL, "how the files are laid out"), .required = true},
        {OTHER("data.path", pare_key_path, data_path, "folder with the files (not for generated data)")},
        {NUMBERS("data.mean", pare_key_floats, normalization.mean, n_mean, 1, 3, -10, 10, 0,
                 "of pixels / 255: one number, or one a channel")},
        {NUMBERS("data.std", pare_key_floats, normalization.std, n_std, 1, 3, 0, 10, 1,
                 "standard deviation of pixels / 255: as many numbers as mean"),
         .open = PARE_OPEN_LOW},
        {INT64("data.search_images", data.search_images, 0, 1e9, 5000,
               "held out of the training images: what controllers are scored on"),
         .unit = "images"},
        {INT64("data.train_images", data.train_images, 0, 1e9, 0, "at most so many are trained on; 0 = all the rest"),
         .unit = "images"},
        {INT64("data.test_images", data.test_images, 0, 1e9, 0, "the first so many of the test part; 0 = all"),
         .unit = "images"},
        {INT64("data.synthetic_images", data.reader_options.synthetic_images, 10, 1e6, 10000,
               "how many images each part of generated data has"),
         .unit = "images", .only_with = "format=synthetic"},
        {UINT64("data.seed", data.seed, 0, EXACT, 1, "which images are held out, and what is generated")},

        {OPTIONAL_SECTION("train", has_train, "training of the whole network before anything is cut")},
        TRAINING("train", train, 10, 0.1),

        {SECTION("constraints", "upper limits for every result: a share of the uncut network (50%) or a number")},
        {BUDGET("latency", PARE_METRIC_LATENCY_MS, "ms", "of a run with latency.batch images, by the latency table")},
        {BUDGET("macs", PARE_METRIC_MACS, NULL, "multiply-accumulates for one image")},
        {BUDGET("params", PARE_METRIC_PARAMS, NULL, "trained parameters")},
        {BUDGET("bytes", PARE_METRIC_BYTES, "bytes", "of all parameters as stored")},
        {BUDGET("peak_memory", PARE_METRIC_PEAK_MEMORY_BYTES, "bytes", "activations of one image alive at once")},

        {SECTION("latency", "how latency is measured on this machine")},
        {INT64("latency.batch", latency_batch, 1, 4096, 16, "images a run"), .unit = "images"},
        {INT("latency.threads", latency_threads, 1, 1024, 1, "threads a run")},
        {OTHER("latency.table", pare_key_auto_path, latency_table, "measured before; auto = measured for this study")},
        {INT("latency.points", latency_points, 2, 64, 7, "widths measured along each axis of a layer")},
        {DOUBLE("latency.max_ms", latency_max_ms, 0, 60000, 40, "about the longest time spent on one entry"),
         .open = PARE_OPEN_LOW, .unit = "ms"},
        {BOOL("latency.foreign", latency_foreign, 0, "accept a table of another machine")},

        {SECTION("space", "what may be cut")},
        {PLUG_IN("space.criterion", criterion, pare_list_criteria, default_criterion, "which channels go first")},
        {INT64("space.step", step, 1, 1024, 1, "channels kept are multiples of this"), .unit = "channels"},
        {DOUBLE("space.min_ratio", min_ratio, 0, 1, 0.1, "smallest share of a group's channels that stays"),
         .open = PARE_OPEN_LOW},
        {OTHER("space.ignore", pare_key_globs, ignore, "groups that are not cut, as globs: [\"layer1.*\"]"),
         .count_offset = offsetof(struct pare_spec, n_ignore), .most = PARE_MAX_IGNORED},
        {BOOL("space.check_slimming", check_slimming, 0, "prove before scoring that slim and masked networks agree")},

        {OPTIONAL_SECTION("search", has_search, "the search; without it only training and evaluation make sense")},
        {OTHER("search.controller", pare_key_controller, controller, "the search algorithm"),
         .plug_ins = pare_list_controllers, .required = true},
        {OTHER("search.baselines", pare_key_baselines, baselines, "controllers to compare with, on the same budgets"),
         .plug_ins = pare_list_controllers, .count_offset = offsetof(struct pare_spec, n_baselines),
         .most = PARE_MAX_BASELINES},
        {INT("search.finalists", finalists, 1, 64, 1, "how many results of each controller are fine-tuned long")},
        {OTHER("search.*", pare_key_controller_options, controller, "options of the controllers, a section each"),
         .plug_ins = pare_list_controllers},

        {SECTION("fine_tune", "training after cutting")},
        {SECTION("fine_tune.short", "of every candidate, before it is scored")},
        TRAINING("fine_tune.short", fine_tune_short, 0.1, 0.01),
        {SECTION("fine_tune.long", "of the finalists")},
        TRAINING("fine_tune.long", fine_tune_long, 5, 0.02),
};
/* clang-format on */

const size_t pare_spec_table_size = sizeof(pare_spec_table) / sizeof(*pare_spec_table);
_Static_assert(sizeof(pare_spec_table) / sizeof(*pare_spec_table) <= PARE_MAX_SPEC_KEYS, "given[] is too small");

#define PLUG_IN_LIST(function, table)                                                                                  \
	const void *function(size_t index, const char **name)                                                          \
	{                                                                                                              \
		*name = table[index] ? table[index]->name : NULL;                                                      \
		return table[index];                                                                                   \
	}

PLUG_IN_LIST(pare_list_zoo, pare_zoo_table)
PLUG_IN_LIST(pare_list_readers, pare_reader_table)
PLUG_IN_LIST(pare_list_criteria, pare_criterion_table)
PLUG_IN_LIST(pare_list_controllers, pare_controller_table)
