module example.com/cgo-symbols

go 1.24
