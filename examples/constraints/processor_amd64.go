package main

const processor = "amd64"
