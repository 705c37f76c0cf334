package exporters

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	colmetrics "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	coltrace "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	metricspb "go.opentelemetry.io/proto/otlp/metrics/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	_ "google.golang.org/grpc/encoding/gzip"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/stats"
	"google.golang.org/protobuf/proto"
)

// An inbox is what a receiver got.
type inbox struct {
	mu          sync.Mutex
	sums        map[string]float64 // latest value of each sum, over its series
	spans       map[string]int     // by name
	resource    map[string]string
	headers     map[string][]string
	compression string
	requests    int // of metrics
}

func (b *inbox) metrics(req *colmetrics.ExportMetricsServiceRequest) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.requests++
	if b.sums == nil {
		b.sums = map[string]float64{}
	}
	for _, rm := range req.ResourceMetrics {
		b.resource = attributes(rm.Resource.Attributes)
		for _, sm := range rm.ScopeMetrics {
			for _, m := range sm.Metrics {
				total := 0.0
				for _, p := range m.GetSum().GetDataPoints() {
					total += p.GetAsDouble() + float64(p.GetAsInt())
				}
				b.sums[m.Name] = total
			}
		}
	}
}

func (b *inbox) traces(req *coltrace.ExportTraceServiceRequest) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.spans == nil {
		b.spans = map[string]int{}
	}
	for _, rs := range req.ResourceSpans {
		for _, ss := range rs.ScopeSpans {
			for _, s := range ss.Spans {
				b.spans[s.Name]++
			}
		}
	}
}

// sum returns the latest value of a sum, or -1 if it has not come.
func (b *inbox) sum(name string) float64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	if v, ok := b.sums[name]; ok {
		return v
	}
	return -1
}

func (b *inbox) span(name string) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.spans[name]
}

func (b *inbox) header(key string) []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.headers[key]
}

func (b *inbox) encoding() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.compression
}

func (b *inbox) attribute(key string) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.resource[key]
}

func attributes(kvs []*commonpb.KeyValue) map[string]string {
	m := map[string]string{}
	for _, kv := range kvs {
		m[kv.Key] = kv.Value.GetStringValue()
	}
	return m
}

// A receiver is an OTLP receiver over gRPC, like that of a collector.
type receiver struct {
	inbox
	addr   string
	door   *door
	server *grpc.Server
	// onMetrics and onTraces are called first. Their error is the answer.
	onMetrics func(context.Context, *colmetrics.ExportMetricsServiceRequest) error
	onTraces  func(context.Context, *coltrace.ExportTraceServiceRequest) error
	// partial and partialMetrics return the answer to spans and metrics that are accepted in part.
	partial        func() *coltrace.ExportTracePartialSuccess
	partialMetrics func() *colmetrics.ExportMetricsPartialSuccess
}

// newReceiver returns a receiver that is down.
func newReceiver(t *testing.T) *receiver {
	t.Helper()
	d := newDoor(t)
	return &receiver{addr: d.outer.Addr().String(), door: d}
}

// receive starts a receiver.
func receive(t *testing.T) *receiver {
	t.Helper()
	r := newReceiver(t)
	r.up(t)
	return r
}

// up starts r, always on the same address.
func (r *receiver) up(t *testing.T, opts ...grpc.ServerOption) {
	t.Helper()
	l := r.door.open()
	r.server = grpc.NewServer(append(opts, grpc.StatsHandler(r))...)
	colmetrics.RegisterMetricsServiceServer(r.server, metricsService{r: r})
	coltrace.RegisterTraceServiceServer(r.server, traceService{r: r})
	done := make(chan struct{})
	server := r.server
	go func() { defer close(done); _ = server.Serve(l) }()
	t.Cleanup(func() { server.Stop(); <-done })
}

// As a stats handler the receiver records how the last request was compressed: grpc hides it from
// other handlers.
func (r *receiver) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context { return ctx }
func (r *receiver) TagRPC(ctx context.Context, _ *stats.RPCTagInfo) context.Context   { return ctx }
func (r *receiver) HandleConn(context.Context, stats.ConnStats)                       {}
func (r *receiver) HandleRPC(_ context.Context, s stats.RPCStats) {
	if header, ok := s.(*stats.InHeader); ok {
		r.mu.Lock()
		r.compression = header.Compression
		r.mu.Unlock()
	}
}

