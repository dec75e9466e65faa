module example.com/dep

go 1.24

require (
	golang.org/x/text v0.22.0
	rsc.io/quote v1.5.2
)

require rsc.io/sampler v1.3.0 // indirect
