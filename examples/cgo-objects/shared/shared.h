#define SHARED 2
