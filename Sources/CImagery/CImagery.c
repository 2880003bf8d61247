#include "CImagery.h"
