module example.com/modroot/plain

go 1.24

require example.com/modroot/shared v0.3.0

replace example.com/modroot/shared => ../shared
