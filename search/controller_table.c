#include <string.h>

#include "search/controllers.h"

const struct pare_controller_kind *const pare_controller_table[] = {
        &pare_controller_netadapt,
        &pare_controller_uniform,
        &pare_controller_random,
        NULL,
};

const struct pare_controller_kind *pare_controller_find(const char *name)
{
	for (int i = 0; pare_controller_table[i]; i++)
		if (strcmp(pare_controller_table[i]->name, name) == 0)
			return pare_controller_table[i];
	return NULL;
}
