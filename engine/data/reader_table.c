#include <string.h>

#include "engine/base/file.h"
#include "engine/data/readers.h"

const struct pare_reader *const pare_reader_table[] = {
        &pare_reader_idx,
        &pare_reader_cifar10,
        &pare_reader_synthetic,
        NULL,
};

const struct pare_reader *pare_reader_find(const char *name)
{
	for (const struct pare_reader *const *reader = pare_reader_table; *reader; reader++)
		if (strcmp((*reader)->name, name) == 0)
			return *reader;
	return NULL;
}

int pare_reader_check_folder(const struct pare_reader_options *options, struct pare_error *error)
{
	if (!options->path || !options->path[0])
		return pare_error_set(error, PARE_E_INVALID, "no path is given; the folder of the data set is needed");
	if (!pare_file_is_directory(options->path))
		return pare_error_set_at(error, PARE_E_NOT_FOUND, options->path, 0, 0,
		                         pare_file_exists(options->path)
		                                 ? "the path of a data set must be a folder; this is a file"
		                                 : "no such folder");
	return PARE_OK;
}