// down stops r at once, as a crash does.
func (r *receiver) down() {
	r.door.close()
	r.server.Stop()
}

func (r *receiver) url() string { return "http://" + r.addr }

type metricsService struct {
	colmetrics.UnimplementedMetricsServiceServer
	r *receiver
}

func (s metricsService) Export(ctx context.Context, req *colmetrics.ExportMetricsServiceRequest) (*colmetrics.ExportMetricsServiceResponse, error) {
	if s.r.onMetrics != nil {
		if err := s.r.onMetrics(ctx, req); err != nil {
			return nil, err
		}
	}
	if md, ok := metadata.FromIncomingContext(ctx); ok {
		s.r.mu.Lock()
		s.r.headers = md
		s.r.mu.Unlock()
	}
	s.r.metrics(req)
	resp := &colmetrics.ExportMetricsServiceResponse{}
	if s.r.partialMetrics != nil {
		resp.PartialSuccess = s.r.partialMetrics()
	}
	return resp, nil
}

type traceService struct {
	coltrace.UnimplementedTraceServiceServer
	r *receiver
}

func (s traceService) Export(ctx context.Context, req *coltrace.ExportTraceServiceRequest) (*coltrace.ExportTraceServiceResponse, error) {
	if s.r.onTraces != nil {
		if err := s.r.onTraces(ctx, req); err != nil {
			return nil, err
		}
	}
	s.r.traces(req)
	resp := &coltrace.ExportTraceServiceResponse{}
	if s.r.partial != nil {
		resp.PartialSuccess = s.r.partial()
	}
	return resp, nil
}

// hasMetric reports whether a request has a metric called name.
func hasMetric(req *colmetrics.ExportMetricsServiceRequest, name string) bool {
	for _, rm := range req.ResourceMetrics {
		for _, sm := range rm.ScopeMetrics {
			for _, m := range sm.Metrics {
				if m.Name == name {
					return true
				}
			}
		}
	}
	return false
}

// temporality returns the temporality of the sum called name in a request.
func temporality(req *colmetrics.ExportMetricsServiceRequest, name string) metricspb.AggregationTemporality {
	for _, rm := range req.ResourceMetrics {
		for _, sm := range rm.ScopeMetrics {
			for _, m := range sm.Metrics {
				if m.Name == name {
					return m.GetSum().GetAggregationTemporality()
				}
			}
		}
	}
	return metricspb.AggregationTemporality_AGGREGATION_TEMPORALITY_UNSPECIFIED
}

// secured returns the server option for TLS.
func secured(c credentials.TransportCredentials) grpc.ServerOption { return grpc.Creds(c) }

// An httpReceiver is an OTLP receiver over HTTP.
type httpReceiver struct {
	inbox
	server *httptest.Server
	paths  []string     // of the requests
	open   atomic.Int64 // connections
}

// receiveHTTP starts a receiver of OTLP over HTTP. It takes metrics at paths that end in /metrics,
// and traces at all others.
func receiveHTTP(t *testing.T) *httpReceiver {
	t.Helper()
	rec := &httpReceiver{}
	rec.server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil || r.Header.Get("Content-Type") != "application/x-protobuf" {
			http.Error(w, "not protobuf", http.StatusUnsupportedMediaType)
			return
		}
		rec.mu.Lock()
		rec.paths = append(rec.paths, r.URL.Path)
		rec.mu.Unlock()
		var m colmetrics.ExportMetricsServiceRequest
		var tr coltrace.ExportTraceServiceRequest
		if path := r.URL.Path; path[max(0, len(path)-len("metrics")):] == "metrics" {
			if err = proto.Unmarshal(body, &m); err == nil {
				rec.metrics(&m)
			}
		} else if err = proto.Unmarshal(body, &tr); err == nil {
			rec.traces(&tr)
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
		}
	}))
	rec.server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		switch state {
		case http.StateNew:
			rec.open.Add(1)
		case http.StateClosed, http.StateHijacked:
			rec.open.Add(-1)
		}
	}
	rec.server.Start()
	t.Cleanup(rec.server.Close)
	return rec
}

// sortedPaths returns the requested paths, each once.
func (r *httpReceiver) sortedPaths() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Compact(slices.Sorted(slices.Values(r.paths)))
}
