// Package store keeps checkpoints of jobs in SQL. If a process is killed, the next one continues
// its jobs from their last finished stages.
//
// The money is in the ledger of package sqlledger, in the same database: what a call may cost is
// there before the call is made. If the process is killed in the call, that counts as spent once
// the lease of the call is over.
//
// The outcome of a job is stored before it is counted. If the process dies in between, the job is
// done but not counted; it is never counted twice.
package store
