package returns

import (
	"regexp"
	"strings"
)

// recipient is what a delivery status notification says about one recipient (RFC 3464, 2.3).
type recipient struct {
	action string
	status string // enhanced status code, or empty
}

var leadingCode = regexp.MustCompile(`^[245]\.[0-9]{1,3}\.[0-9]{1,3}`)

// maxRecipients bounds a report: our mails have one recipient, which a list may make several.
const maxRecipients = 100

// recipients reads the body of a message/delivery-status part: groups of fields, with blank lines between. Each group
// that has an action or a status is a recipient's.
func recipients(body []byte) []recipient {
	var all []recipient
	var group recipient
	field, seen := "", false
	end := func() {
		if seen && len(all) < maxRecipients {
			all = append(all, group)
		}
		group, field, seen = recipient{}, "", false
	}
	for line := range strings.Lines(string(body)) {
		line = strings.TrimRight(line, "\r\n")
		if strings.TrimSpace(line) == "" {
			end()
			continue
		}
		value := line
		if line[0] != ' ' && line[0] != '\t' {
			name, rest, ok := strings.Cut(line, ":")
			if !ok {
				field = ""
				continue
			}
			field, value = strings.ToLower(strings.TrimSpace(name)), rest
		}
		value = strings.TrimSpace(value)
		switch field {
		case "action":
			if word, _, _ := strings.Cut(value, " "); group.action == "" {
				group.action, seen = strings.ToLower(word), true
			}
		case "status":
			if code := leadingCode.FindString(value); group.status == "" && code != "" {
				group.status, seen = code, true
			}
		case "diagnostic-code":
			// Many a system says 5.0.0 and quotes the other side's own code here.
			if m := statusCode.FindStringSubmatch(value); m != nil && vague(group.status) && agree(group.status, m[1]) {
				group.status = m[1]
			}
		}
	}
	end()
	return all
}

// vague says whether a code says no more than its class.
func vague(code string) bool { return code == "" || strings.HasSuffix(code, ".0.0") }

func agree(one, other string) bool { return one == "" || one[0] == other[0] }

// verdict makes one report of what is said about several recipients. The worst counts: of a list of people some may
// have the mail, and nobody can say that the right one does.
func verdict(all []recipient) Report {
	for _, want := range []struct {
		action string
		report Report
	}{{"failed", Report{Kind: permanent}}, {"delayed", Report{Kind: transient}}, {"delivered", Report{Kind: confirmed}}, {"expanded", Report{Kind: confirmed}}} {
		for _, r := range all {
			if r.action == want.action {
				want.report.Code = r.status
				return want.report
			}
		}
	}
	worst := Report{Kind: unknown}
	for _, r := range all {
		if r.action == "" && r.status != "" && (worst.Code == "" || r.status[0] > worst.Code[0]) {
			worst = Report{Kind: byClass(r.status[0]), Code: r.status}
		}
	}
	return worst
}
