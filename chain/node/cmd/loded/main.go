// Command loded is the chain's node and its command line.
package main

import (
	"fmt"
	"os"

	svrcmd "github.com/cosmos/cosmos-sdk/server/cmd"

	"lode/app"
)

// environment is how variables begin that stand for flags: LODED_HOME, LODED_NODE, ...
const environment = "LODED"

func main() {
	root, err := rootCommand()
	if err == nil {
		err = svrcmd.Execute(root, environment, app.Home())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
