#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// After stdio.h, which it does not include itself.
#include <jpeglib.h>

#include <jerror.h>

#include "messages.h"

enum {
    // A component with the highest sampling factors has a coded block, of one bit at least, for 64 pixels (128 where no
    // component has both): a file this short for its size is refused before memory is taken for it.
    PIXELS_PER_BYTE = 1024,
    // Each scan goes over the whole image, whatever little it holds. Encoders write about ten.
    MAXIMUM_SCANS = 500,
};

// Everything that must outlive a longjmp lives here, not in the locals of the function that calls setjmp.
typedef struct {
    struct jpeg_error_mgr errors;
    struct jpeg_progress_mgr progress;
    struct jpeg_decompress_struct jpeg;
    jmp_buf stop;
    char *message;
    cimagery_status status;
    uint8_t *pixels;
    uint8_t *row;
    uint32_t channels;
} decoder;

static _Noreturn void fail(decoder *d, cimagery_status status, const char *text) {
    d->status = status;
    cimagery_set_message(d->message, text);
    longjmp(d->stop, 1);
}

static _Noreturn void fail_with_library_message(j_common_ptr jpeg) {
    decoder *d = jpeg->client_data;
    char text[JMSG_LENGTH_MAX];
    jpeg->err->format_message(jpeg, text);
    fail(d, jpeg->err->msg_code == JERR_OUT_OF_MEMORY ? CIMAGERY_NO_MEMORY : CIMAGERY_BROKEN, text);
}

// libjpeg's own goes on after a warning, with grey where data are missing or spoilt.
static void emit_message(j_common_ptr jpeg, int level) {
    // A version of the header that the library does not know changes no pixel.
    if (level < 0 && jpeg->err->msg_code != JWRN_JFIF_MAJOR) fail_with_library_message(jpeg);
}

static void print_nothing(j_common_ptr jpeg) { (void)jpeg; }

static void count_scans(j_common_ptr jpeg) {
    decoder *d = jpeg->client_data;
    if (d->jpeg.input_scan_number > MAXIMUM_SCANS) fail(d, CIMAGERY_BROKEN, "it has more than 500 scans");
}

/// a * b / 255, rounded.
static uint8_t product(uint8_t a, uint8_t b) {
    const uint32_t scaled = (uint32_t)a * b + 128;
    return (uint8_t)(((scaled >> 8) + scaled) >> 8);
}

/// One row of inks, stored inverted as Adobe does, to RGB: each of cyan, magenta and yellow takes its share of what
/// black leaves.
static void convert_inks(const uint8_t *inks, uint8_t *rgb, uint32_t width) {
    for (uint32_t x = 0; x < width; ++x, inks += 4, rgb += 3) {
        const uint8_t light = inks[3];
        for (int c = 0; c < 3; ++c) rgb[c] = (uint8_t)(light - product((uint8_t)(255 - inks[c]), light));
    }
}

static void read_rows(decoder *d) {
    j_decompress_ptr jpeg = &d->jpeg;
    const size_t row_bytes = (size_t)jpeg->output_width * d->channels;
    d->pixels = calloc(jpeg->output_height, row_bytes);
    if (jpeg->out_color_space == JCS_CMYK) d->row = malloc((size_t)jpeg->output_width * 4);
    if (!d->pixels || (jpeg->out_color_space == JCS_CMYK && !d->row)) {
        fail(d, CIMAGERY_NO_MEMORY, "not enough memory");
    }
    while (jpeg->output_scanline < jpeg->output_height) {
        uint8_t *out = d->pixels + jpeg->output_scanline * row_bytes;
        JSAMPROW row = d->row ? d->row : out;
        if (jpeg_read_scanlines(jpeg, &row, 1) != 1) fail(d, CIMAGERY_BROKEN, "it ends too early");
        if (d->row) convert_inks(d->row, out, jpeg->output_width);
    }
}

static void decode(decoder *d, const uint8_t *data, size_t length, uint32_t maximum_side, uint64_t maximum_pixels,
                   cimagery_image *image) {
    j_decompress_ptr jpeg = &d->jpeg;
    jpeg_create_decompress(jpeg);
    jpeg->progress = &d->progress;
    jpeg_mem_src(jpeg, (unsigned char *)data, length);
    jpeg_read_header(jpeg, TRUE);
    image->width = jpeg->image_width;
    image->height = jpeg->image_height;
    const uint64_t pixels = (uint64_t)image->width * image->height;
    if (image->width > maximum_side || image->height > maximum_side || pixels > maximum_pixels) {
        fail(d, CIMAGERY_TOO_LARGE, "");
    }
    // Arithmetic coding has no least number of bits.
    if (!jpeg->arith_code && pixels / PIXELS_PER_BYTE > length) {
        fail(d, CIMAGERY_BROKEN, "it is too short for the size in its header");
    }
    switch (jpeg->num_components) {
    case 1: jpeg->out_color_space = JCS_GRAYSCALE; break;
    case 3: jpeg->out_color_space = JCS_RGB; break;
    case 4: jpeg->out_color_space = JCS_CMYK; break;
    default: fail(d, CIMAGERY_BROKEN, "it has neither 1 (grey), 3 (colour) nor 4 (CMYK) components");
    }
    image->channels = jpeg->num_components == 1 ? 1 : 3;
    d->channels = image->channels;
    jpeg_start_decompress(jpeg);
    read_rows(d);
    // To the end marker, so that a file cut after its last row is noticed.
    jpeg_finish_decompress(jpeg);
}

static void run(decoder *d, const uint8_t *data, size_t length, uint32_t maximum_side, uint64_t maximum_pixels,
                cimagery_image *image) {
    if (setjmp(d->stop)) return;
    decode(d, data, length, maximum_side, maximum_pixels, image);
}

cimagery_status cimagery_jpeg_decode(const uint8_t *data, size_t length, uint32_t maximum_side, uint64_t maximum_pixels,
                                     cimagery_image *image, char message[CIMAGERY_MESSAGE_SIZE]) {
    memset(image, 0, sizeof *image);
    message[0] = 0;
    if (length < 3 || data[0] != 0xff || data[1] != 0xd8 || data[2] != 0xff) {
        cimagery_set_message(message, "it does not begin with the JPEG signature");
        return CIMAGERY_BROKEN;
    }
    decoder d;
    memset(&d, 0, sizeof d);
    d.message = message;
    d.jpeg.err = jpeg_std_error(&d.errors);
    d.errors.error_exit = fail_with_library_message;
    d.errors.emit_message = emit_message;
    d.errors.output_message = print_nothing;
    d.progress.progress_monitor = count_scans;
    d.jpeg.client_data = &d;
    run(&d, data, length, maximum_side, maximum_pixels, image);
    jpeg_destroy_decompress(&d.jpeg);
    free(d.row);
    if (d.status == CIMAGERY_OK) {
        image->pixels = d.pixels;
    } else {
        free(d.pixels);
    }
    return d.status;
}
