package app

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"runtime"
	"runtime/debug"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/signalbox-hq/signalbox/services/alarm"
	"github.com/signalbox-hq/signalbox/services/ledger"
	"github.com/signalbox-hq/signalbox/services/notice"
)

// metricsServer serves figures to Prometheus and answers probes: plain HTTP, counts and ages, no ids but agencies'.
type metricsServer struct {
	listener net.Listener
	server   *http.Server
}

func (s *Service) openMetrics() error {
	if s.config.Metrics.Listen == "" {
		return nil
	}
	listener, err := net.Listen("tcp", s.config.Metrics.Listen)
	if err != nil {
		return notice.Fault(notice.Unavailable, "app.New", fmt.Errorf("metrics.listen: %w", err))
	}
	s.onClose("metrics listener", func() { _ = listener.Close() }) // closed already after Run
	registry := prometheus.NewRegistry()
	for _, c := range []prometheus.Collector{
		s.guard, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	} {
		if err := registry.Register(c); err != nil {
			return notice.Fault(notice.Internal, "app.New", err)
		}
	}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprintln(w, "alive") })
	mux.HandleFunc("GET /readyz", s.guard.readyz)
	s.metrics = &metricsServer{listener: listener, server: &http.Server{
		Handler: mux, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: 30 * time.Second,
		IdleTimeout: time.Minute, MaxHeaderBytes: 16 << 10,
	}}
	return nil
}

// runMetrics serves until the context ends.
func (s *Service) runMetrics(ctx context.Context) error {
	if s.metrics == nil {
		<-ctx.Done()
		return nil
	}
	served := make(chan error, 1)
	go func() { served <- s.metrics.server.Serve(s.metrics.listener) }()
	select {
	case err := <-served:
		return notice.Fault(notice.Unavailable, "app.runMetrics", err)
	case <-ctx.Done():
	}
	bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	if err := s.metrics.server.Shutdown(bounded); err != nil {
		_ = s.metrics.server.Close() // somebody reads slowly: figures are no loss
	}
	if err := <-served; !errors.Is(err, http.ErrServerClosed) {
		return notice.Fault(notice.Unavailable, "app.runMetrics", err)
	}
	return nil
}

// MetricsAddr is where metrics are served, empty where they are not.
func (s *Service) MetricsAddr() string {
	if s.metrics == nil {
		return ""
	}
	return s.metrics.listener.Addr().String()
}

// readyz says whether this instance has read the ledger, answers, and has a leader in sight.
func (g *guard) readyz(w http.ResponseWriter, _ *http.Request) {
	s, fresh := g.fresh()
	switch {
	case fresh && s.observed.Leaderless > g.settings.Leaderless:
		http.Error(w, "no instance leads", http.StatusServiceUnavailable)
	case !fresh || s.observed.Unanswered > 0:
		http.Error(w, "the engine of this instance does not answer yet", http.StatusServiceUnavailable)
	default:
		_, _ = fmt.Fprintln(w, "ready")
	}
}

// gauge describes a figure.
func gauge(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("signalbox_"+name, help, labels, nil)
}

// Describe sends nothing: which figures there are depends on lanes, phases and agencies.
func (g *guard) Describe(chan<- *prometheus.Desc) {}

// Collect gives the figures of the last look.
func (g *guard) Collect(out chan<- prometheus.Metric) {
	put := func(kind prometheus.ValueType, d *prometheus.Desc, value float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, kind, value, labels...)
	}
	is := func(b bool) float64 {
		if b {
			return 1
		}
		return 0
	}
	const now, ever = prometheus.GaugeValue, prometheus.CounterValue
	put(now, gauge("build_info", "The program that runs; always 1.", "version", "go_version"), 1, version(), runtime.Version())
	put(now, gauge("leader", "Whether this instance leads."), is(g.leads.Load()))
	put(ever, gauge("events_refused_for_room_total", "Calls of this instance that were refused because the store is nearly full."), float64(g.room.refused.Load()))
	s := g.seen.Load()
	if s == nil {
		return
	}
	put(now, gauge("look_age_seconds", "Age of all these figures: they stand still where the guards look no more."), time.Since(s.at).Seconds())
	raised := map[alarm.Code]bool{}
	for _, a := range s.alarms {
		raised[a.Code] = true
	}
	alarms := gauge("alarm", "Whether an alarm is raised.", "alarm", "severity")
	for _, k := range alarm.Kinds() {
		put(now, alarms, is(raised[k.Code]), string(k.Code), k.Severity.String())
	}
	g.collectLedger(s, put)
	g.collectStore(s, put)
}

type putter func(kind prometheus.ValueType, d *prometheus.Desc, value float64, labels ...string)

func (g *guard) collectLedger(s *sight, put putter) {
	const now, ever = prometheus.GaugeValue, prometheus.CounterValue
	notices := gauge("notices", "Notices by their present state.", "phase")
	for phase := ledger.Held; phase <= ledger.Withdrawn; phase++ {
		put(now, notices, float64(s.account.counts[phase]), phase.String())
	}
	waiting := gauge("undispatched", "Notices that could be sent and whose sending has not begun.", "lane")
	oldest := gauge("undispatched_oldest_seconds", "How long the oldest of these waits.", "lane")
	for _, l := range s.observed.Lanes {
		put(now, waiting, float64(l.Count), l.Name)
		put(now, oldest, l.For.Seconds(), l.Name)
	}
	put(now, gauge("undecided", "Lineages that wait for a decision."), float64(s.observed.Undecided.Count))
	put(now, gauge("tasks_open", "Tasks that people have to do."), float64(s.account.openTasks))
	put(now, gauge("tasks_overdue", "Open tasks past their due time."), float64(s.account.lateTasks))
	put(now, gauge("contacts_failing", "Contacts whose mail comes back."), float64(len(s.observed.Failing)))
	put(ever, gauge("ledger_facts_total", "Facts in the ledger."), float64(s.account.facts))
	put(ever, gauge("ledger_packs_total", "Appends to the ledger."), float64(s.packs))
	put(ever, gauge("events_accepted_total", "Events taken in."), float64(s.account.accepted))
	put(ever, gauge("events_refused_total", "Events that were at fault."), float64(s.account.refused))
	s.account.completeness.collect(put)
}

func (g *guard) collectStore(s *sight, put putter) {
	const now = prometheus.GaugeValue
	behind := gauge("publisher_behind_events", "Events of an agency that are not taken in yet.", "agency")
	silent := gauge("publisher_silent_seconds", "Time since an agency last published, in office hours where these are set to count.", "agency")
	for _, p := range s.observed.Publishers {
		put(now, behind, float64(p.Behind), p.Agency)
		put(now, silent, p.Silent.Seconds(), p.Agency)
	}
	put(now, gauge("store_used_bytes", "What is stored."), float64(s.room.Used))
	if s.room.Limit > 0 {
		put(now, gauge("store_limit_bytes", "What may be stored."), float64(s.room.Limit))
	}
	put(now, gauge("store_reserve_bytes", "Room below which new events are refused."), float64(g.room.reserve))
	refusing := 0.0
	if s.observed.Store.Refusing {
		refusing = 1
	}
	put(now, gauge("store_refusing", "Whether new events are refused because the store is nearly full."), refusing)
}

// version is the program's, as it was built.
func version() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		return info.Main.Version
	}
	return ""
}
