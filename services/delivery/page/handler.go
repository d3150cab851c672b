package page

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"strings"
	"time"

	"go.uber.org/zap"

	noticev1 "github.com/signalbox-hq/signalbox/api/signalbox/notice/v1"
	"github.com/signalbox-hq/signalbox/services/notice"
	"github.com/signalbox-hq/signalbox/services/web"
)

// State is where a notice stands. The zero State is invalid.
type State int

// The states of a notice that its page tells apart.
const (
	_ State = iota
	Open
	Acknowledged
	Superseded // a later version was sent
	Withdrawn  // its link is dead
	Recalled   // what it told of was withdrawn: the page says so, and nothing else
)

// Cover is what the page needs to know of a notice before anything of it is shown.
type Cover struct {
	Reference      string
	Organisation   string // name of the organisation told
	Role           string
	ContactName    string // of the contact whose link this is; shown only with a session
	ContactID      string
	State          State
	Due            time.Time // zero where there is none
	AcknowledgeDue bool
	SettingNotice  bool // sent to a setting about a child who is thought to attend it
	Deletion       bool // asks for another notice to be deleted: the answer says that it is
	SharedMailbox  bool // the code goes to another address

	Invitation bool      // to a meeting that has yet to start, of the organisation whose link this is: it is answered
	Meets      time.Time // when that starts
	Answer     Answer    // of the organisation so far; zero where there is none
	AnsweredAt time.Time
}

// Answer is what an organisation says to an invitation. The zero Answer is none.
type Answer int

// The answers.
const (
	_ Answer = iota
	Comes
	SendsDeputy
	Declines
)

// Reply is an answer as a person gives it.
type Reply struct {
	Answer Answer
	Person string // who answers
	Deputy string // who comes instead
	Reason string // why nobody comes: one of Reasons
}

// Reason is why nobody comes, as a code and in words.
type Reason struct{ Code, Text string }

// Reasons are those that a person may give for declining.
func Reasons() []Reason {
	return []Reason{
		{"no_capacity", "Nobody is free at that time"},
		{"too_short_notice", "The notice is too short"},
		{"not_involved", "We do not know the child or the family"},
		{"conflict_of_interest", "Somebody of ours is concerned in the matter"},
		{"other", "Another reason"},
	}
}

// ErrAnsweredOften marks an answer that is not taken any more, because so many were before.
var ErrAnsweredOften = errors.New("the invitation was answered too often")

// Notices is what the page needs of the rest. Errors carry a notice.Kind: NotFound for a link that is dead, Conflict
// where the state has moved on, Unavailable where it is worth another try.
type Notices interface {
	// Open describes the notice behind a link.
	Open(ctx context.Context, noticeID string, attempt uint32) (Cover, error)
	// SendCode mails the code to the mailbox the link went to, or to its address for codes.
	SendCode(ctx context.Context, noticeID string, attempt uint32, code string) error
	// Read gives the notice as the recipient may see it and records that it was read.
	Read(ctx context.Context, noticeID string, attempt uint32) (*noticev1.Notice, error)
	// Acknowledge records that the person has the notice.
	Acknowledge(ctx context.Context, noticeID string, attempt uint32, person string) error
	// Reply records what the organisation answers to an invitation. It is ErrAnsweredOften where it has answered too often.
	Reply(ctx context.Context, noticeID string, attempt uint32, reply Reply) error
	// NotAtSetting records that the child is not at the setting.
	NotAtSetting(ctx context.Context, noticeID string, attempt uint32) error
}

// Config says where the page is and with which key its links are made.
type Config struct {
	BaseURL string                    // https URL without a path, as recipients reach it
	Key     notice.Key                // of tokens and sessions
	Names   func(notice.OrgID) string // names of organisations
	Rate    float64                   // requests a second from one client address; 0 is 10
	Burst   int                       // and at once; 0 is 60
}

// Handler serves the pages.
type Handler struct {
	base    *url.URL
	key     notice.Key
	names   func(notice.OrgID) string
	notices Notices
	now     func() time.Time
	log     *zap.Logger
	codes   *web.Codes
	limiter *web.Limiter
	pages   *template.Template
	style   []byte
	serve   http.Handler
}

