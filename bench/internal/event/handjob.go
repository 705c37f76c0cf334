package event

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

// A handJob is what a program without stagemeter keeps of a job: what it has spent, and what it may.
type handJob struct {
	id    string
	start time.Time

	mu    sync.Mutex
	limit float64 // 0: no budget
	total float64
	spent map[string]float64 // by API
}

var errBudget = errors.New("the budget is spent")

// admit asks the budget.
func (j *handJob) admit() error {
	if j.limit == 0 {
		return nil
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.total >= j.limit {
		return errBudget
	}
	return nil
}

func (j *handJob) spend(api string, cost float64) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.total += cost
	if j.spent == nil {
		j.spent = make(map[string]float64)
	}
	j.spent[api] += cost
}

// cost is what the job has spent.
func (j *handJob) cost() float64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.total
}

// handJobs are the jobs under way, for the metrics that show them.
type handJobs struct {
	mu   sync.Mutex
	live map[string]*handJob
}

func newHandJobs() *handJobs { return &handJobs{live: make(map[string]*handJob)} }

func (js *handJobs) start(id string, limit float64) *handJob {
	j := &handJob{id: id, start: time.Now(), limit: limit}
	js.mu.Lock()
	defer js.mu.Unlock()
	js.live[id] = j
	return j
}

func (js *handJobs) end(j *handJob) {
	js.mu.Lock()
	defer js.mu.Unlock()
	delete(js.live, j.id)
}

// observe tells how many jobs there are, and what each has spent and has left.
func (js *handJobs) observe(count func(int), cost func(id, api string, usd float64), remaining func(id string, usd float64)) {
	js.mu.Lock()
	defer js.mu.Unlock()
	count(len(js.live))
	for id, j := range js.live {
		j.mu.Lock()
		for api, usd := range j.spent {
			cost(id, api, usd)
		}
		if j.limit > 0 {
			remaining(id, j.limit-j.total)
		}
		j.mu.Unlock()
	}
}

// The metrics that are observed.
const (
	inProgressName = "video_processing_jobs_in_progress"
	jobCostName    = "video_processing_job_cost_usd"
	remainingName  = "video_processing_budget_remaining_usd"
)

// observe has the SDK observe the jobs.
func (o *otelSDK) observe(js *handJobs) {
	count, err1 := o.meter.Int64ObservableUpDownCounter(metricOf(inProgressName).Name)
	cost, err2 := o.meter.Float64ObservableGauge(metricOf(jobCostName).Name, metric.WithUnit(metricOf(jobCostName).Unit))
	left, err3 := o.meter.Float64ObservableGauge(metricOf(remainingName).Name, metric.WithUnit(metricOf(remainingName).Unit))
	_, err4 := o.meter.RegisterCallback(func(_ context.Context, ob metric.Observer) error {
		js.observe(
			func(n int) { ob.ObserveInt64(count, int64(n)) },
			func(id, api string, usd float64) {
				ob.ObserveFloat64(cost, usd, metric.WithAttributes(attribute.String("job_id", id), attribute.String("api", api)))
			},
			func(id string, usd float64) {
				ob.ObserveFloat64(left, usd, metric.WithAttributes(attribute.String("job_id", id)))
			})
		return nil
	}, count, cost, left)
	o.errs = append(o.errs, err1, err2, err3, err4)
}

// jobsCollector is a collector of client_golang that observes the jobs.
type jobsCollector struct {
	jobs              *handJobs
	count, cost, left *prometheus.Desc
}

func (r *promRegistry) observe(js *handJobs) {
	r.registry.MustRegister(&jobsCollector{
		jobs:  js,
		count: prometheus.NewDesc(inProgressName, metricOf(inProgressName).Brief, nil, nil),
		cost:  prometheus.NewDesc(jobCostName, metricOf(jobCostName).Brief, []string{"job_id", "api"}, nil),
		left:  prometheus.NewDesc(remainingName, metricOf(remainingName).Brief, []string{"job_id"}, nil),
	})
}

func (c *jobsCollector) Describe(ch chan<- *prometheus.Desc) {
	ch <- c.count
	ch <- c.cost
	ch <- c.left
}

func (c *jobsCollector) Collect(ch chan<- prometheus.Metric) {
	c.jobs.observe(
		func(n int) { ch <- prometheus.MustNewConstMetric(c.count, prometheus.GaugeValue, float64(n)) },
		func(id, api string, usd float64) {
			ch <- prometheus.MustNewConstMetric(c.cost, prometheus.GaugeValue, usd, id, api)
		},
		func(id string, usd float64) {
			ch <- prometheus.MustNewConstMetric(c.left, prometheus.GaugeValue, usd, id)
		})
}
