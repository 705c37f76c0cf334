package main

import (
	"os"
	"path/filepath"
	"runtime"
	"runtime/pprof"

	"github.com/stagemeter/stagemeter/bench/internal/figures"
)

// profiled measures a section, and writes its profiles to a folder if there is one.
func profiled(folder, name string, measure func() (figures.Section, error)) (figures.Section, error) {
	if folder == "" {
		return measure()
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return figures.Section{}, err
	}
	cpu, err := os.Create(filepath.Join(folder, name+".cpu.pprof"))
	if err != nil {
		return figures.Section{}, err
	}
	defer cpu.Close()
	if err := pprof.StartCPUProfile(cpu); err != nil {
		return figures.Section{}, err
	}
	made, err := measure()
	pprof.StopCPUProfile()
	if err != nil {
		return made, err
	}
	heap, err := os.Create(filepath.Join(folder, name+".mem.pprof"))
	if err != nil {
		return made, err
	}
	defer heap.Close()
	runtime.GC() // the profile of allocations is as of the last collection
	return made, pprof.Lookup("allocs").WriteTo(heap, 0)
}
