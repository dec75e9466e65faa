// User has cgo of the standard library alone, which Go links by itself.
package main

import (
	"net"
	"os/user"
)

func main() {
	_, err := user.Lookup("nobody has this name")
	println(err.Error(), net.ParseIP("192.0.2.1").String())
}
