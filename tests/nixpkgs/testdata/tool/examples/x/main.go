package main

func main() { broken() }
