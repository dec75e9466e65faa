module example.com/replace

go 1.24

require example.com/greet v1.2.3

replace example.com/greet => ./greet
