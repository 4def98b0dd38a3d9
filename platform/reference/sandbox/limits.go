package sandbox

import (
	"time"

	"github.com/coldcurve/coldcurve/analysis/units"
)

// Limits are a platform's rules for what an instance may use, as data: each
// figure stands in Sources with where it is written.
type Limits struct {
	// MemoryPerCPU is the memory size that comes with exactly one vCPU; the
	// CPU share of another size is in proportion. In bytes, > 0.
	MemoryPerCPU units.Bytes
	// CPUPeriod is the period over which the CPU share is enforced, > 0.
	CPUPeriod time.Duration
	// Response is the most bytes of a synchronous response, > 0.
	Response units.Bytes
	// LogTail is the most bytes of log that come back with an invocation, > 0.
	LogTail int
	// Processes is the most processes and threads of an instance, > 0.
	Processes int
	// Files is the most descriptors that a process may have open, > 0, where
	// the sandbox bounds them.
	Files int
	// Sources say where each figure is from.
	Sources []Source
}

// Source is where a figure is written.
type Source struct {
	Figure string // the field of [Limits]
	Where  string
	Date   string // when it was read, YYYY-MM-DD; of a paper when it appeared, YYYY
}

// Lambda gives the limits of AWS Lambda.
func Lambda() Limits {
	const guide = "AWS Lambda Developer Guide, "
	return Limits{
		MemoryPerCPU: 1769 << 20,
		CPUPeriod:    20 * time.Millisecond,
		Response:     6 << 20,
		LogTail:      4 << 10,
		Files:        1024,
		Processes:    1024,
		Sources: []Source{
			{"MemoryPerCPU", guide + `"Configure Lambda function memory": at 1,769 MB a function has the equivalent of one vCPU`, "2026-11-21"},
			{"CPUPeriod", `Lin, Ma, Shahrad: "Demystifying Serverless Costs on Public Platforms", arXiv:2506.01283v2: bandwidth control periods inferred by profiling`, "2025-09-26"},
			{"Response", guide + `"Lambda quotas": 6 MB for a synchronous invocation's request and response`, "2026-11-21"},
			{"Files", guide + `"Lambda quotas": 1,024 file descriptors`, "2026-11-21"},
			{"LogTail", `AWS Lambda API Reference, "Invoke", X-Amz-Log-Result: the last 4 KB of the execution log`, "2026-11-21"},
			{"Processes", guide + `"Lambda quotas": 1,024 execution processes and threads`, "2026-11-22"},
		},
	}
}

// CPUQuota is the CPU time that an instance of that memory size may use in
// each CPUPeriod: memory / MemoryPerCPU * CPUPeriod, over all its threads. It
// exceeds the period where the size comes with more than one vCPU.
func (l Limits) CPUQuota(memory units.Bytes) time.Duration {
	return time.Duration(float64(l.CPUPeriod) * float64(memory) / float64(l.MemoryPerCPU))
}
