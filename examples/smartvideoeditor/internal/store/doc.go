// Package store keeps checkpoints of jobs in SQL. If a process is killed, the next one continues
// its jobs from their last finished stages.
//
// The outcome of a job is stored before it is counted. If the process dies in between, the job is
// done but not counted; it is never counted twice.
package store
