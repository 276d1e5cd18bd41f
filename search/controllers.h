/* The controllers that exist; controller_table.c names them. */
#ifndef PARE_SEARCH_CONTROLLERS_H
#define PARE_SEARCH_CONTROLLERS_H

#include "search/controller.h"

extern const struct pare_controller_kind pare_controller_netadapt;
extern const struct pare_controller_kind pare_controller_random;
extern const struct pare_controller_kind pare_controller_uniform;

#endif
