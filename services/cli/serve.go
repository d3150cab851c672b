package cli

import (
	"context"
	"fmt"
	"io"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/signalbox-hq/signalbox/services/app"
	"github.com/signalbox-hq/signalbox/services/clock"
)

type serveCmd struct {
	Config string `required:"" placeholder:"FILE" env:"SIGNALBOX_CONFIG" help:"The configuration, YAML."`
}

func (serveCmd) Help() string {
	return `Runs until it is interrupted. Logs go to the standard error as JSON, a line each, without personal data. The first start makes the service's authority and the first operator's identity, in DATA/identities/admin.

    signalbox check-config signalbox.yaml
    signalbox serve --config signalbox.yaml`
}

func (c *serveCmd) Run(ctx context.Context, e *env) error {
	config, err := app.LoadConfig(c.Config)
	if err != nil {
		return err
	}
	log := newLog(e.Err)
	service, err := app.New(ctx, config, clock.System{}, log)
	if err != nil {
		return err
	}
	log.Info("serving", zap.String("grpc", service.GRPCAddr()), zap.String("nats", service.NATSURL()),
		zap.String("page", service.PageURL()), zap.String("returns", service.ReturnsAddr()), zap.String("first_operator", service.AdminIdentity()))
	return service.Run(ctx)
}

func newLog(w io.Writer) *zap.Logger {
	config := zap.NewProductionEncoderConfig()
	config.EncodeTime = zapcore.ISO8601TimeEncoder
	return zap.New(zapcore.NewCore(zapcore.NewJSONEncoder(config), zapcore.Lock(zapcore.AddSync(w)), zapcore.InfoLevel))
}

type checkConfigCmd struct {
	File string `arg:"" help:"The configuration, YAML."`
}

func (checkConfigCmd) Help() string {
	return `For example:

    signalbox check-config signalbox.yaml

An unknown key is a fault. Files that the configuration names must be there; nothing is started, and no address is tried.`
}

func (c *checkConfigCmd) Run(e *env) error {
	config, err := app.LoadConfig(c.File)
	if err != nil {
		return err
	}
	if err := config.CheckFiles(); err != nil {
		return err
	}
	broker := "embedded, listening on " + config.NATS.Listen
	if config.NATS.URL != "" {
		broker = "external, " + config.NATS.URL
	}
	fmt.Fprintf(e.Out, "%s is good\n  data: %s\n  nats: %s\n  grpc: %s\n  page: %s\n  mail: %s:%d\n",
		c.File, config.Data, broker, config.GRPC.Listen, config.Page.Listen, config.Mail.Host, config.Mail.Port)
	if config.Returns.Listen != "" {
		fmt.Fprintf(e.Out, "  returned mail: %s, for %s\n", config.Returns.Listen, config.Returns.Domain)
	}
	if config.Offline.Path != "" {
		fmt.Fprintf(e.Out, "  offline list: %s, for %s\n", config.Offline.Path, plural(int64(len(config.Offline.Recipients)), "recipient", "recipients"))
	}
	if h := config.Heartbeat; h.URL+h.URLFile != "" { // the address itself may be a secret
		fmt.Fprintf(e.Out, "  heartbeat: every %s\n", h.Every)
	} else {
		fmt.Fprintln(e.Out, "  heartbeat: none: nobody outside is alarmed when this machine falls silent")
	}
	if config.Metrics.Listen != "" {
		fmt.Fprintf(e.Out, "  metrics: http://%s/metrics\n", config.Metrics.Listen)
	}
	return nil
}
