package push

import (
	"context"
	"net"
	"slices"
	"sync"

	colmetrics "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/proto"
)

// A receiver takes metrics over OTLP and gRPC, with the limit of 4 MiB for a message that gRPC has by default. It
// answers without a look at what it got, which a collector would have to decode, so that the sender's time is not
// hidden behind it.
type receiver struct {
	addr   string
	server *grpc.Server
	done   chan struct{}

	mu       sync.Mutex
	keep     bool
	kept     [][]byte
	requests int
	bytes    int
}

func receive() (*receiver, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	r := &receiver{addr: l.Addr().String(), server: grpc.NewServer(grpc.ForceServerCodecV2(rawCodec{})), done: make(chan struct{})}
	r.server.RegisterService(&grpc.ServiceDesc{
		ServiceName: "opentelemetry.proto.collector.metrics.v1.MetricsService",
		Methods:     []grpc.MethodDesc{{MethodName: "Export", Handler: r.export}},
	}, nil)
	go func() { defer close(r.done); _ = r.server.Serve(l) }() // it ends by close
	return r, nil
}

func (r *receiver) close() { r.server.Stop(); <-r.done }

func (r *receiver) export(_ any, _ context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
	var body []byte
	if err := decode(&body); err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.requests++
	r.bytes += len(body)
	if r.keep {
		r.kept = append(r.kept, body)
	}
	return &colmetrics.ExportMetricsServiceResponse{}, nil
}

// got returns what came since the last time.
func (r *receiver) got() (requests, bytes int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	requests, bytes = r.requests, r.bytes
	r.requests, r.bytes = 0, 0
	return requests, bytes
}

// during keeps the requests that come while push runs.
func (r *receiver) during(push func() error) ([][]byte, error) {
	r.mu.Lock()
	r.keep, r.kept = true, nil
	r.mu.Unlock()
	err := push()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.keep = false
	return slices.Clone(r.kept), err
}

// rawCodec leaves requests as they are.
type rawCodec struct{}

func (rawCodec) Name() string { return "proto" }

func (rawCodec) Marshal(v any) (mem.BufferSlice, error) {
	b, err := proto.Marshal(v.(proto.Message))
	return mem.BufferSlice{mem.SliceBuffer(b)}, err
}

func (rawCodec) Unmarshal(data mem.BufferSlice, v any) error {
	*v.(*[]byte) = data.Materialize()
	return nil
}
