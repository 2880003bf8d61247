#pragma once
#include <png.h>

#include "CImagery.h"

/// What libpng's callbacks need: where to put the message of an error.
typedef struct {
    char *message;
} cimagery_png_failure;

void cimagery_set_message(char message[CIMAGERY_MESSAGE_SIZE], const char *text);

/// libpng's error callback: keeps the message, then jumps to the setjmp of the function that called libpng.
PNG_NORETURN void cimagery_png_error(png_structp png, png_const_charp text);

/// libpng's warning callback: warnings are about ancillary data that is not used here.
void cimagery_png_warning(png_structp png, png_const_charp text);
