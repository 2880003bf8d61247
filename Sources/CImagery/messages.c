#include "messages.h"

#include <stdio.h>
#include <stdlib.h>

void cimagery_set_message(char message[CIMAGERY_MESSAGE_SIZE], const char *text) {
    snprintf(message, CIMAGERY_MESSAGE_SIZE, "%s", text);
}

void cimagery_free(void *memory) { free(memory); }
