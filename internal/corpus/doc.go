// Package corpus makes programs that measure: every kind of instrument, hostile names, attributes and values, over
// several scrapes. Each comes from some bytes, so that a seed gives a whole corpus and a fuzzer finds its way into
// every corner of it.
//
// It is for tests that compare two ways of showing one program's metrics. [Program.Unsettled] tells which metrics
// two ways may rightly show differently.
package corpus
