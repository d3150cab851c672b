package cli

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	alarmv1 "github.com/signalbox-hq/signalbox/api/signalbox/alarm/v1"
)

type alarmCmd struct {
	List  alarmListCmd  `cmd:"" help:"List what is raised, with its age, its meaning and what to read."`
	Clear alarmClearCmd `cmd:"" help:"Say that the clock of the instance that leads is right as it stands."`
}

func (alarmCmd) Help() string {
	return `Every other alarm ends by itself once what raised it is over. Each instance answers for what it sees: ask every one.

    signalbox alarm list
    signalbox alarm clear clock-implausible --reason "The clock was a day ahead and is right now, INC-4412."`
}

type alarmListCmd struct {
	output
	connection
}

func (alarmListCmd) Help() string {
	return `The status is 0 where nothing is raised, 1 where anything is or the service does not answer.`
}

func (c *alarmListCmd) Run(ctx context.Context, e *env) error {
	l, err := c.dial(ctx)
	if err != nil {
		return err
	}
	defer l.close()
	response, err := call(ctx, l, alarmv1.NewAlarmServiceClient(l.conn).List, &alarmv1.ListRequest{})
	if err != nil {
		return err
	}
	if c.json() {
		err = printJSON(e.Out, response)
	} else {
		printAlarms(e.Out, response, e.now())
	}
	if err == nil && len(response.GetAlarms()) > 0 {
		return errReported
	}
	return err
}

func printAlarms(w io.Writer, r *alarmv1.ListResponse, now time.Time) {
	role := "stands by"
	if r.GetLeads() {
		role = "leads"
	}
	if len(r.GetAlarms()) == 0 {
		fmt.Fprintf(w, "Nothing is raised at %s, which %s.\n", plain(r.GetInstance()), role)
		return
	}
	fmt.Fprintf(w, "%s at %s, which %s:\n", plural(int64(len(r.GetAlarms())), "alarm", "alarms"), plain(r.GetInstance()), role)
	for _, a := range r.GetAlarms() {
		fmt.Fprintf(w, "\n%s  %s  since %s (%s)\n", strings.ToUpper(enumName(a.GetSeverity(), "SEVERITY_")), plain(a.GetCode()),
			minute(a.GetSinceMs()), age(now.Sub(time.UnixMilli(a.GetSinceMs()))))
		fmt.Fprintf(w, "  %s\n  means: %s\n", plain(a.GetText()), plain(a.GetMeaning()))
		if len(a.GetSubjects()) > 0 {
			more := ""
			if n := a.GetCount() - int64(len(a.GetSubjects())); n > 0 {
				more = fmt.Sprintf(" and %d more", n)
			}
			fmt.Fprintf(w, "  about: %s%s\n", plain(strings.Join(a.GetSubjects(), ", ")), more)
		}
		fmt.Fprintf(w, "  read:  %s\n", plain(a.GetRunbook()))
	}
}

// age is how long something has been so.
func age(d time.Duration) string {
	switch {
	case d < time.Minute:
		return "just now"
	case d < 2*time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h", int(d.Hours()))
	default:
		return fmt.Sprintf("%d days", int(d.Hours())/24)
	}
}

type alarmClearCmd struct {
	Alarm  string `arg:"" enum:"clock-implausible" placeholder:"ALARM" help:"clock-implausible, the only one that a person can end."`
	Reason string `required:"" placeholder:"TEXT" help:"Why, in words, up to 2000 characters. Kept apart from the ledger, where it can be erased."`
	connection
}

func (alarmClearCmd) Help() string {
	return `Look at the clock of the instance that leads first (docs/runbooks/clock-implausible.md): by a wrong one, deadlines are worked out wrong for good.`
}

func (c *alarmClearCmd) Run(ctx context.Context, e *env) error {
	l, err := c.dial(ctx)
	if err != nil {
		return err
	}
	defer l.close()
	if _, err := call(ctx, l, alarmv1.NewAlarmServiceClient(l.conn).ConfirmClock, &alarmv1.ConfirmClockRequest{Reason: c.Reason}); err != nil {
		return err
	}
	fmt.Fprintln(e.Out, "The clock of the instance that leads is confirmed: decisions and sends go on.")
	return nil
}
