package main

import (
	"go/token"
	"slices"
	"strings"
)

// registry is the resolved and valid form of the YAML files: what the
// templates are given. Everything is in the order of the files.
type registry struct {
	Attributes []*attr   // sorted by key
	Enums      []*enum   // sorted by name
	Buckets    []buckets // in the order of first use
	Metrics    []*metric
}

// chapter is what one file of the registry holds.
type chapter struct {
	File    string // jobs.yaml
	Metrics []*metric
}

// Chapters groups the metrics by file.
func (r *registry) Chapters() []chapter {
	var chapters []chapter
	for _, m := range r.Metrics {
		if n := len(chapters); n > 0 && chapters[n-1].File == m.File {
			chapters[n-1].Metrics = append(chapters[n-1].Metrics, m)
			continue
		}
		chapters = append(chapters, chapter{File: m.File, Metrics: []*metric{m}})
	}
	return chapters
}

// OfPipeline returns the metrics that package instrument records.
func (r *registry) OfPipeline() []*metric {
	var found []*metric
	for _, m := range r.Metrics {
		if m.OfPipeline() {
			found = append(found, m)
		}
	}
	return found
}

// attr is the definition of an attribute.
type attr struct {
	Key       string // error.type
	GoName    string // ErrorType
	Label     string // error_type
	Stability string
	Brief     string
	Note      string
	Examples  []string
	Members   []member // nil if the set of values is open
	GoType    string   // of a closed set that is the same everywhere
}

// enum is a Go type for a closed set of an attribute's values.
type enum struct {
	GoType  string
	Attr    *attr
	Members []enumMember
}

type enumMember struct {
	GoName string // JobStatusQueued
	Value  string
	Brief  string
}

// buckets is a list of histogram boundaries with the Go variable that holds
// it.
type buckets struct {
	Name   string // duration
	GoName string // durationBuckets
	Bounds []float64
}

type metric struct {
	File       string // jobs.yaml
	Name       string // video.processing.jobs
	GoName     string // Jobs
	Instrument string // counter
	Double     bool
	Async      bool
	Unit       string
	Stability  string
	Brief      string
	Note       string
	Prometheus string
	RecordedBy []string
	Buckets    *buckets // of a histogram alone
	Attrs      []metricAttr
}

// OfPipeline reports whether a pipeline records m: for a function of package
// instrument, which has no package before its name, or of package aihttp, which
// measures by pipelines. A function such as exporters.Start records by itself.
func (m *metric) OfPipeline() bool {
	return slices.ContainsFunc(m.RecordedBy, func(name string) bool { return token.IsExported(name) || strings.HasPrefix(name, "aihttp.") })
}

// metricAttr is an attribute as one metric uses it.
type metricAttr struct {
	*attr
	GoType  string   // empty if the set of values is open
	Values  []string // nil if the set of values is open
	Known   []string // of an open set: the values that the SDK itself records
	OptIn   bool
	RefNote string // what is special about it here
}
