/*
 * The largest index at which a question is answered with yes: "the least that must be cut".
 *
 * Costs fall when more is cut, nearly always: then the answers are yes up to some index and no above it, and bisection
 * asks log2(n) times. Latencies of real machines rise in teeth, though: 17 channels can take longer than 24 when a
 * vector register holds 8. So the `window` indices above bisection's answer are asked too. If one of them says yes, all
 * indices are asked from the top. The result is exact for every question whose teeth are at most `window` wide; for any
 * other it is an index that says yes, with a no above it.
 */
#ifndef PARE_SEARCH_LAST_TRUE_H
#define PARE_SEARCH_LAST_TRUE_H

/* 1 yes, 0 no, or a negative status, which ends the search. */
typedef int (*pare_question_fn)(void *context, int index);

/* Largest index in [0, n) that says yes into *index, -1 when none does; or the question's negative status. */
int pare_last_true(int n, int window, pare_question_fn ask, void *context, int *index);

#endif
