/*
 * A growing string. `text` is never NULL after init and always NUL-terminated.
 * Out of memory is sticky: later appends do nothing and `failed` stays true, so a writer checks once at the end.
 */
#ifndef PARE_ENGINE_BASE_STRBUF_H
#define PARE_ENGINE_BASE_STRBUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

struct pare_strbuf {
	char *text;
	size_t length, capacity; /* length without the NUL */
	bool failed;
};

void pare_strbuf_init(struct pare_strbuf *buffer);
void pare_strbuf_release(struct pare_strbuf *buffer); /* leaves it as after init */
void pare_strbuf_clear(struct pare_strbuf *buffer);   /* length 0, memory kept */
void pare_strbuf_add(struct pare_strbuf *buffer, const char *text);
void pare_strbuf_add_bytes(struct pare_strbuf *buffer, const void *bytes, size_t size);
void pare_strbuf_printf(struct pare_strbuf *buffer, const char *format, ...) __attribute__((format(printf, 2, 3)));
void pare_strbuf_vprintf(struct pare_strbuf *buffer, const char *format, va_list arguments)
	__attribute__((format(printf, 2, 0)));
/* Hands the text over (free with free()); NULL if an append failed. The buffer is as after init. */
char *pare_strbuf_detach(struct pare_strbuf *buffer);

#endif
