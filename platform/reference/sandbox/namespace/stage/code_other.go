//go:build !amd64 && !arm64

package stage

// There is no stage for this processor: its image is not one.
const machine = 0

const code = ""