//go:embed templates/*.html templates/page.css
var files embed.FS

const largestForm = 16 << 10

// New checks the configuration and makes the handler.
func New(cfg Config, notices Notices, now func() time.Time, log *zap.Logger) (*Handler, error) {
	const op = "page.New"
	base, err := url.Parse(cfg.BaseURL)
	if err != nil || base.Scheme != "https" || base.Host == "" || strings.Trim(base.Path, "/") != "" || base.RawQuery != "" || base.User != nil {
		return nil, notice.Fault(notice.Invalid, op, errors.New("base URL: give https:// and a host, without a path"))
	}
	if cfg.Key == (notice.Key{}) {
		return nil, notice.Fault(notice.Invalid, op, errors.New("key: give the deployment's key"))
	}
	if cfg.Rate < 0 || cfg.Burst < 0 {
		return nil, notice.Fault(notice.Invalid, op, errors.New("rate and burst: give numbers above zero"))
	}
	if cfg.Rate == 0 {
		cfg.Rate = 10
	}
	if cfg.Burst == 0 {
		cfg.Burst = 60
	}
	if cfg.Names == nil {
		cfg.Names = func(id notice.OrgID) string { return string(id) }
	}
	pages, err := template.ParseFS(files, "templates/*.html")
	if err != nil {
		return nil, fmt.Errorf("%s: %w", op, err)
	}
	style, err := files.ReadFile("templates/page.css")
	if err != nil {
		return nil, fmt.Errorf("%s: %w", op, err)
	}
	h := &Handler{
		base: base, key: cfg.Key, names: cfg.Names, notices: notices, now: now, log: log,
		codes: web.NewCodes(), limiter: web.NewLimiter(cfg.Rate, cfg.Burst, now), pages: pages, style: web.Style(style),
	}
	if h.serve, err = h.routes(); err != nil {
		return nil, fmt.Errorf("%s: %w", op, err)
	}
	return h, nil
}

// Link is the URL of the page of a notice, for one attempt to send it.
func (h *Handler) Link(noticeID string, attempt uint32) string {
	return (&url.URL{Scheme: h.base.Scheme, Host: h.base.Host, Path: pathOf(NewToken(h.key, noticeID, attempt))}).String()
}

// ServeHTTP answers a request.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) { h.serve.ServeHTTP(w, r) }

func (h *Handler) routes() (http.Handler, error) {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /assets/page.css", h.css)
	mux.HandleFunc("GET /n/{token}", h.cover)
	mux.HandleFunc("POST /n/{token}/code", h.sendCode)
	mux.HandleFunc("GET /n/{token}/code", h.enterCode)
	mux.HandleFunc("POST /n/{token}/open", h.open)
	mux.HandleFunc("GET /n/{token}/notice", h.show)
	mux.HandleFunc("POST /n/{token}/acknowledge", h.acknowledge)
	mux.HandleFunc("POST /n/{token}/reply", h.reply)
	mux.HandleFunc("POST /n/{token}/not-at-setting", h.notAtSetting)
	mux.HandleFunc("GET /n/{token}/done", h.done)
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { h.gone(w) })

	own, err := web.SameOrigin(h.base, mux, func(w http.ResponseWriter, _ *http.Request) {
		h.message(w, http.StatusForbidden, "This did not come from the notice page",
			"Open the link in your email again and use the buttons on the page.")
	})
	if err != nil {
		return nil, err
	}
	return h.protect(own), nil
}

// protect does what every request needs, whatever its path.
func (h *Handler) protect(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		web.Protect(header)
		if !h.limiter.Allow(r) {
			header.Set("Retry-After", "30")
			h.message(w, http.StatusTooManyRequests, "Too many requests", "Wait half a minute and try again.")
			return
		}
		if r.Method == http.MethodHead { // asked by programs only: nothing is looked up for them
			header.Set("Content-Type", "text/html; charset=utf-8")
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, largestForm)
		next.ServeHTTP(w, r)
	})
}
