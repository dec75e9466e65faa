module dgd

go 1.26.0

require (
	github.com/nix-community/go-nix v0.0.0-20250101154619-4bdde671e0a1
	golang.org/x/mod v0.39.0
	mvdan.cc/sh/v3 v3.14.1
)

replace github.com/nix-community/go-nix => github.com/numtide/go-nix v0.0.0-20260409092930-880e947598ce
