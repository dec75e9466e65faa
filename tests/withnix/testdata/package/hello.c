#include <stdio.h>
#include <zlib.h>

int main() {
    printf("@greeting@, %d\n", zlibVersion()[0] == ZLIB_VERSION[0]);
}
