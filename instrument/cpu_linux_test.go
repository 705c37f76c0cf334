package instrument_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/instrumenttest"
)

// A snapshot has the CPU time that the processes of a stalled stage have used since: none for a
// process that was stopped, some for one that works. It does not confuse them with those of another
// stage of the same name.
func TestProcessesOfAStalledStage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, _ := instrumenttest.New(t, instrument.WithDetails())
		ctx, job := p.StartJob(t.Context(), "job-1")
		defer job.End(nil)
		start := func(chunk float64) (context.Context, int) {
			ctx, stage := instrument.StartStage(ctx, "rendering")
			instrument.ReportProgress(ctx, chunk, 100)
			process, err := instrument.StartProcess(ctx, exec.Command(shellNamed(t, "ffmpeg"), "-c", "while :; do :; done"))
			if err != nil {
				t.Fatal(err)
			}
			pid := onlyJob(t, p).Processes[int(chunk)].PID
			t.Cleanup(func() {
				_ = syscall.Kill(pid, syscall.SIGKILL)
				_ = process.Wait()
				stage.End(nil)
			})
			return ctx, pid
		}
		_, pid := start(0)
		time.Sleep(time.Second)
		busy, _ := start(1)
		if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
			t.Fatal(err)
		}
		for !isStopped(t, pid) {
		}
		time.Sleep(8 * time.Second)
		instrument.ReportProgress(busy, 2, 100)
		time.Sleep(5 * time.Second)
		j := onlyJob(t, p)
		if j.Stages[0].Stalled.IsZero() || !j.Stages[1].Stalled.IsZero() {
			t.Fatalf("%+v, want the first stalled", j.Stages)
		}
		if one := j.Processes[0]; !one.CPUSince.IsZero() || !one.StageStart.Equal(j.Stages[0].Start) || one.StageStart.Equal(j.Stages[1].Start) {
			t.Errorf("%+v, want nothing known of its CPU time yet", one)
		}
		since := time.Now()
		time.Sleep(4 * time.Second)
		j = onlyJob(t, p)
		if one, two := j.Processes[0], j.Processes[1]; !one.CPUSince.Equal(since) || one.CPU != 0 || !two.CPUSince.IsZero() {
			t.Errorf("%+v and %+v, want no CPU time since %v, and nothing of the second", one, two, since)
		}
		if err := syscall.Kill(pid, syscall.SIGCONT); err != nil {
			t.Fatal(err)
		}
		for range 1_000_000 {
			if onlyJob(t, p).Processes[0].CPU > 0 {
				return
			}
		}
		t.Error("a process that works uses no CPU time")
	})
}

func isStopped(t *testing.T, pid int) bool {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		t.Fatal(err)
	}
	return bytes.HasPrefix(text[bytes.LastIndexByte(text, ')')+1:], []byte(" T "))
}
