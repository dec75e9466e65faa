#define SIDES 6
