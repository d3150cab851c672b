package notice

import (
	"fmt"
	"regexp"
)

// AgencyID names an agency that publishes or receives: a lower-case token, the event's `source` and part of its subjects.
type AgencyID string

// OrgID names an organisation (`ashmere-council`) or a setting (`gias:900101`) in the directory.
type OrgID string

// ChildID names a child in the directory. It is random or a keyed hash, and says nothing about the child.
type ChildID string

// Area is a GSS code.
type Area string

var (
	agencyPattern = regexp.MustCompile(`^[a-z][a-z0-9-]{1,38}$`)
	orgPattern    = regexp.MustCompile(`^[a-z][a-z0-9-]{0,62}$|^[a-z]{2,10}:[A-Z0-9]{1,20}$`)
	areaPattern   = regexp.MustCompile(`^[EWSN][0-9]{8}$`)
)

// ParseAgencyID accepts 2 to 39 lower-case letters, digits and hyphens, beginning with a letter.
func ParseAgencyID(s string) (AgencyID, error) {
	if !agencyPattern.MatchString(s) {
		return "", fmt.Errorf("an agency id is 2 to 39 lower-case letters, digits and hyphens and begins with a letter")
	}
	return AgencyID(s), nil
}

// ParseOrgID accepts an organisation's token, or a setting's namespaced register number such as `gias:900101`.
func ParseOrgID(s string) (OrgID, error) {
	if !orgPattern.MatchString(s) {
		return "", fmt.Errorf("an organisation id is lower-case letters, digits and hyphens; a setting id is its register and number, such as gias:900101")
	}
	return OrgID(s), nil
}

// ParseArea accepts a GSS code: E, W, S or N and eight digits.
func ParseArea(s string) (Area, error) {
	if !areaPattern.MatchString(s) {
		return "", fmt.Errorf("an area is a GSS code: E, W, S or N and eight digits")
	}
	return Area(s), nil
}
