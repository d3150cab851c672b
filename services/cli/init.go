package cli

import (
	"context"
	"fmt"

	"github.com/signalbox-hq/signalbox/services/app"
	"github.com/signalbox-hq/signalbox/services/notice"
)

type initCmd struct {
	Config string   `required:"" placeholder:"FILE" env:"SIGNALBOX_CONFIG" help:"The configuration, YAML."`
	NATS   string   `required:"" name:"nats" placeholder:"DIR" help:"Folder to write what the NATS server needs: nats.conf, server.crt, server.key and router.seed."`
	Name   []string `placeholder:"NAME" help:"A host name or address by which the NATS server, or a listener beside it that shares the certificate, is reached. May be given several times."`
}

func (initCmd) Help() string {
	return `Prepares a deployment with an external NATS server, once, before the first start: the service's authority and first operator in the data folder, and in DIR the server's configuration, certificate and the seed of Signalbox's own user. What is there already stays. With an embedded server there is nothing to prepare.

    signalbox init --config signalbox.yaml --nats /etc/nats/signalbox --name nats.internal
    nats-server -c /etc/nats/signalbox/nats.conf

SIGNALBOX_OWNER (UID:GID) hands the folders over to the user that the service runs as.`
}

func (c *initCmd) Run(ctx context.Context, e *env) error {
	config, err := app.LoadConfig(c.Config)
	if err != nil {
		return err
	}
	if config.NATS.URL == "" {
		return notice.Faultf(notice.Invalid, "cli.init",
			"%s names no external NATS server, so there is nothing to prepare: give nats.url, or start with signalbox serve", c.Config)
	}
	if err := app.Init(ctx, config, c.NATS, c.Name); err != nil {
		return err
	}
	fmt.Fprintf(e.Out, "Prepared: %s for the service, %s for the NATS server.\n", config.Data, c.NATS)
	return nil
}
