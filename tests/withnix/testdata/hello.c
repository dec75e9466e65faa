#include <math.h>
#include <stdio.h>
#include <sqlite3.h>
#include <zlib.h>

int main(int argc, char **argv) {
    sqlite3 *db;
    if (sqlite3_open(":memory:", &db) != SQLITE_OK) return 1;
    printf("hello, %lu, %.0f\n", crc32(0, (const unsigned char *)"hello", 5), sqrt(argc * 4.0));
    return sqlite3_close(db);
}
