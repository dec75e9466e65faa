#define POINTER SI
#define COUNT CX
#define TOTAL AX
