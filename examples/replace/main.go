// Replace takes a module that it requires from a directory of its own.
package main

import (
	"fmt"

	"example.com/greet"
	"example.com/greet/polite"
)

func main() {
	fmt.Println(greet.Hello("replaced module"))
	fmt.Println(polite.Hello("replaced module"))
}
