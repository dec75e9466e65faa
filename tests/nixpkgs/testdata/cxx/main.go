// Cxx calls C++.
package main

// int sorted(void);
import "C"

func main() { println(C.sorted()) }
