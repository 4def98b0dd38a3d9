package lambdaapi

import (
	"encoding/json"
	"fmt"

	"github.com/coldcurve/coldcurve/analysis/units"
	"github.com/coldcurve/coldcurve/analysis/usage"
)

// describe tells what answers.
func (h *Handler) describe(*request) (any, error) {
	d := h.Describe()
	if _, dropped := h.Runtime.Instances(); dropped > 0 {
		d.Notes = append(d.Notes, fmt.Sprintf("the lives of %s instances were not kept", units.FormatCount(dropped)))
	}
	return d, nil
}

// instances tells the life of every instance, a line each.
func (h *Handler) instances(r *request) (any, error) {
	records, _ := h.Runtime.Instances()
	r.w.Header().Set("Content-Type", "application/jsonl")
	enc := json.NewEncoder(r.w)
	for i := range records {
		if enc.Encode(&records[i]) != nil {
			break // the caller is gone, and the status is out already
		}
	}
	return answered, nil
}

// logs gives the end of what each function has printed, by name.
func (h *Handler) logs(*request) (any, error) { return h.Runtime.Logs(), nil }

// usage gives who has used what.
func (h *Handler) usage(*request) (any, error) {
	if h.Usage == nil {
		return usage.Account{Entries: []usage.Entry{}}, nil
	}
	return h.Usage(), nil
}

// evict makes the function's next start cold.
func (h *Handler) evict(r *request) (any, error) {
	target, err := h.Catalog.Resolve(r.name, r.qualifier())
	if err != nil {
		return nil, err
	}
	return nil, target.Version.Evict(r.Context())
}
