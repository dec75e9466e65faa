#include <stdio.h>
#include <stdlib.h>

#include "greeting.h"

static int twice(int n) { return 2 * n; }

int main(void) {
  char *text = Greeting("C");
  printf("%s\n", text);
  free(text);
  printf("%d\n", (int)Apply((void *)twice, 20));
  return 0;
}
