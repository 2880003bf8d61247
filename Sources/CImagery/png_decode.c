#include <stdlib.h>
#include <string.h>

#include "png_common.h"

typedef struct {
    const uint8_t *data;
    size_t length;
    size_t position;
} source;

// Everything that must outlive a longjmp lives here, not in the locals of the function that calls setjmp.
typedef struct {
    png_structp png;
    png_infop info;
    source source;
    uint8_t *pixels;
    uint8_t *indices;
    png_bytep *rows;
    uint32_t width;
    uint32_t height;
    uint32_t channels;
} decoder;

static void read_bytes(png_structp png, png_bytep out, size_t count) {
    source *from = png_get_io_ptr(png);
    if (count > from->length - from->position) png_error(png, "the file ends too early");
    memcpy(out, from->data + from->position, count);
    from->position += count;
}

static void *allocate(decoder *d, size_t count, size_t size) {
    void *memory = calloc(count, size);
    if (!memory) png_error(d->png, "not enough memory");
    return memory;
}

/// Reads every row into `samples`, which has `row_bytes` for each.
static void read_rows(decoder *d, uint8_t *samples, size_t row_bytes) {
    if (png_get_rowbytes(d->png, d->info) != row_bytes) png_error(d->png, "a colour type this reader does not know");
    d->rows = allocate(d, d->height, sizeof(png_bytep));
    for (uint32_t y = 0; y < d->height; ++y) d->rows[y] = samples + y * row_bytes;
    png_read_image(d->png, d->rows);
    // To the end, so that a file cut after its last row is noticed.
    png_read_end(d->png, NULL);
}

// libpng's own expansion draws an index beyond the palette as black; here it is an error.
static void read_palette_image(decoder *d) {
    png_colorp palette = NULL;
    png_bytep alpha = NULL;
    int entries = 0;
    int alpha_entries = 0;
    png_get_PLTE(d->png, d->info, &palette, &entries);
    png_get_tRNS(d->png, d->info, &alpha, &alpha_entries, NULL);
    d->channels = alpha_entries > 0 ? 4 : 3;

    png_set_packing(d->png);
    png_set_interlace_handling(d->png);
    png_read_update_info(d->png, d->info);
    const size_t count = (size_t)d->width * d->height;
    d->indices = allocate(d, count, 1);
    d->pixels = allocate(d, count, d->channels);
    read_rows(d, d->indices, d->width);

    uint8_t *out = d->pixels;
    for (size_t i = 0; i < count; ++i, out += d->channels) {
        const int index = d->indices[i];
        if (index >= entries) png_error(d->png, "a pixel names a colour beyond the palette");
        out[0] = palette[index].red;
        out[1] = palette[index].green;
        out[2] = palette[index].blue;
        if (d->channels == 4) out[3] = index < alpha_entries ? alpha[index] : 255;
    }
}

static void read_direct_image(decoder *d) {
    const int color = png_get_color_type(d->png, d->info);
    const int depth = png_get_bit_depth(d->png, d->info);
    const int has_alpha = (color & PNG_COLOR_MASK_ALPHA) || png_get_valid(d->png, d->info, PNG_INFO_tRNS);
    if (depth < 8) png_set_expand_gray_1_2_4_to_8(d->png);
    if (png_get_valid(d->png, d->info, PNG_INFO_tRNS)) png_set_tRNS_to_alpha(d->png);
    if (depth == 16) png_set_scale_16(d->png);
    // Grey with alpha has no counterpart among 1, 3 and 4 channels: it becomes RGBA.
    if (!(color & PNG_COLOR_MASK_COLOR) && has_alpha) png_set_gray_to_rgb(d->png);
    png_set_interlace_handling(d->png);
    png_read_update_info(d->png, d->info);

    d->channels = png_get_channels(d->png, d->info);
    const size_t row_bytes = (size_t)d->width * d->channels;
    d->pixels = allocate(d, d->height, row_bytes);
    read_rows(d, d->pixels, row_bytes);
}

static cimagery_status run(decoder *d, uint32_t maximum_side, uint64_t maximum_pixels) {
    if (setjmp(png_jmpbuf(d->png))) return CIMAGERY_BROKEN;

    png_set_read_fn(d->png, &d->source, read_bytes);
    // Sides are judged below, with a status of their own; libpng's own limit would call them broken.
    png_set_user_limits(d->png, PNG_UINT_31_MAX, PNG_UINT_31_MAX);
    png_set_chunk_malloc_max(d->png, 1 << 20);
    // A negative count: every ancillary chunk but tRNS. Text and profiles are neither kept nor inflated.
    png_set_keep_unknown_chunks(d->png, PNG_HANDLE_CHUNK_NEVER, NULL, -1);
    png_set_crc_action(d->png, PNG_CRC_ERROR_QUIT, PNG_CRC_ERROR_QUIT);
    png_read_info(d->png, d->info);

    d->width = png_get_image_width(d->png, d->info);
    d->height = png_get_image_height(d->png, d->info);
    if (d->width > maximum_side || d->height > maximum_side || (uint64_t)d->width * d->height > maximum_pixels) {
        return CIMAGERY_TOO_LARGE;
    }
    if (png_get_color_type(d->png, d->info) == PNG_COLOR_TYPE_PALETTE) {
        read_palette_image(d);
    } else {
        read_direct_image(d);
    }
    return CIMAGERY_OK;
}

cimagery_status cimagery_png_decode(const uint8_t *data, size_t length, uint32_t maximum_side, uint64_t maximum_pixels,
                                    cimagery_image *image, char message[CIMAGERY_MESSAGE_SIZE]) {
    memset(image, 0, sizeof *image);
    message[0] = 0;
    if (length < 8 || png_sig_cmp(data, 0, 8) != 0) {
        cimagery_set_message(message, "it does not begin with the PNG signature");
        return CIMAGERY_BROKEN;
    }
    cimagery_png_failure failure = {message};
    decoder d = {.source = {data, length, 0}};
    d.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &failure, cimagery_png_error, cimagery_png_warning);
    d.info = d.png ? png_create_info_struct(d.png) : NULL;
    cimagery_status status = CIMAGERY_NO_MEMORY;
    if (d.info) {
        status = run(&d, maximum_side, maximum_pixels);
    } else {
        cimagery_set_message(message, "libpng could not be set up");
    }
    png_destroy_read_struct(&d.png, &d.info, NULL);
    free(d.rows);
    free(d.indices);
    image->width = d.width;
    image->height = d.height;
    image->channels = d.channels;
    if (status == CIMAGERY_OK) {
        image->pixels = d.pixels;
    } else {
        free(d.pixels);
    }
    return status;
}
