// Package store keeps checkpoints: what has been done of a job, in SQL, so that a process that was killed is followed
// by one that goes on where it stopped.
//
// A job's outcome is written before it is counted. A process that dies between the two leaves a job that is done
// and was not counted, never one that is counted twice.
package store
