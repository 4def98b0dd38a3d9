// Command coldcurve measures cold starts, warm latency and cost of functions.
package main

import (
	"os"

	"github.com/coldcurve/coldcurve/cmd/coldcurve/internal/cli"
)

func main() { os.Exit(cli.Main(cli.System())) }
