// Package push sends metrics and spans to a receiver over OTLP, or to the console.
//
// A [Pusher] collects metrics from a [collect.Source] and exports them at its pace; package metric
// of the SDK has a periodic reader for that, which would end the program if a callback panicked.
// A [Queue] batches spans and counts what becomes of them. [MetricExporter] and [SpanExporter]
// connect to a [settings.Destination]. [Failures] counts and logs the exports of one signal that
// fail.
//
// Both signals send through a sender and a delivery, which cut data into requests that the receiver
// takes, retry what may be retried, and wait if the receiver asks for it. judge classifies the
// answers.
//
// It imports report, settings and collect.
package push
