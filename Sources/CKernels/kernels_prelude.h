// What every instruction set's translation unit includes before its target attributes are in force.
#pragma once
#include "CKernels.h"
#include "kernel_table.h"
#include "pool.h"

#include <float.h>
#include <math.h>
#include <stdint.h>
#include <string.h>
