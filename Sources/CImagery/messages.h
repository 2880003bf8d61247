#pragma once
#include "CImagery.h"

/// Copies `text`, cut to the room there is.
void cimagery_set_message(char message[CIMAGERY_MESSAGE_SIZE], const char *text);
