/* Numbers, booleans and choices: from YAML's core schema (1.2, section 10.3.2) to a double under a pare_option's rule,
 * and back. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "experiments/spec_table.h"

static const char *digits(const char *text)
{
	return text + strspn(text, "0123456789");
}

static const char *after_sign(const char *text)
{
	return text + (*text == '-' || *text == '+');
}

static bool is_integer(const char *text)
{
	text = after_sign(text);
	return *text && !*digits(text);
}

/* [-+]? ( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )? */
static bool is_float(const char *text)
{
	const char *whole = after_sign(text), *end = digits(whole);
	size_t n_digits = (size_t)(end - whole);

	if (*end == '.') {
		const char *fraction = end + 1;

		end = digits(fraction);
		n_digits += (size_t)(end - fraction);
	}
	if (n_digits > 0 && (*end == 'e' || *end == 'E')) {
		const char *exponent = after_sign(end + 1);

		end = digits(exponent);
		return end > exponent && !*end;
	}
	return n_digits > 0 && !*end;
}

bool pare_spec_parse_number(const char *text, double *value)
{
	if (!is_float(text))
		return false;
	*value = strtod(text, NULL);
	return isfinite(*value);
}

static bool is_not_finite(const char *text)
{
	static const char *const words[] = {".inf", ".nan", "inf", "nan", "infinity", NULL};

	text = after_sign(text);
	for (int i = 0; words[i]; i++)
		if (strcasecmp(text, words[i]) == 0)
			return true;
	return is_float(text) && !isfinite(strtod(text, NULL));
}

static void describe_range(const struct pare_option *option, unsigned open, struct pare_strbuf *text)
{
	bool low = isfinite(option->low), high = isfinite(option->high);

	if (option->kind == PARE_OPTION_INT) {
		pare_strbuf_printf(text, "%.0f to %.0f", option->low, option->high);
		return;
	}
	if (low && high && !open) {
		pare_strbuf_printf(text, "%.15g to %.15g", option->low, option->high);
		return;
	}
	if (low)
		pare_strbuf_printf(text, "%s %.15g", open & PARE_OPEN_LOW ? "above" : "at least", option->low);
	if (low && high)
		pare_strbuf_add(text, ", ");
	if (high)
		pare_strbuf_printf(text, "%s %.15g", open & PARE_OPEN_HIGH ? "below" : "at most", option->high);
}

static void describe_choices(const char *const *choices, struct pare_strbuf *text)
{
	for (int i = 0; choices[i]; i++)
		pare_strbuf_printf(text, "%s%s", i == 0 ? "" : choices[i + 1] ? ", " : " or ", choices[i]);
}

void pare_spec_describe_option(const struct pare_option *option, unsigned open, const char *unit,
                               struct pare_strbuf *text)
{
	if (option->kind == PARE_OPTION_BOOL)
		pare_strbuf_add(text, "true or false");
	else if (option->kind == PARE_OPTION_CHOICE)
		describe_choices(option->choices, text);
	else
		describe_range(option, open, text);
	if (unit)
		pare_strbuf_printf(text, " (%s)", unit);
}

static bool in_range(const struct pare_option *option, unsigned open, double value)
{
	return (open & PARE_OPEN_LOW ? value > option->low : value >= option->low) &&
	       (open & PARE_OPEN_HIGH ? value < option->high : value <= option->high);
}

static void complain_type(struct pare_spec_reader *reader, const char *path, const char *what, const char *help,
                          const struct pare_yaml_node *node)
{
	struct pare_place place = pare_place_of_value(node);

	if (node->quoted)
		pare_spec_complain(reader, place, "write it without the quotes",
		                   "%s: expected %s, found the text \"%s\"", path, what, node->text);
	else if (!*node->text)
		pare_spec_complain(reader, place, help, "%s: expected %s, found nothing", path, what);
	else
		pare_spec_complain(reader, place, help, "%s: expected %s, found '%s'", path, what, node->text);
}

