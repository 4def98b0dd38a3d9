// Package units owns quantities that people write and read: bytes, rates,
// shares, durations, counts.
package units

// Bytes is a size in bytes. MB and GB are binary, as the providers' are.
type Bytes int64

// Rate is events per second.
type Rate float64
