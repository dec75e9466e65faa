module example.com/dep

go 1.24

require rsc.io/quote v1.0.0
