package engine

import "github.com/coldcurve/coldcurve/platform"

// history keeps the lives of instances that are gone, the first limit of them,
// and counts the rest.
type history struct {
	limit   int
	records []platform.InstanceRecord
	dropped uint64
}

func (h *history) add(r platform.InstanceRecord) {
	if len(h.records) == h.limit {
		h.dropped++
		return
	}
	h.records = append(h.records, r)
}

// Instances gives the lives of the instances so far, those that are gone
// first, and how many lives were not kept.
func (rt *Runtime) Instances() (records []platform.InstanceRecord, dropped uint64) {
	rt.mu.Lock()
	defer rt.mu.Unlock()
	records = append(records, rt.history.records...)
	for _, fam := range rt.families {
		for _, v := range fam.versions {
			for _, in := range v.instances {
				records = append(records, in.record)
			}
		}
	}
	return records, rt.history.dropped
}
