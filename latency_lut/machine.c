#include "latency_lut/machine.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/file.h"
#include "engine/ops/compute.h"

#define CPUINFO_BYTES ((size_t)64 << 20)
#define GOVERNOR_PATH "/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"

/* A piece of the text; length 0 when there is none. */
struct piece {
	const char *text;
	int length;
};

/* The value of the first line "name : value", which is the first core's. */
static struct piece find_field(const char *cpuinfo, const char *name)
{
	size_t length = strlen(name);
	for (const char *line = cpuinfo; *line; line += strcspn(line, "\n"), line += *line == '\n') {
		if (strncmp(line, name, length) != 0)
			continue;
		const char *colon = line + length + strspn(line + length, "\t ");
		if (*colon != ':')
			continue;
		const char *value = colon + 1 + strspn(colon + 1, "\t ");
		return (struct piece){value, (int)strcspn(value, "\n")};
	}
	return (struct piece){"", 0};
}

static bool has_word(struct piece words, const char *word)
{
	int length = (int)strlen(word);
	for (int at = 0; at < words.length;) {
		int end = at + (int)strcspn(words.text + at, " \n");
		if (end - at == length && strncmp(words.text + at, word, (size_t)length) == 0)
			return true;
		at = end + 1;
	}
	return false;
}

static void make_printable(char *text, const char *instead)
{
	for (char *c = text; *c; c++)
		if (!isprint((unsigned char)*c))
			*c = '?';
	if (!*text)
		strcpy(text, instead);
}

static void describe_cpu(struct pare_machine *machine, const char *cpuinfo)
{
	struct piece name = find_field(cpuinfo, "model name"), family = find_field(cpuinfo, "cpu family");
	struct piece model = find_field(cpuinfo, "model"), stepping = find_field(cpuinfo, "stepping");
	size_t size = sizeof(machine->cpu);
	int used = snprintf(machine->cpu, size, "%.*s", name.length < 64 ? name.length : 64, name.text);
	if (family.length && model.length && stepping.length)
		snprintf(machine->cpu + used, size - (size_t)used, "%s(family %.*s model %.*s stepping %.*s)",
		         used ? " " : "", family.length, family.text, model.length, model.text, stepping.length,
		         stepping.text);
	make_printable(machine->cpu, "unknown");
}

static void describe_flags(struct pare_machine *machine, const char *cpuinfo)
{
	static const char *const wanted[] = {"sse4_2",   "avx",      "avx2",     "fma",         "avx512f",
	                                     "avx512bw", "avx512dq", "avx512vl", "avx512_vnni", "avx512_bf16",
	                                     "amx_tile", "asimd",    "sve"};
	struct piece flags = find_field(cpuinfo, "flags");
	size_t used = 0;
	if (!flags.length)
		flags = find_field(cpuinfo, "Features"); /* ARM's word for it */
	machine->flags[0] = '\0';
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
		if (has_word(flags, wanted[i]))
			used += (size_t)snprintf(machine->flags + used, sizeof(machine->flags) - used, "%s%s",
			                         used ? " " : "", wanted[i]);
	make_printable(machine->flags, "none");
}

void pare_machine_parse_cpuinfo(struct pare_machine *machine, const char *cpuinfo)
{
	describe_cpu(machine, cpuinfo);
	describe_flags(machine, cpuinfo);
}

void pare_machine_describe(struct pare_machine *machine)
{
	struct pare_bytes bytes;
	long cores = sysconf(_SC_NPROCESSORS_ONLN);

	*machine = (struct pare_machine){.cores = cores > 0 ? (int)cores : 1};
	/* What cannot be read is described as unknown. */
	pare_file_read("/proc/cpuinfo", CPUINFO_BYTES, &bytes, NULL);
	pare_machine_parse_cpuinfo(machine, bytes.data ? (const char *)bytes.data : "");
	pare_bytes_release(&bytes);
	if (!pare_file_read(GOVERNOR_PATH, CPUINFO_BYTES, &bytes, NULL))
		snprintf(machine->governor, sizeof(machine->governor), "%.*s",
		         (int)strcspn((const char *)bytes.data, "\n"), (const char *)bytes.data);
	pare_bytes_release(&bytes);
	snprintf(machine->kernels, sizeof(machine->kernels), "%s", pare_compute_kernels());
	pare_compute_blas(machine->blas, sizeof(machine->blas));
	make_printable(machine->governor, "unknown");
	make_printable(machine->kernels, "unknown");
	make_printable(machine->blas, "unknown");
}
