package report

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"time"
	"unicode"

	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"

	"github.com/signalbox-hq/signalbox/services/web"
)

const (
	codesPerDesk = 20 // an hour, whoever asks: a mailbox is not to be flooded
	postmen      = 4
	mostLetters  = 128
	letterWithin = time.Minute
)

// letter is a code on its way to a desk.
type letter struct {
	desk Desk
	key  string
	code string
}

// Run sends the codes that are asked for, until the context ends. They are not sent while the request waits: an address
// that is known would be told by the time that its answer takes.
func (h *Handler) Run(ctx context.Context) error {
	var group errgroup.Group
	for range postmen {
		group.Go(func() error {
			for {
				select {
				case <-ctx.Done():
					return nil
				case l := <-h.letters:
					h.deliver(ctx, l)
				}
			}
		})
	}
	return group.Wait()
}

func (h *Handler) deliver(ctx context.Context, l letter) {
	ctx, cancel := context.WithTimeout(ctx, letterWithin)
	defer cancel()
	if err := h.desks.SendCode(ctx, l.desk, l.code); err != nil {
		h.codes.TakeBack(l.key, l.code)
		h.log.Warn("a desk's code could not be sent", zap.String("contact", l.desk.Contact), zap.Error(err))
	}
}

// asked counts the codes of each desk within the hour.
type asked struct {
	mu    sync.Mutex
	times map[string][]time.Time
}

// allow says whether a desk may have another code. There are no more desks than the directory has.
func (a *asked) allow(contact string, now time.Time) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	recent := a.times[contact]
	for len(recent) > 0 && now.Sub(recent[0]) >= time.Hour {
		recent = recent[1:]
	}
	if len(recent) >= codesPerDesk {
		a.times[contact] = recent
		return false
	}
	a.times[contact] = append(recent, now)
	return true
}

// signIn takes the address of who wants a code. The answer is the same for every address, and so is its time.
func (h *Handler) signIn(w http.ResponseWriter, r *http.Request) {
	if !h.read(w, r) {
		return
	}
	p := h.page("Sign in to report an incident")
	p.Address = strings.TrimSpace(r.PostForm.Get("address"))
	if len(p.Address) > 254 || strings.Count(p.Address, "@") != 1 {
		p.Problems = []complaint{{Name: "address", Text: "Give your desk's email address, such as desk@agency.example."}}
		h.render(w, http.StatusUnprocessableEntity, "signin", p)
		return
	}
	ask := h.ask(w, r)
	if d, ok := h.desks.Find(p.Address); ok {
		h.issue(d, ask)
	}
	p.Title = "Enter your code"
	h.render(w, http.StatusOK, "code", p)
}

func (h *Handler) issue(d Desk, ask string) {
	now := h.now()
	if !h.asked.allow(d.Contact, now) {
		h.log.Warn("a desk is asked codes for too often: no more are sent within the hour", zap.String("contact", d.Contact))
		return
	}
	key := personKey(d, ask)
	code, ok, err := h.codes.Issue(key, now)
	if err != nil || !ok {
		h.log.Warn("no code was made for a desk", zap.String("contact", d.Contact), zap.Error(err))
		return
	}
	select {
	case h.letters <- letter{d, key, code}:
	default:
		h.codes.TakeBack(key, code)
		h.log.Warn("codes are asked for faster than they can be sent", zap.String("contact", d.Contact))
	}
}

// open takes a code. Whatever is wrong with it is said in the same words: that one was sent at all is not to be seen.
func (h *Handler) open(w http.ResponseWriter, r *http.Request) {
	if !h.read(w, r) {
		return
	}
	code := strings.Map(func(c rune) rune {
		if unicode.IsSpace(c) || c == '-' {
			return -1
		}
		return c
	}, r.PostForm.Get("code"))
	address := strings.TrimSpace(r.PostForm.Get("address"))
	d, known := h.desks.Find(address)
	ask, err := r.Cookie(askCookie)
	if known && err == nil && len(code) == 6 && h.codes.Try(personKey(d, ask.Value), code, h.now()) == web.CodeRight {
		h.log.Info("a desk signed in", zap.String("contact", d.Contact), zap.String("agency", string(d.Agency)))
		http.SetCookie(w, h.session(d, h.now(), h.now()))
		http.Redirect(w, r, root, http.StatusSeeOther)
		return
	}
	p := h.page("Enter your code")
	p.Address = address
	p.Problems = []complaint{{Name: "code", Text: "That code does not work. Enter the 6 figures of the newest email in the browser that asked for it, or ask for a new code."}}
	h.render(w, http.StatusUnprocessableEntity, "code", p)
}

func (h *Handler) signOut(w http.ResponseWriter, r *http.Request) {
	gone := cookie(sessionCookie, "", 0)
	gone.MaxAge = -1
	http.SetCookie(w, gone)
	http.Redirect(w, r, root, http.StatusSeeOther)
}
