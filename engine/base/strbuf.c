#include "engine/base/strbuf.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/memory.h"

/* Makes room for `more` bytes and the NUL. */
static bool reserve(struct pare_strbuf *buffer, size_t more)
{
	void *text = buffer->capacity ? buffer->text : NULL;

	if (buffer->failed)
		return false;
	if (more >= SIZE_MAX - buffer->length ||
	    pare_array_grow(&text, &buffer->capacity, buffer->length + more + 1, 1) < 0) {
		buffer->failed = true;
		return false;
	}
	buffer->text = text;
	return true;
}

void pare_strbuf_init(struct pare_strbuf *buffer)
{
	/* While capacity is 0, nothing is allocated and this text is never written to. */
	*buffer = (struct pare_strbuf){.text = (char *)""};
}

void pare_strbuf_release(struct pare_strbuf *buffer)
{
	if (buffer->capacity)
		free(buffer->text);
	pare_strbuf_init(buffer);
}

void pare_strbuf_clear(struct pare_strbuf *buffer)
{
	buffer->length = 0;
	if (buffer->capacity)
		buffer->text[0] = '\0';
}

void pare_strbuf_add(struct pare_strbuf *buffer, const char *text)
{
	pare_strbuf_add_bytes(buffer, text, strlen(text));
}

void pare_strbuf_add_bytes(struct pare_strbuf *buffer, const void *bytes, size_t size)
{
	if (!size || !reserve(buffer, size))
		return;
	memcpy(buffer->text + buffer->length, bytes, size);
	buffer->length += size;
	buffer->text[buffer->length] = '\0';
}

void pare_strbuf_printf(struct pare_strbuf *buffer, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	pare_strbuf_vprintf(buffer, format, arguments);
	va_end(arguments);
}

void pare_strbuf_vprintf(struct pare_strbuf *buffer, const char *format, va_list arguments)
{
	va_list again;
	int length;

	va_copy(again, arguments);
	length = vsnprintf(NULL, 0, format, again);
	va_end(again);
	if (length < 0) {
		buffer->failed = true;
		return;
	}
	if (!length || !reserve(buffer, (size_t)length))
		return;
	vsnprintf(buffer->text + buffer->length, (size_t)length + 1, format, arguments);
	buffer->length += (size_t)length;
}

char *pare_strbuf_detach(struct pare_strbuf *buffer)
{
	char *text = NULL;

	if (reserve(buffer, 0)) {
		text = buffer->text;
		text[buffer->length] = '\0';
		buffer->capacity = 0;
	}
	pare_strbuf_release(buffer);
	return text;
}