static bool read_bool(struct pare_spec_reader *reader, const char *path, const struct pare_yaml_node *node,
                      double *value)
{
	bool is_true = strcmp(node->text, "true") == 0, is_false = strcmp(node->text, "false") == 0;

	if (node->quoted || (!is_true && !is_false)) {
		complain_type(reader, path, "true or false", NULL, node);
		return false;
	}
	*value = is_true;
	return true;
}

static bool read_choice(struct pare_spec_reader *reader, const char *path, const struct pare_option *option,
                        const struct pare_yaml_node *node, double *value)
{
	struct pare_strbuf help;

	for (int i = 0; option->choices[i]; i++)
		if (strcmp(option->choices[i], node->text) == 0) {
			*value = i;
			return true;
		}
	pare_strbuf_init(&help);
	if (*node->text) {
		pare_spec_suggest(&help, node->text, option->choices, "allowed: ");
		pare_spec_complain(reader, pare_place_of_value(node), help.text, "%s: unknown value '%s'", path,
		                   node->text);
	} else {
		pare_strbuf_add(&help, "allowed: ");
		pare_spec_describe_option(option, 0, NULL, &help);
		complain_type(reader, path, "one word", help.text, node);
	}
	pare_strbuf_release(&help);
	return false;
}

static bool read_number(struct pare_spec_reader *reader, const char *path, const struct pare_option *option,
                        unsigned open, const char *unit, const struct pare_yaml_node *node, double *value)
{
	bool integer = option->kind == PARE_OPTION_INT;
	bool right_kind = !node->quoted && (integer ? is_integer(node->text) : is_float(node->text));
	double found = right_kind ? strtod(node->text, NULL) : 0;
	struct pare_strbuf help;
	bool good = false;

	pare_strbuf_init(&help);
	pare_strbuf_add(&help, "allowed: ");
	pare_spec_describe_option(option, open, unit, &help);
	if (!node->quoted && is_not_finite(node->text))
		pare_spec_complain(reader, pare_place_of_value(node), help.text, "%s: '%s' is not a finite number",
		                   path, node->text);
	else if (!right_kind)
		complain_type(reader, path, integer ? "an integer" : "a number", help.text, node);
	else if (!in_range(option, open, found))
		pare_spec_complain(reader, pare_place_of_value(node), help.text, "%s: %s is out of range", path,
		                   node->text);
	else
		good = true;
	pare_strbuf_release(&help);
	if (good)
		*value = found == 0 ? 0 : found; /* no negative zero: one value, one text */
	return good;
}

bool pare_spec_read_option(struct pare_spec_reader *reader, const char *path, const struct pare_option *option,
                           unsigned open, const char *unit, const struct pare_yaml_node *node, double *value)
{
	static const char *const what[] = {[PARE_OPTION_INT] = "an integer",
	                                   [PARE_OPTION_FLOAT] = "a number",
	                                   [PARE_OPTION_BOOL] = "true or false",
	                                   [PARE_OPTION_CHOICE] = "one word"};

	if (!pare_spec_expect(reader, path, node, PARE_YAML_SCALAR, what[option->kind]))
		return false;
	if (option->kind == PARE_OPTION_BOOL)
		return read_bool(reader, path, node, value);
	if (option->kind == PARE_OPTION_CHOICE)
		return read_choice(reader, path, option, node, value);
	return read_number(reader, path, option, open, unit, node, value);
}

void pare_spec_write_double(double value, struct pare_strbuf *text)
{
	for (int precision = 15; precision <= 17; precision++) {
		char digits_text[40];

		snprintf(digits_text, sizeof(digits_text), "%.*g", precision, value);
		if (precision == 17 || strtod(digits_text, NULL) == value) {
			pare_strbuf_add(text, digits_text);
			return;
		}
	}
}

void pare_spec_write_option(const struct pare_option *option, double value, struct pare_strbuf *text)
{
	if (option->kind == PARE_OPTION_BOOL)
		pare_strbuf_add(text, value != 0 ? "true" : "false");
	else if (option->kind == PARE_OPTION_CHOICE)
		pare_strbuf_add(text, option->choices[(int)value]);
	else if (option->kind == PARE_OPTION_INT)
		pare_strbuf_printf(text, "%.0f", value);
	else
		pare_spec_write_double(value, text);
}
