module example.com/vendored

go 1.24

require (
	github.com/kballard/go-shellquote v0.0.0-20180428030007-95032a82bc51
	github.com/mitchellh/go-wordwrap v1.0.1
)
