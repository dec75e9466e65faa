module example.com/cgo-cxx

go 1.24
