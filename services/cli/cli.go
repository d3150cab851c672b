package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"github.com/signalbox-hq/signalbox/services/directory"
	"github.com/signalbox-hq/signalbox/services/directory/importer"
)

// Exit codes.
const (
	exitGood    = 0
	exitRefused = 1 // the world or the service said no
	exitUsage   = 2
)

// Program is what a run is given of the world.
type Program struct {
	Args    []string // without the program's name
	In      io.Reader
	Out     io.Writer // answers
	Err     io.Writer // faults, progress and logs
	Version string
}

// env is what commands are given.
type env struct {
	Program
	now func() time.Time
}

// grammar is every command.
type grammar struct {
	Serve       serveCmd       `cmd:"" group:"run" help:"Run the service."`
	Init        initCmd        `cmd:"" group:"run" help:"Prepare a deployment with an external NATS server."`
	CheckConfig checkConfigCmd `cmd:"" group:"run" help:"Check a configuration file; every fault is named at once."`
	Demo        demoCmd        `cmd:"" group:"run" help:"Run everything in one process over an invented borough and play sample events."`
	Bench       benchCmd       `cmd:"" group:"run" help:"Measure what it costs on this machine."`

	Publish    publishCmd    `cmd:"" group:"agency" help:"Publish events as an agency."`
	Feedback   feedbackCmd   `cmd:"" group:"agency" help:"Show what became of the agency's events."`
	Quarantine quarantineCmd `cmd:"" group:"agency" help:"Look at events that were refused."`
	Task       taskCmd       `cmd:"" group:"agency" help:"Work on the queue of what people have to do."`
	Inbox      inboxCmd      `cmd:"" group:"agency" help:"Read the agency's inbox, and acknowledge what lies there."`

	Subscription subscriptionCmd `cmd:"" group:"agency" help:"Ask to be told of outcomes; grant and end what agencies ask for."`

	Withdraw withdrawCmd `cmd:"" group:"agency" help:"Take back an event that was published."`

	Meeting meetingCmd `cmd:"" group:"agency" help:"Answer an invitation to a strategy meeting; see who comes."`

	Explain   explainCmd   `cmd:"" group:"operator" help:"Show who would be told of an event, why and by when. Sends nothing."`
	Directory directoryCmd `cmd:"" group:"operator" help:"Change and read the directory: areas, settings, contacts, calendars, rolls."`
	Policy    policyCmd    `cmd:"" group:"operator" help:"Check, test and show the policy."`
	Ledger    ledgerCmd    `cmd:"" group:"operator" help:"Ask the ledger who was told what, when and why."`
	Sending   sendingCmd   `cmd:"" group:"operator" help:"Stop sending, resume it, and see what is stopped."`
	Replay    replayCmd    `cmd:"" group:"operator" help:"Have events decided anew; first as a dry run."`
	Telephone telephoneCmd `cmd:"" group:"operator" help:"Take in what people told each other by telephone while the system was down."`
	Offline   offlineCmd   `cmd:"" group:"operator" help:"Open the offline contact list; make a key for it."`
	Alarm     alarmCmd     `cmd:"" group:"operator" help:"List what needs a person's attention, and settle doubts about a clock."`
	Backup    backupCmd    `cmd:"" group:"operator" help:"Write the whole state of a running service into one sealed archive."`
	Restore   restoreCmd   `cmd:"" group:"operator" help:"Restore an archive into an empty data folder."`
	Agency    agencyCmd    `cmd:"" group:"operator" help:"Give agencies access."`
	Operator  operatorCmd  `cmd:"" group:"operator" help:"Give operators access."`

	Version versionCmd `cmd:"" group:"run" help:"Print the version."`
}

