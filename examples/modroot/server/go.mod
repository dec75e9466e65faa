module example.com/modroot/server

go 1.24

require (
	example.com/modroot/shared v0.3.0
	rsc.io/quote v1.5.2
)

require (
	golang.org/x/text v0.22.0 // indirect
	rsc.io/sampler v1.3.0 // indirect
)

replace example.com/modroot/shared => ../shared
