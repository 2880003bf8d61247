// Every kernel family, compiled once per instruction set by isa_*.c, which define
//   VL   floats in a vector            MR   rows of a micro-kernel's tile (a multiple of 3 or 6)
//   HAS_FMA when a·b + c is one instruction      HAS_MASKED_MOVES with load_first and store_first
//   TABLE the name of the table to define
// All functions are static: the table is the only symbol.

// Fused operations are written out, so that a tail's code rounds as the main loop's does.
#pragma STDC FP_CONTRACT OFF

#include "simd.inc.h"
#include "math.inc.h"
#include "activation.inc.h"
#include "tile.inc.h"
#include "gemm.inc.h"
#include "convolution.inc.h"
#include "winograd.inc.h"
#include "winograd_gradient.inc.h"
#include "convolution_forward.inc.h"
#include "convolution_gradient.inc.h"
#include "periodic.inc.h"
#include "channelwise.inc.h"
#include "normalization.inc.h"
#include "normalization_tangent.inc.h"
#include "elementwise.inc.h"
#include "pointwise.inc.h"
#include "reduction.inc.h"
#include "softmax.inc.h"
#include "attention.inc.h"
#include "attention_gradient.inc.h"
#include "resampling.inc.h"
#include "optimizer.inc.h"
#include "peak.inc.h"

#define TABLE_ENTRY(result, name, parameters, arguments) .name = name,
const dk_kernel_table TABLE = {DK_KERNEL_LIST(TABLE_ENTRY)};
#undef TABLE_ENTRY
