#include <limits.h>
#include <string.h>
#include <zlib.h>

#include "messages.h"

// zlib counts in 32 bits: longer data goes through in pieces.
static uInt piece(size_t count) { return count > UINT_MAX / 2 ? UINT_MAX / 2 : (uInt)count; }

enum { GZIP_WINDOW = 15 + 16 };

/// Why inflate cannot go on after what it returned, having moved something or not; CIMAGERY_OK when it can.
static cimagery_status failure(int result, int moved, const z_stream *stream, char message[CIMAGERY_MESSAGE_SIZE]) {
    if (result == Z_MEM_ERROR) {
        cimagery_set_message(message, "not enough memory");
        return CIMAGERY_NO_MEMORY;
    }
    if (result != Z_OK && result != Z_BUF_ERROR) {
        cimagery_set_message(message, stream->msg ? stream->msg : "the compressed data are damaged");
        return CIMAGERY_BROKEN;
    }
    if (!moved) {
        cimagery_set_message(message, "the compressed data end too early");
        return CIMAGERY_BROKEN;
    }
    return CIMAGERY_OK;
}

cimagery_status cimagery_gunzip(const uint8_t *data, size_t length, uint8_t *out, size_t capacity, size_t *produced,
                                char message[CIMAGERY_MESSAGE_SIZE]) {
    *produced = 0;
    message[0] = 0;
    z_stream stream;
    memset(&stream, 0, sizeof stream);
    if (inflateInit2(&stream, GZIP_WINDOW) != Z_OK) {
        cimagery_set_message(message, "zlib could not be set up");
        return CIMAGERY_NO_MEMORY;
    }
    size_t consumed = 0;
    cimagery_status status = CIMAGERY_OK;
    for (;;) {
        // One spare byte past the room given tells "ends here" from "goes on".
        uint8_t spare;
        const int full = *produced == capacity;
        const uInt room = full ? 1 : piece(capacity - *produced);
        const uInt offered = piece(length - consumed);
        stream.next_in = (Bytef *)(data + consumed);
        stream.avail_in = offered;
        stream.next_out = full ? &spare : out + *produced;
        stream.avail_out = room;
        const int result = inflate(&stream, Z_NO_FLUSH);
        const uInt eaten = offered - stream.avail_in;
        const uInt made = room - stream.avail_out;
        consumed += eaten;
        if (full && made > 0) {
            status = CIMAGERY_MORE;
            break;
        }
        *produced += made;
        if (result == Z_STREAM_END) {
            if (consumed == length) break;
            if (length - consumed < 2 || data[consumed] != 0x1f || data[consumed + 1] != 0x8b) {
                cimagery_set_message(message, "there is something after the end of the compressed data");
                status = CIMAGERY_BROKEN;
                break;
            }
            inflateReset(&stream);
        } else {
            status = failure(result, eaten > 0 || made > 0, &stream, message);
            if (status != CIMAGERY_OK) break;
        }
    }
    inflateEnd(&stream);
    return status;
}
