#include "counter.h"

int shared_count;
