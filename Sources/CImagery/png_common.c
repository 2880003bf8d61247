#include "png_common.h"

PNG_NORETURN void cimagery_png_error(png_structp png, png_const_charp text) {
    cimagery_png_failure *failure = png_get_error_ptr(png);
    cimagery_set_message(failure->message, text);
    png_longjmp(png, 1);
}

void cimagery_png_warning(png_structp png, png_const_charp text) {
    (void)png;
    (void)text;
}
