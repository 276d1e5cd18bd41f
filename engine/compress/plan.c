#include "engine/compress/plan.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/memory.h"

int pare_plan_init(struct pare_plan *plan, const struct pare_groups *groups)
{
	plan->n_groups = 0;
	plan->kept = pare_calloc((size_t)groups->n_groups, sizeof(*plan->kept));
	if (!plan->kept)
		return PARE_E_NOMEM;
	plan->n_groups = groups->n_groups;
	for (int g = 0; g < groups->n_groups; g++)
		plan->kept[g] = groups->group[g].channels;
	return PARE_OK;
}

void pare_plan_release(struct pare_plan *plan)
{
	free(plan->kept);
	*plan = (struct pare_plan){0};
}

int pare_plan_copy(struct pare_plan *to, const struct pare_plan *from)
{
	to->n_groups = 0;
	to->kept = pare_calloc((size_t)from->n_groups, sizeof(*to->kept));
	if (!to->kept)
		return PARE_E_NOMEM;
	to->n_groups = from->n_groups;
	memcpy(to->kept, from->kept, (size_t)from->n_groups * sizeof(*to->kept));
	return PARE_OK;
}

static int check_kept(const struct pare_group *group, int64_t kept, struct pare_error *error)
{
	if (kept < 1 || kept > group->channels)
		return pare_error_set(error, PARE_E_INVALID,
		                      "group \"%s\" cannot keep %" PRId64 " channels, allowed are 1 to %" PRId64,
		                      group->name, kept, group->channels);
	if (group->frozen && kept != group->channels)
		return pare_error_set(error, PARE_E_INVALID,
		                      "group \"%s\" cannot keep %" PRId64 " of %" PRId64 " channels, it is frozen: %s",
		                      group->name, kept, group->channels, group->frozen);
	return PARE_OK;
}

int pare_plan_check(const struct pare_plan *plan, const struct pare_groups *groups, struct pare_error *error)
{
	if (plan->n_groups != groups->n_groups)
		return pare_error_set(error, PARE_E_INVALID, "the plan has %d groups, the network \"%s\" has %d",
		                      plan->n_groups, groups->graph->name, groups->n_groups);
	for (int g = 0; g < groups->n_groups; g++) {
		int status = check_kept(&groups->group[g], plan->kept[g], error);
		if (status)
			return status;
	}
	return PARE_OK;
}

int64_t pare_plan_round(int64_t channels, double ratio, int64_t step)
{
	if (step < 1)
		step = 1;
	if (channels <= step || ratio >= 1.0)
		return channels;
	double wanted = ratio * (double)channels;
	if (!(wanted > (double)step))
		return step;
	int64_t below = (int64_t)floor(wanted / (double)step) * step;
	int64_t above = channels - below < step ? channels : below + step;
	return wanted - (double)below < (double)above - wanted ? below : above;
}

int pare_plan_text(const struct pare_plan *plan, const struct pare_groups *groups, struct pare_strbuf *text)
{
	for (int g = 0; g < plan->n_groups; g++)
		pare_strbuf_printf(text, "%s%s=%" PRId64 "/%" PRId64, g > 0 ? " " : "", groups->group[g].name,
		                   plan->kept[g], groups->group[g].channels);
	return text->failed ? PARE_E_NOMEM : PARE_OK;
}

/* Digits only: no sign, no space, nothing that does not fit. */
static bool read_count(const char **at, int64_t *count)
{
	char *end;
	if (!isdigit((unsigned char)**at))
		return false;
	errno = 0;
	*count = strtoll(*at, &end, 10);
	*at = end;
	return errno == 0;
}

static void skip_space(const char **at)
{
	while (isspace((unsigned char)**at))
		(*at)++;
}

static int token_length(const char *at)
{
	size_t length = strcspn(at, " \t\r\n");
	return length < 80 ? (int)length : 80;
}

/* "kept/channels" up to white space or the end */
static bool read_counts(const char **at, int64_t *kept, int64_t *channels)
{
	if (!read_count(at, kept) || **at != '/')
		return false;
	(*at)++;
	return read_count(at, channels) && (!**at || isspace((unsigned char)**at));
}

/* "name=kept/channels" */
static int parse_entry(const char **at, const struct pare_group *group, int64_t *kept, struct pare_error *error)
{
	const char *entry = *at;
	size_t length = strlen(group->name);
	int64_t channels;
	if (!*entry)
		return pare_error_set(error, PARE_E_INVALID, "the plan ends where group \"%s\" should follow",
		                      group->name);
	if (strncmp(entry, group->name, length) != 0 || entry[length] != '=')
		return pare_error_set(error, PARE_E_INVALID, "found \"%.*s\" where group \"%s\" should stand",
		                      token_length(entry), entry, group->name);
	*at += length + 1;
	if (!read_counts(at, kept, &channels))
		return pare_error_set(error, PARE_E_FORMAT, "found \"%.*s\" where \"%s=KEPT/CHANNELS\" should stand",
		                      token_length(entry), entry, group->name);
	if (channels != group->channels)
		return pare_error_set(error, PARE_E_INVALID,
		                      "the plan is for %" PRId64 " channels in group \"%s\", the network has %" PRId64,
		                      channels, group->name, group->channels);
	return check_kept(group, *kept, error);
}

int pare_plan_parse(struct pare_plan *plan, const struct pare_groups *groups, const char *text,
                    struct pare_error *error)
{
	*plan = (struct pare_plan){0};
	int status = pare_plan_init(plan, groups);
	if (status)
		return pare_error_set(error, status, "out of memory while reading a plan");
	for (int g = 0; g < groups->n_groups && !status; g++) {
		skip_space(&text);
		status = parse_entry(&text, &groups->group[g], &plan->kept[g], error);
	}
	skip_space(&text);
	if (!status && *text)
		status = pare_error_set(error, PARE_E_INVALID, "found \"%.*s\" after the last group",
		                        token_length(text), text);
	if (status)
		pare_plan_release(plan);
	return status;
}

int pare_plan_hash(const struct pare_plan *plan, const struct pare_groups *groups, char text[PARE_HASH_TEXT_SIZE])
{
	struct pare_strbuf canonical;
	pare_strbuf_init(&canonical);
	int status = pare_plan_text(plan, groups, &canonical);
	if (!status)
		pare_hash_bytes(canonical.text, canonical.length, text);
	pare_strbuf_release(&canonical);
	return status;
}
