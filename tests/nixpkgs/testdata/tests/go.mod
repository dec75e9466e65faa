module example.com/only-tests

go 1.24
