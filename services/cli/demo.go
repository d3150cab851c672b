package cli

import (
	"context"

	"github.com/signalbox-hq/signalbox/services/demo"
)

type demoCmd struct {
	ExitWhenIdle bool   `help:"End once nothing more happens without time passing or a person acting. The last line counts the notices."`
	Data         string `placeholder:"DIR" help:"An empty folder to keep everything in. Else a temporary one, removed at the end."`
}

func (demoCmd) Help() string {
	return `Starts NATS, the engine, gRPC, a mailbox and the notice page in one process, loads an invented borough and its neighbours, plays sample events, and prints who is told what, why and by when. Invented recipients read their mail and answer on the page. Then it stays up and prints commands to try. Nothing leaves the machine.

    signalbox demo
    signalbox demo --exit-when-idle`
}

func (c *demoCmd) Run(ctx context.Context, e *env) error {
	return demo.Run(ctx, demo.Options{Data: c.Data, ExitWhenIdle: c.ExitWhenIdle, Out: e.Out, Progress: e.Err})
}
