// Server lies below the root of its sources.
package main

func main() { println("server") }
