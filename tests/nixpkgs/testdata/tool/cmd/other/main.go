package main

import "example.com/tool/shared"

func main() { println(shared.Text()) }
