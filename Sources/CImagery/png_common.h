#pragma once
#include <png.h>

#include "messages.h"

/// What libpng's callbacks need: where to put the message of an error.
typedef struct {
    char *message;
} cimagery_png_failure;

/// libpng's error callback: keeps the message, then jumps to the setjmp of the function that called libpng.
PNG_NORETURN void cimagery_png_error(png_structp png, png_const_charp text);

/// libpng's warning callback: warnings are about ancillary data that is not used here.
void cimagery_png_warning(png_structp png, png_const_charp text);
