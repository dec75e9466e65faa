#include "engine.h"
#include <math.h>

#if __has_include("../shared/name.h")
extern const char name_start[];
const char *engine_name(void) { return sqrt(4) == 2 ? name_start : "?"; }
#else
const char *engine_name(void) { return "nothing"; }
#endif
