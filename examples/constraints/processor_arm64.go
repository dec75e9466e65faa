package main

const processor = "arm64"
