module example.com/cgo-pkg-config

go 1.24
