module example.com/cgo-objects

go 1.25
