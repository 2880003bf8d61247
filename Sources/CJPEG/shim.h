#pragma once
// jpeglib.h leaves it to others to declare size_t and FILE.
#include <stddef.h>
#include <stdio.h>

#include <jpeglib.h>

#include <jerror.h>
