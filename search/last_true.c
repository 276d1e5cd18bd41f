#include "search/last_true.h"

/* The first yes on the way down from `from` to `to`, inclusive; -1 when there is none. */
static int scan_down(int from, int to, pare_question_fn ask, void *context, int *index)
{
	*index = -1;
	for (int i = from; i >= to; i--) {
		int answer = ask(context, i);

		if (answer < 0)
			return answer;
		if (answer) {
			*index = i;
			return 0;
		}
	}
	return 0;
}

/* An index that says yes whose successor says no (or ends the range). -1 stands for "before the first". */
static int bisect(int n, pare_question_fn ask, void *context, int *index)
{
	int yes = -1, no = n;

	while (no - yes > 1) {
		int middle = yes + (no - yes) / 2;
		int answer = ask(context, middle);

		if (answer < 0)
			return answer;
		if (answer)
			yes = middle;
		else
			no = middle;
	}
	*index = yes;
	return 0;
}

int pare_last_true(int n, int window, pare_question_fn ask, void *context, int *index)
{
	int bottom, top, found;
	int status = bisect(n, ask, context, &bottom);

	if (status < 0)
		return status;
	top = window < n - 1 - bottom ? bottom + window : n - 1;
	status = scan_down(top, bottom + 1, ask, context, &found);
	if (status < 0)
		return status;
	if (found >= 0)
		return scan_down(n - 1, found, ask, context, index);
	*index = bottom;
	return 0;
}
