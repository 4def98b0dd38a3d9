package process

import "github.com/coldcurve/coldcurve/platform/reference/sandbox/cgroup"

// Sweep ends what the sandboxes of dead processes have left in control groups,
// and removes the groups. It is for whoever sees such a process die; New does
// it too. What cannot be seen or removed is left.
func Sweep() { cgroup.Sweep() }
