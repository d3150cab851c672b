package report

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"strings"
	"time"

	"go.uber.org/zap"

	"github.com/signalbox-hq/signalbox/services/notice"
	"github.com/signalbox-hq/signalbox/services/web"
)

// Config says where the page is.
type Config struct {
	BaseURL string     // https URL without a path, as people reach it
	Key     notice.Key // of sessions
	Live    bool       // reports are live; otherwise they are exercises
	London  *time.Location
	Rate    float64 // requests a second from one client address; 0 is 10
	Burst   int     // and at once; 0 is 60
}

// Handler serves the page at /report and below it.
type Handler struct {
	base     *url.URL
	key      notice.Key
	live     bool
	london   *time.Location
	desks    Desks
	entrance Entrance
	now      func() time.Time
	log      *zap.Logger
	codes    *web.Codes
	asked    asked
	letters  chan letter
	limiter  *web.Limiter
	entering *web.Limiter // of addresses and codes
	pages    *template.Template
	style    []byte
	serve    http.Handler
}

//go:embed templates/*.html templates/report.css
var files embed.FS

// largestForm is more than the longest texts of the most children take, three characters for each byte that a browser
// escapes.
const largestForm = 1 << 20

// New checks the configuration and makes the handler.
func New(cfg Config, desks Desks, entrance Entrance, now func() time.Time, log *zap.Logger) (*Handler, error) {
	const op = "report.New"
	base, err := url.Parse(cfg.BaseURL)
	if err != nil || base.Scheme != "https" || base.Host == "" {
		return nil, notice.Fault(notice.Invalid, op, errors.New("base URL: give https:// and a host"))
	}
	if cfg.Key == (notice.Key{}) || cfg.London == nil {
		return nil, notice.Fault(notice.Invalid, op, errors.New("give the deployment's key, and the time zone"))
	}
	if cfg.Rate == 0 {
		cfg.Rate = 10
	}
	if cfg.Burst == 0 {
		cfg.Burst = 60
	}
	pages, err := template.ParseFS(files, "templates/*.html")
	if err != nil {
		return nil, fmt.Errorf("%s: %w", op, err)
	}
	style, err := files.ReadFile("templates/report.css")
	if err != nil {
		return nil, fmt.Errorf("%s: %w", op, err)
	}
	h := &Handler{
		base: base, key: cfg.Key, live: cfg.Live, london: cfg.London, desks: desks, entrance: entrance, now: now, log: log,
		codes: web.NewCodes(), asked: asked{times: make(map[string][]time.Time)}, letters: make(chan letter, mostLetters),
		limiter: web.NewLimiter(cfg.Rate, cfg.Burst, now), entering: web.NewLimiter(cfg.Rate/20, max(cfg.Burst/2, 1), now),
		pages: pages, style: web.Style(style),
	}
	if h.serve, err = h.routes(); err != nil {
		return nil, fmt.Errorf("%s: %w", op, err)
	}
	return h, nil
}

// ServeHTTP answers a request.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) { h.serve.ServeHTTP(w, r) }

func (h *Handler) routes() (http.Handler, error) {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+root, h.start)
	mux.HandleFunc("GET "+root+"/report.css", h.css)
	mux.HandleFunc("POST "+root+"/sign-in", h.slowly(h.signIn))
	mux.HandleFunc("POST "+root+"/open", h.slowly(h.open))
	mux.HandleFunc("POST "+root+"/sign-out", h.signOut)
	mux.HandleFunc("POST "+root, h.fillIn)
	mux.HandleFunc("POST "+root+"/send", h.send)
	mux.HandleFunc("POST "+root+"/withdraw", h.withdraw)
	mux.HandleFunc("GET "+root+"/sent/{key}", h.look)
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		h.message(w, http.StatusNotFound, "There is nothing here", "Begin again at the page where incidents are reported.")
	})
	own, err := web.SameOrigin(h.base, mux, func(w http.ResponseWriter, _ *http.Request) {
		h.message(w, http.StatusForbidden, "This did not come from our page", "Begin again at the page where incidents are reported.")
	})
	if err != nil {
		return nil, err
	}
	return h.protect(own), nil
}

func (h *Handler) protect(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		web.Protect(w.Header())
		if !h.limiter.Allow(r) {
			h.tooMany(w)
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, largestForm)
		next.ServeHTTP(w, r)
	})
}

// slowly bounds how often a client may give addresses and codes.
func (h *Handler) slowly(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if !h.entering.Allow(r) {
			h.tooMany(w)
			return
		}
		next(w, r)
	}
}

func (h *Handler) tooMany(w http.ResponseWriter) {
	w.Header().Set("Retry-After", "60")
	h.message(w, http.StatusTooManyRequests, "Too many requests", "Wait a minute and try again.")
}

// read reads the form that came. It has answered where it says false.
func (h *Handler) read(w http.ResponseWriter, r *http.Request) bool {
	err := r.ParseForm()
	var tooLarge *http.MaxBytesError
	switch {
	case err == nil && strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded"):
		return true
	case errors.As(err, &tooLarge):
		h.message(w, http.StatusRequestEntityTooLarge, "The form is too long", "Go back, shorten its texts, and try again.")
	default:
		h.message(w, http.StatusBadRequest, "The form could not be read", "Go back and try again.")
	}
	return false
}

// pageData is what a page is given.
type pageData struct {
	Title    string
	Exercise bool
	Desk     string // the agency signed in, or empty
	Address  string
	Text     string
	Problems []complaint
	Sections []section
	Hidden   []field
	Action   string // path that the form goes to
	Correct  bool   // the report corrects another
	Sent     *sentData
	Warnings []complaint
}

// sentData is what is said of a report that was taken in.
type sentData struct {
	Reference string // the publisher's, where it is at hand
	Number    string // ours
	Event     string // as an operator names it, where it is at hand
	Path      string // of the page that says where it stands
	Children  []sentChild
}

type sentChild struct{ Name, State string }

func (h *Handler) page(title string) pageData { return pageData{Title: title, Exercise: !h.live} }

func (h *Handler) deskPage(title string, d Desk) pageData {
	p := h.page(title)
	p.Desk = d.Organisation
	return p
}

func (h *Handler) render(w http.ResponseWriter, status int, name string, p pageData) {
	var b bytes.Buffer
	if err := h.pages.ExecuteTemplate(&b, name+".html", p); err != nil {
		h.log.Error("a page could not be made", zap.String("page", name), zap.Error(err))
		http.Error(w, "This page could not be made. Try again, or telephone.", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = b.WriteTo(w)
}

func (h *Handler) message(w http.ResponseWriter, status int, title, text string) {
	p := h.page(title)
	p.Text = text
	h.render(w, status, "message", p)
}

func (h *Handler) css(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/css; charset=utf-8")
	w.Header().Set("Cache-Control", "public, max-age=3600")
	_, _ = w.Write(h.style)
}
