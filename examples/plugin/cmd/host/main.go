// Opens the plugin that it is given, and calls what it offers.
package main

import (
	"fmt"
	"os"
	"plugin"
)

func main() {
	if err := open(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func open(file string) error {
	p, err := plugin.Open(file)
	if err != nil {
		return err
	}
	greet, err := p.Lookup("Greet")
	if err != nil {
		return err
	}
	fmt.Println(greet.(func(string) string)("gopher"))
	return nil
}
