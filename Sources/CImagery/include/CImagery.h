#pragma once
// libpng, libjpeg-turbo and zlib behind functions that return a status: the first two report errors with longjmp, which
// must not cross Swift frames. Every function is re-entrant; memory handed out is released with cimagery_free.

#include <stddef.h>
#include <stdint.h>

enum { CIMAGERY_MESSAGE_SIZE = 192 };

typedef enum {
    CIMAGERY_OK = 0,
    /// The input breaks its format; the message says how.
    CIMAGERY_BROKEN = 1,
    /// The image is larger than the limits given.
    CIMAGERY_TOO_LARGE = 2,
    /// Memory could not be had.
    CIMAGERY_NO_MEMORY = 3,
    /// There is more output than the room given (gunzip only): what was produced so far is valid.
    CIMAGERY_MORE = 4,
} cimagery_status;

/// 8-bit samples, interleaved, rows from the top without padding: height x width x channels bytes.
typedef struct {
    uint8_t *pixels;
    uint32_t width;
    uint32_t height;
    /// 1 grey, 3 RGB, 4 RGBA.
    uint32_t channels;
} cimagery_image;

/// Decodes a whole PNG of any colour type. Samples of 1, 2 and 4 bits are expanded and those of 16 bits scaled
/// (v * 255 / 65535, rounded); palettes become RGB; a tRNS chunk or an alpha channel gives RGBA. Gamma and colour
/// profiles are not applied. A checksum that does not match, in any chunk, is an error.
/// On success the caller owns image->pixels; otherwise it is NULL and `message` holds the reason.
cimagery_status cimagery_png_decode(const uint8_t *data, size_t length, uint32_t maximum_side, uint64_t maximum_pixels,
                                    cimagery_image *image, char message[CIMAGERY_MESSAGE_SIZE]);

/// Decodes a whole JPEG, baseline or progressive, to grey (one component) or RGB (three or four). The pixels are those
/// of libjpeg's defaults (accurate integer DCT, smooth enlargement of chroma). CMYK, read as inverted as Adobe writes
/// it, becomes RGB without a colour profile: v = k * c / 255. Orientation in EXIF is not applied. Data that end early
/// or are damaged, for which libjpeg would warn and go on, are an error; what follows the end marker is not looked at.
/// On success the caller owns image->pixels; otherwise it is NULL and `message` holds the reason.
cimagery_status cimagery_jpeg_decode(const uint8_t *data, size_t length, uint32_t maximum_side, uint64_t maximum_pixels,
                                     cimagery_image *image, char message[CIMAGERY_MESSAGE_SIZE]);

/// Encodes as an 8-bit, non-interlaced PNG. The same pixels give the same bytes.
/// On success the caller owns *out.
cimagery_status cimagery_png_encode(const cimagery_image *image, uint8_t **out, size_t *out_length,
                                    char message[CIMAGERY_MESSAGE_SIZE]);

/// Decompresses gzip data (one member or several) into `out`; *produced is the number of bytes written.
/// CIMAGERY_OK only when the data ended within `capacity`, with its checksum right and nothing after it.
cimagery_status cimagery_gunzip(const uint8_t *data, size_t length, uint8_t *out, size_t capacity, size_t *produced,
                                char message[CIMAGERY_MESSAGE_SIZE]);

void cimagery_free(void *memory);
