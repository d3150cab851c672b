package cli

import (
	"context"
	"io"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/signalbox-hq/signalbox/services/app"
)

const root = "../.."

// composeFile is what the test reads of docker-compose.yml.
type composeFile struct {
	Services map[string]struct {
		Build       struct{ Dockerfile string }
		Command     []string
		Environment map[string]string
		Volumes     []string
		Ports       []string
	}
	Volumes map[string]any
}

func readCompose(t *testing.T) composeFile {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "docker-compose.yml"))
	if err != nil {
		t.Fatal(err)
	}
	var c composeFile
	if err := yaml.Unmarshal(text, &c); err != nil {
		t.Fatal(err)
	}
	return c
}

// parses fails where the program has no such command, flag or form of argument.
func parses(t *testing.T, args []string) {
	t.Helper()
	parser, err := newParser(context.Background(), &env{Program: Program{Out: io.Discard, Err: io.Discard}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := parser.Parse(args); err != nil {
		t.Errorf("signalbox %s: %v", strings.Join(args, " "), err)
	}
}

func TestWhatComposeNamesIsThere(t *testing.T) {
	c := readCompose(t)
	for name, service := range c.Services {
		for _, volume := range service.Volumes {
			source, _, _ := strings.Cut(volume, ":")
			if _, named := c.Volumes[source]; named {
				continue
			}
			if _, err := os.Stat(filepath.Join(root, source)); err != nil {
				t.Errorf("%s: volume %s: %v", name, volume, err)
			}
		}
		if service.Build.Dockerfile == "" {
			continue // somebody else's image
		}
		if _, err := os.Stat(filepath.Join(root, service.Build.Dockerfile)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if len(service.Command) > 0 {
			parses(t, service.Command)
		}
		for variable := range service.Environment {
			if variable != app.Owner {
				t.Errorf("%s: the program reads no variable %s", name, variable)
			}
		}
	}
}

// The configuration of the composed service agrees with the services beside it.
func TestTheComposedConfigurationFitsCompose(t *testing.T) {
	c := readCompose(t)
	config, err := app.LoadConfig(filepath.Join(root, "deploy", "compose", "signalbox.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	published := map[string]bool{}
	for _, mapping := range c.Services["signalbox"].Ports {
		_, inside, _ := strings.Cut(mapping, ":")
		published[inside] = true
	}
	for _, address := range []string{config.GRPC.Listen, config.Page.Listen} {
		_, port, err := net.SplitHostPort(address)
		if err != nil || !published[port] {
			t.Errorf("%s is listened on, and its port is not published: %v", address, published)
		}
	}
	if config.Mail.Host != "mailpit" || c.Services["mailpit"].Environment["MP_SMTP_REQUIRE_STARTTLS"] != "true" {
		t.Error("mail does not go to Mailpit under TLS")
	}
	prepare := strings.Join(c.Services["prepare"].Command, " ")
	dir := regexp.MustCompile(`--nats (\S+)`).FindStringSubmatch(prepare)
	if len(dir) != 2 {
		t.Fatal("prepare names no folder for NATS")
	}
	for what, path := range map[string]string{
		"nats.seed": config.NATS.Seed, "NATS's configuration": c.Services["nats"].Command[1],
		"Mailpit's certificate": c.Services["mailpit"].Environment["MP_SMTP_TLS_CERT"],
		"Mailpit's key":         c.Services["mailpit"].Environment["MP_SMTP_TLS_KEY"],
	} {
		if filepath.Dir(path) != dir[1] {
			t.Errorf("%s: %s is not in %s, which prepare writes", what, path, dir[1])
		}
	}
	for _, host := range []string{"nats", "mailpit"} {
		if !strings.Contains(prepare, "--name "+host) {
			t.Errorf("the certificate is not for %s", host)
		}
	}
}

// What prepare writes is what the configuration names, and NATS can read it.
func TestInitWritesWhatTheConfigurationNames(t *testing.T) {
	dir := t.TempDir()
	text, err := os.ReadFile(filepath.Join(root, "deploy", "compose", "signalbox.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	local := strings.NewReplacer("/data", filepath.Join(dir, "data"), "/nats/", filepath.Join(dir, "nats")+"/").Replace(string(text))
	file := filepath.Join(dir, "signalbox.yaml")
	if err := os.WriteFile(file, []byte(local), 0o600); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second time changes nothing
		var said strings.Builder
		code := Run(context.Background(), Program{
			Args: []string{"init", "--config", file, "--nats", filepath.Join(dir, "nats"), "--name", "nats", "--name", "mailpit"},
			Out:  io.Discard, Err: &said,
		})
		if code != exitGood {
			t.Fatalf("init: %s", said.String())
		}
	}
	config, err := app.LoadConfig(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := config.CheckFiles(); err != nil {
		t.Error(err)
	}
	for _, name := range []string{app.NATSConfigFile, "server.crt", "server.key"} {
		if _, err := os.Stat(filepath.Join(dir, "nats", name)); err != nil {
			t.Error(err)
		}
	}
}

func TestTheImageRunsTheProgramAsNobodyInParticular(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, "deploy", "Dockerfile"))
	if err != nil {
		t.Fatal(err)
	}
	file := string(text)
	command := regexp.MustCompile(`(?m)^CMD \[(.*)\]$`).FindStringSubmatch(file)
	if len(command) != 2 {
		t.Fatal("no CMD")
	}
	var args []string
	for _, arg := range strings.Split(command[1], ",") {
		args = append(args, strings.Trim(arg, ` "`))
	}
	parses(t, args)
	built := regexp.MustCompile(`go build .* (\./\S+)`).FindStringSubmatch(file)
	if len(built) != 2 {
		t.Fatal("nothing is built")
	}
	if _, err := os.Stat(filepath.Join(root, built[1], "main.go")); err != nil {
		t.Error(err)
	}
	if !regexp.MustCompile(`(?m)^USER [1-9]`).MatchString(file) {
		t.Error("the image runs as root")
	}
	if !strings.Contains(file, "CGO_ENABLED=0") {
		t.Error("the binary is not static, and the image has no libraries")
	}
	for _, listen := range []string{"4222", "7443", "8443"} {
		if !regexp.MustCompile(`(?m)^EXPOSE .*\b` + listen + `\b`).MatchString(file) {
			t.Errorf("port %s is not exposed", listen)
		}
	}
}
