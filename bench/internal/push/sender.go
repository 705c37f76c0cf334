package push

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetricgrpc"
	"go.opentelemetry.io/otel/metric"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"

	"github.com/stagemeter/stagemeter/bench/internal/workload"
	"github.com/stagemeter/stagemeter/exporters"
)

// The rivals.
const (
	ours     = "stagemeter"
	upstream = "OTel exporter"
)

// never is longer than the program runs: pushes are made when they are asked for.
const never = 24 * time.Hour

// A sender holds a workload and pushes it to a receiver of its own.
type sender struct {
	*workload.Instruments
	receiver *receiver
	flush    func(context.Context) error
	stop     func(context.Context) error
}

func newOurs(c workload.Workload, traced bool) (*sender, error) {
	return newSender(c, traced, func(r *receiver) (metric.MeterProvider, *sender, error) {
		tel, err := exporters.Start(context.Background(), exporters.WithoutGlobals(), exporters.WithoutPrometheus(), exporters.WithOTLPEndpoint("http://"+r.addr),
			exporters.WithExportInterval(never))
		if err != nil {
			return nil, nil, err
		}
		return tel.MeterProvider(), &sender{flush: tel.ForceFlush, stop: tel.Shutdown}, nil
	})
}

func newUpstream(c workload.Workload, traced bool) (*sender, error) {
	return newSender(c, traced, func(r *receiver) (metric.MeterProvider, *sender, error) {
		e, err := otlpmetricgrpc.New(context.Background(), otlpmetricgrpc.WithEndpoint(r.addr), otlpmetricgrpc.WithInsecure())
		if err != nil {
			return nil, nil, err
		}
		meters := sdkmetric.NewMeterProvider(sdkmetric.WithReader(sdkmetric.NewPeriodicReader(e, sdkmetric.WithInterval(never))))
		return meters, &sender{flush: meters.ForceFlush, stop: meters.Shutdown}, nil
	})
}

func newSender(c workload.Workload, traced bool, start func(*receiver) (metric.MeterProvider, *sender, error)) (*sender, error) {
	r, err := receive()
	if err != nil {
		return nil, err
	}
	meters, s, err := start(r)
	if err != nil {
		r.close()
		return nil, err
	}
	s.receiver = r
	if s.Instruments, err = workload.NewInstruments(workload.Context(traced), meters, c); err != nil {
		return nil, errors.Join(err, s.close())
	}
	c.Fill(s)
	return s, nil
}

// push pushes once and returns when it has arrived.
func (s *sender) push() error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	return s.flush(ctx)
}

func (s *sender) close() error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	err := s.stop(ctx)
	s.receiver.close()
	return err
}

// settled waits until the push that ours makes a second after its start is over: it is not to be timed.
func (s *sender) settled() error {
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		if requests, _ := s.receiver.got(); requests > 0 {
			return nil
		}
	}
	return fmt.Errorf("push: nothing came after the start")
}
