#include "sum.h"
#include "_cgo_export.h"

/* sum_of_squares adds square(1) to square(n); square is a Go function. */
int sum_of_squares(int n) {
	int sum = 0;
	for (int i = 1; i <= n; i++)
		sum += square(i);
	return sum;
}
