#include <stdlib.h>
#include <string.h>

#include "png_common.h"

typedef struct {
    uint8_t *bytes;
    size_t length;
    size_t capacity;
} sink;

static void write_bytes(png_structp png, png_bytep bytes, size_t count) {
    sink *to = png_get_io_ptr(png);
    if (count > to->capacity - to->length) {
        size_t capacity = to->capacity ? to->capacity : 4096;
        while (capacity - to->length < count) capacity *= 2;
        uint8_t *grown = realloc(to->bytes, capacity);
        if (!grown) png_error(png, "not enough memory");
        to->bytes = grown;
        to->capacity = capacity;
    }
    memcpy(to->bytes + to->length, bytes, count);
    to->length += count;
}

static void flush_nothing(png_structp png) { (void)png; }

static cimagery_status run(png_structp png, png_infop info, const cimagery_image *image, sink *to) {
    if (setjmp(png_jmpbuf(png))) return CIMAGERY_BROKEN;
    const int color = image->channels == 1   ? PNG_COLOR_TYPE_GRAY
                      : image->channels == 3 ? PNG_COLOR_TYPE_RGB
                                             : PNG_COLOR_TYPE_RGB_ALPHA;
    png_set_write_fn(png, to, write_bytes, flush_nothing);
    png_set_IHDR(png, info, image->width, image->height, 8, color, PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT,
                 PNG_FILTER_TYPE_DEFAULT);
    png_write_info(png, info);
    const size_t row_bytes = (size_t)image->width * image->channels;
    for (uint32_t y = 0; y < image->height; ++y) png_write_row(png, image->pixels + y * row_bytes);
    png_write_end(png, info);
    return CIMAGERY_OK;
}

cimagery_status cimagery_png_encode(const cimagery_image *image, uint8_t **out, size_t *out_length,
                                    char message[CIMAGERY_MESSAGE_SIZE]) {
    *out = NULL;
    *out_length = 0;
    message[0] = 0;
    if (!image->pixels || (image->channels != 1 && image->channels != 3 && image->channels != 4)) {
        cimagery_set_message(message, "only images of 1, 3 or 4 channels can be written");
        return CIMAGERY_BROKEN;
    }
    cimagery_png_failure failure = {message};
    png_structp png =
        png_create_write_struct(PNG_LIBPNG_VER_STRING, &failure, cimagery_png_error, cimagery_png_warning);
    png_infop info = png ? png_create_info_struct(png) : NULL;
    sink to = {0};
    cimagery_status status = CIMAGERY_NO_MEMORY;
    if (info) {
        status = run(png, info, image, &to);
    } else {
        cimagery_set_message(message, "libpng could not be set up");
    }
    png_destroy_write_struct(&png, &info);
    if (status == CIMAGERY_OK) {
        *out = to.bytes;
        *out_length = to.length;
    } else {
        free(to.bytes);
    }
    return status;
}
