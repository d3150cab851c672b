package app

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/signalbox-hq/signalbox/services/alarm"
	"github.com/signalbox-hq/signalbox/services/identity"
	"github.com/signalbox-hq/signalbox/services/notice"
)

// beatWithin bounds one heartbeat.
const beatWithin = 10 * time.Second

// heart tells somebody outside, again and again, that this instance is well. Silence is the alarm: it also tells of what
// this instance cannot tell any more.
type heart struct {
	url    string
	token  string
	body   map[bool][]byte // by whether it leads
	client *http.Client

	mu      sync.Mutex
	failing time.Time // since when none was taken; zero where the last one was
	reason  string
}

// newHeart reads the watcher's address and secrets; nil is that there is no watcher.
func newHeart(c HeartbeatConfig, instance string) (*heart, error) {
	const op = "app.New"
	if c.URL == "" && c.URLFile == "" {
		return nil, nil
	}
	h := &heart{url: c.URL, body: map[bool][]byte{}}
	for _, f := range []struct {
		field, path string
		into        *string
	}{{"heartbeat.url_file", c.URLFile, &h.url}, {"heartbeat.token_file", c.TokenFile, &h.token}} {
		if f.path == "" {
			continue
		}
		text, err := os.ReadFile(f.path)
		if err != nil {
			return nil, notice.Fault(notice.Invalid, op, fmt.Errorf("%s: %w", f.field, err))
		}
		*f.into = strings.TrimSpace(string(text))
	}
	if u, err := url.Parse(h.url); err != nil || u.Scheme != "https" || u.Host == "" {
		return nil, notice.Faultf(notice.Invalid, op, "heartbeat.url_file: the file holds no https address")
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if c.Roots != "" {
		roots, err := identity.LoadRoots(c.Roots)
		if err != nil {
			return nil, err
		}
		config.RootCAs = roots
	}
	for leads, status := range map[bool]string{true: "leads", false: "stands by"} {
		body, err := json.Marshal(map[string]string{"instance": instance, "status": status})
		if err != nil {
			return nil, notice.Fault(notice.Internal, op, err)
		}
		h.body[leads] = body
	}
	h.client = &http.Client{
		Timeout: beatWithin,
		Transport: &http.Transport{
			Proxy: http.ProxyFromEnvironment, TLSClientConfig: config, ForceAttemptHTTP2: true, IdleConnTimeout: 30 * time.Second,
		},
		// A redirect would take the token elsewhere.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return h, nil
}

// fared says how the last heartbeats fared.
func (h *heart) fared() alarm.Heartbeat {
	if h == nil {
		return alarm.Heartbeat{}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	fared := alarm.Heartbeat{Configured: true, Reason: h.reason}
	if !h.failing.IsZero() {
		fared.NotTaken = time.Since(h.failing)
	}
	return fared
}

// beat sends one heartbeat.
func (h *heart) beat(ctx context.Context, leads bool) {
	reason := h.post(ctx, leads)
	if ctx.Err() != nil {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.reason = reason
	switch {
	case reason == "":
		h.failing = time.Time{}
	case h.failing.IsZero():
		h.failing = time.Now()
	}
}

// post says why a heartbeat was not taken. The address may be a secret: it is in no reason.
func (h *heart) post(ctx context.Context, leads bool) string {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, h.url, bytes.NewReader(h.body[leads]))
	if err != nil {
		return "the address cannot be used"
	}
	request.Header.Set("Content-Type", "application/json")
	if h.token != "" {
		request.Header.Set("Authorization", "Bearer "+h.token)
	}
	response, err := h.client.Do(request)
	if err != nil {
		var failed *url.Error
		if errors.As(err, &failed) {
			err = failed.Err
		}
		return err.Error()
	}
	_, _ = io.Copy(io.Discard, io.LimitReader(response.Body, 64<<10)) // so that the connection is kept; what it says is not ours
	_ = response.Body.Close()
	if response.StatusCode/100 != 2 {
		return fmt.Sprintf("the watcher answered %d", response.StatusCode)
	}
	return ""
}

// runHeartbeat sends heartbeats for as long as this instance is well: what it last saw is of now, and nothing is raised that
// keeps people from being told.
func (s *Service) runHeartbeat(ctx context.Context) error {
	h := s.guard.heart
	if h == nil {
		<-ctx.Done()
		return nil
	}
	defer h.client.CloseIdleConnections()
	tick := time.NewTicker(s.config.Heartbeat.Every)
	defer tick.Stop()
	well := true
	for {
		seen, fresh := s.guard.fresh()
		if is := fresh && alarm.Well(seen.alarms); seen != nil && is != well {
			well = is
			s.log.Warn("heartbeat", zap.Bool("sent", well))
		}
		if fresh && well {
			h.beat(ctx, s.guard.leads.Load())
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}
