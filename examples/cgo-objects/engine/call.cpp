#include "engine.h"
extern "C" {
#include "_cgo_export.h"
}
#define COMPUTED <computed.h>
#include COMPUTED

int call(int n) { return goIncrement(n) - COMPUTED_VALUE; }