// Help is the text below the summary of the whole program.
func (grammar) Help() string {
	return `Signalbox takes safeguarding events from agencies, works out who must be told, and keeps every notice alive until a person has it.

To see it work:

    signalbox demo

Commands for agencies and operators speak to a service over gRPC. --server (or SIGNALBOX_SERVER) is its address and --identity (or SIGNALBOX_IDENTITY) a folder with client.crt, client.key and ca.crt; an agency's has nats.seed too. The service writes the first operator's folder at its first start: DATA/identities/admin.

    export SIGNALBOX_SERVER=127.0.0.1:7443
    export SIGNALBOX_IDENTITY=/var/lib/signalbox/identities/admin
    signalbox task list

Exit status: 0 good; 1 something was refused, or a file, a server or an identity is not as it must be; 2 wrong usage.`
}

// finished ends the parsing where help was printed.
type finished struct{ code int }

// Run carries out one command and returns the status to exit with.
func Run(ctx context.Context, p Program) int {
	return run(ctx, env{Program: p, now: time.Now})
}

func run(ctx context.Context, e env) (code int) {
	parser, err := newParser(ctx, &e)
	if err != nil {
		fmt.Fprintf(e.Err, "signalbox: the commands are not well-formed: %v\n", err)
		return exitRefused
	}
	defer func() {
		if r := recover(); r != nil {
			f, ok := r.(finished)
			if !ok {
				panic(r)
			}
			code = f.code
		}
	}()
	parsed, err := parser.Parse(e.Args)
	if err != nil {
		return e.misused(err)
	}
	if err := parsed.Run(); err != nil {
		if usage := (usageError{}); errors.As(err, &usage) {
			fmt.Fprintf(e.Err, "signalbox: %s\nSee `signalbox %s --help`.\n", usage.text, commandPath(parsed))
			return exitUsage
		}
		printFault(e.Err, err)
		return exitRefused
	}
	return exitGood
}

// newParser reads command lines.
func newParser(ctx context.Context, e *env) (*kong.Kong, error) {
	return kong.New(&grammar{},
		kong.Name("signalbox"),
		kong.Description("Routes safeguarding events to the people who must know, in time, and proves it."),
		kong.Writers(e.Out, e.Err),
		// Help ends the run from within the parser, which would go on otherwise.
		kong.Exit(func(code int) { panic(finished{code}) }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 110}),
		kong.ExplicitGroups([]kong.Group{
			{Key: "run", Title: "Run it:"},
			{Key: "agency", Title: "For agencies (and operators):"},
			{Key: "operator", Title: "For operators:"},
			{Key: "connection", Title: "Connection:"},
		}),
		kong.Vars{
			"formats":    strings.Join(append(importer.Formats(), policyFormat), ","),
			"formatlist": strings.Join(append(importer.Formats(), policyFormat), ", "),
			"kinds":      strings.Join(directory.Kinds(), ", "),
		},
		kong.BindTo(ctx, (*context.Context)(nil)),
		kong.Bind(e),
	)
}

// misused says what is wrong with the command line and where help is.
func (e *env) misused(err error) int {
	help := "signalbox --help"
	var parse *kong.ParseError
	if errors.As(err, &parse) && parse.Context != nil {
		if path := commandPath(parse.Context); path != "" {
			help = "signalbox " + path + " --help"
		}
	}
	fmt.Fprintf(e.Err, "signalbox: %v\nSee `%s`.\n", err, help)
	return exitUsage
}

func commandPath(c *kong.Context) string {
	var words []string
	for _, p := range c.Path {
		if p.Command != nil {
			words = append(words, p.Command.Name)
		}
	}
	return strings.Join(words, " ")
}

// usageError is wrong usage that shows only once the flags are put together.
type usageError struct{ text string }

func (e usageError) Error() string { return e.text }

func usagef(format string, args ...any) error { return usageError{fmt.Sprintf(format, args...)} }

type versionCmd struct{}

func (versionCmd) Run(e *env) error {
	fmt.Fprintf(e.Out, "signalbox %s\n", e.Version)
	return nil
}
