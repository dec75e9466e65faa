// Net imports packages of the standard library that contain C where cgo is on.
package main

import (
	"fmt"
	"net"
	"os/user"
)

func main() {
	fmt.Println("cgo:", cgo)
	ip, network, err := net.ParseCIDR("192.0.2.42/24")
	if err != nil {
		panic(err)
	}
	fmt.Println("address:", ip, "in", network)
	_, err = user.Lookup("nobody has this name")
	fmt.Println("user:", err)
}
