module example.com/godebug-pgo

go 1.24
