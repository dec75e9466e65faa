// Vendored carries the modules that it needs in its own vendor directory.
package main

import (
	"fmt"

	"github.com/kballard/go-shellquote"
	"github.com/mitchellh/go-wordwrap"
)

func main() {
	words, err := shellquote.Split(`wrap 'this text' "at twelve"`)
	if err != nil {
		panic(err)
	}
	fmt.Printf("%q\n", words)
	fmt.Println(wordwrap.WrapString("wrap this text at twelve", 12))
}
