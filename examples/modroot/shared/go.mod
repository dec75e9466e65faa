module example.com/modroot/shared

go 1.24
